/**
 * First half of planning: walks the nodes in order and marks what the rules quantize. Marks say which tensors share
 * parameters; they hold no schemes and no numbers.
 */
import type { Graph, Node, NodeId, TensorId, Use } from '../../ir/graph.js';
import { floatAttr, OPAQUE_DOMAIN, stringAttr } from '../../ir/graph.js';
import type { UseKey } from '../../ir/lane.js';
import { useKey } from '../../ir/lane.js';
import type { Scheme } from '../scheme.js';
import { EdgeFacts } from './edge-facts.js';
import { clipsTo, padsWithinInput, weightAxis } from './operator-facts.js';
import type { FloatNode, RangeSource } from './plan.js';
import type { Fusion, OperatorRule, OutputRule, Placement, WeightInput } from './rules.js';

/** Whose parameters a quantizer has. */
export type Source =
  | { readonly kind: 'own' }
  | { readonly kind: 'as'; readonly tensor: TensorId }
  | { readonly kind: 'fixed'; readonly scale: number; readonly zeroPoint: number };

export interface Mark {
  readonly kind: 'activation' | 'weight';
  /** Of a weight with one scale per index. */
  readonly axis?: number;
  readonly source: Source;
}

export interface UseMark {
  readonly tensor: TensorId;
  readonly use: Use;
  readonly source: Source;
}

export interface BiasMark {
  readonly tensor: TensorId;
  readonly use: Use;
  /** The node that multiplies input and weight. */
  readonly node: NodeId;
  readonly input: TensorId;
  readonly weight: TensorId;
  readonly factor: number;
}

/** A node whose floating-point edges must all have the same parameters. */
export interface SameScaleNode {
  readonly node: NodeId;
  readonly operands: readonly { readonly tensor: TensorId; readonly slot: number }[];
  readonly results: readonly TensorId[];
}

export interface Marks {
  readonly edges: ReadonlyMap<TensorId, Mark>;
  readonly uses: ReadonlyMap<UseKey, UseMark>;
  readonly biases: readonly BiasMark[];
  /** Edge inside a fused operator -> the output that takes its place. */
  readonly fused: ReadonlyMap<TensorId, TensorId>;
  /** Tensors whose range is not simply the one observed at themselves. */
  readonly ranges: ReadonlyMap<TensorId, RangeSource>;
  readonly sameScale: readonly SameScaleNode[];
  /** Nodes that a rule quantizes, each with the tensors that must be quantized for it to compute with integers. */
  readonly ruled: ReadonlyMap<NodeId, readonly TensorId[]>;
  readonly unruled: readonly FloatNode[];
}

/** Operators that read a tensor's shape, not its values. */
const METADATA_OPS: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** @param selected whether a node may place quantizers */
export function markGraph(
  graph: Graph,
  placement: Placement,
  scheme: Scheme,
  selected: (node: NodeId) => boolean,
): Marks {
  const marker = new Marker(graph, placement, scheme);
  for (const node of graph.nodes) marker.visit(node, selected(node.id));
  return marker;
}

/** Last edge of a chain of fused ones. */
export function outputOfFused(marks: Pick<Marks, 'fused'>, tensor: TensorId): TensorId {
  let last = tensor;
  for (let next = marks.fused.get(last); next !== undefined; next = marks.fused.get(last)) last = next;
  return last;
}

class Marker implements Marks {
  readonly edges = new Map<TensorId, Mark>();
  readonly uses = new Map<UseKey, UseMark>();
  readonly biases: BiasMark[] = [];
  readonly fused = new Map<TensorId, TensorId>();
  readonly ranges = new Map<TensorId, RangeSource>();
  readonly sameScale: SameScaleNode[] = [];
  readonly ruled = new Map<NodeId, readonly TensorId[]>();
  readonly unruled: FloatNode[] = [];

  readonly #graph: Graph;
  readonly #placement: Placement;
  readonly #scheme: Scheme;
  readonly #facts: EdgeFacts;

  constructor(graph: Graph, placement: Placement, scheme: Scheme) {
    this.#graph = graph;
    this.#placement = placement;
    this.#scheme = scheme;
    this.#facts = new EdgeFacts(graph);
  }

  visit(node: Node, selected: boolean): void {
    const tensors = [...node.inputs, ...node.outputs];
    if (METADATA_OPS.has(node.op) || !tensors.some((tensor) => this.#facts.mayBeFloat(tensor))) return;
    const rule = this.#ruleFor(node);
    const reason = this.#obstacle(node, rule, selected);
    if (rule === undefined || reason !== undefined)
      this.unruled.push({ node: node.id, reason: reason ?? '' });
    else if (rule.inputs === 'residual') this.#applyResidual(node);
    else if (!this.#applyFused(node, rule)) this.#apply(node, rule, rule.inputs ?? []);
  }

  #ruleFor(node: Node): OperatorRule | undefined {
    const { rules } = this.#placement;
    const key = node.domain === '' ? node.op : `${node.domain}:${node.op}`;
    return Object.hasOwn(rules, key) ? rules[key] : undefined;
  }

  /** Why the target does not quantize the node; undefined when it does. */
  #obstacle(node: Node, rule: OperatorRule | undefined, selected: boolean): string | undefined {
    const { name } = this.#placement;
    if (node.domain === OPAQUE_DOMAIN) return stringAttr(node, 'reason') ?? 'nothing computes it';
    if (rule === undefined) return `${name} does not quantize ${node.origin.op}`;
    if (!selected) return 'left out by --only or --skip';
    if (rule.minOpset !== undefined && this.#opset() < rule.minOpset) {
      return `${name} quantizes ${node.op} from opset ${rule.minOpset}, the model has ${this.#graph.opsets.get('')}`;
    }
    if (rule.fuses?.narrowsInput === true) this.#narrowInput(node);
    const { slots = [], orConstant = false } = rule.requires ?? {};
    const open = slots.find((slot) => {
      const tensor = node.inputs[slot];
      if (tensor != null && this.#hasOneScale(tensor)) return false;
      return !(orConstant && this.#facts.isFloatConstant(tensor));
    });
    if (open === undefined) return undefined;
    const tensor = node.inputs[open];
    if (tensor == null) return `it has no input ${open}`;
    return `its input '${this.#facts.tensor(tensor).name}' is not quantized`;
  }

  #apply(node: Node, rule: OperatorRule, inputs: 'all' | readonly number[]): void {
    const all = inputs === 'all' ? [...node.inputs.keys()] : inputs;
    const slots = all.filter((slot) => this.#facts.isQuantizable(node.inputs[slot]));
    for (const slot of slots) this.#markInput(node, slot);
    for (const weight of rule.weights ?? []) this.#markWeight(node, weight);
    const outputs = rule.output === undefined ? [] : node.outputs.filter((id) => this.#facts.mayBeFloat(id));
    if (rule.output !== undefined) this.#markOutputs(node, rule.output, outputs);
    if (rule.output === 'same-scale') {
      const operands = slots.map((slot) => ({ tensor: node.inputs[slot]!, slot }));
      const results = outputs.filter((output) => this.#facts.isQuantizable(output));
      this.sameScale.push({ node: node.id, operands, results });
    }
    if (rule.bias !== undefined) this.#markBias(node, rule.bias, rule.weights?.[0]?.slot ?? 1);
    const weights = (rule.weights ?? []).map(({ slot }) => slot);
    const read = [...all, ...weights, ...(rule.requires?.slots ?? [])].map((slot) => node.inputs[slot]);
    this.ruled.set(node.id, [...read.filter((tensor) => this.#facts.mayBeFloat(tensor)), ...outputs]);
  }

  /** Marks the node as part of the operator before it, if it can be. */
  #applyFused(node: Node, { fuses, addsBiasTo = [] }: OperatorRule): boolean {
    const output = node.outputs[0];
    if (!this.#facts.isQuantizable(output)) return false;
    const input = this.#fusedFunctionInput(node, fuses) ?? this.#fusedBiasInput(node, addsBiasTo);
    if (input === undefined) return false;
    this.edges.delete(input);
    this.fused.set(input, output);
    this.#markEdge(output);
    this.ruled.set(node.id, [output]);
    return true;
  }

  /** The edge between an activation function and the operator that can absorb it. */
  #fusedFunctionInput(node: Node, fusion: Fusion | undefined): TensorId | undefined {
    const input = node.inputs[0];
    if (fusion === undefined || input == null || !this.edges.has(input) || !this.#facts.isInner(input)) {
      return undefined;
    }
    const { activations } = this.#scheme;
    const { asymmetricOnly = false, into, limits } = fusion;
    if (asymmetricOnly && activations !== 'float' && activations.symmetric) return undefined;
    if (into !== 'any' && !into.includes(this.#facts.producer(input)?.op ?? '')) return undefined;
    return limits === undefined || clipsTo(this.#graph, node, limits) ? input : undefined;
  }

  /** The edge between a matrix product and the addition of a constant vector, which becomes its bias. */
  #fusedBiasInput(node: Node, products: readonly string[]): TensorId | undefined {
    for (const slot of [0, 1]) {
      const input = node.inputs[slot];
      const bias = node.inputs[1 - slot];
      const product = input == null ? undefined : this.#facts.producer(input);
      if (input == null || product === undefined || !products.includes(product.op)) continue;
      if (!this.edges.has(input) || !this.#facts.isInner(input)) continue;
      if (!this.#facts.isFloatConstant(bias) || this.#facts.tensor(bias).data?.dims.length !== 1) continue;
      const [multiplied, weight] = product.inputs;
      if (multiplied == null || weight == null || this.edges.get(weight)?.kind !== 'weight') continue;
      const use = { node: node.id, slot: 1 - slot };
      this.biases.push({ tensor: bias, use, node: product.id, input: multiplied, weight, factor: 1 });
      return input;
    }
    return undefined;
  }

  /** Quantizes the operand of an Add that is not the result of the weighted operator in front of it. */
  #applyResidual(node: Node): void {
    const { name } = this.#placement;
    this.unruled.push({ node: node.id, reason: `${name} computes ${node.origin.op} in floating point` });
    const product = [0, 1].find((slot) => {
      const tensor = node.inputs[slot];
      const producer = tensor == null ? undefined : this.#facts.producer(tensor);
      if (tensor == null || producer === undefined || !this.ruled.has(producer.id)) return false;
      return this.#ruleFor(producer)?.weights !== undefined && this.#facts.hasOneReader(tensor);
    });
    if (product !== undefined && !this.#facts.isFloatConstant(node.inputs[1 - product])) {
      this.#markInput(node, 1 - product);
    }
  }

  #markEdge(tensor: TensorId, source: Source = { kind: 'own' }): void {
    if (!this.edges.has(tensor)) this.edges.set(tensor, { kind: 'activation', source });
  }

  #markInput(node: Node, slot: number): void {
    const tensor = node.inputs[slot];
    if (!this.#facts.isQuantizable(tensor)) return;
    if (this.#placement.scope === 'edge' || this.#facts.isFloatConstant(tensor)) this.#markEdge(tensor);
    else {
      const use = { node: node.id, slot };
      this.uses.set(useKey(node.id, slot), { tensor, use, source: { kind: 'own' } });
    }
  }

  #markWeight(node: Node, input: WeightInput): void {
    const tensor = node.inputs[input.slot];
    if (!this.#facts.isFloatConstant(tensor)) {
      this.#markInput(node, input.slot);
      return;
    }
    const { weights } = this.#scheme;
    const perAxis = weights !== 'float' && weights.granularity === 'per-axis';
    const axis = perAxis ? weightAxis(node, this.#facts.tensor(tensor), input) : undefined;
    const source = { kind: 'own' } as const;
    if (axis !== undefined) this.edges.set(tensor, { kind: 'weight', axis, source });
    else if (!this.edges.has(tensor)) this.edges.set(tensor, { kind: 'weight', source });
  }

  #markBias(node: Node, slot: number, weightSlot: number): void {
    const [tensor, input, weight] = [node.inputs[slot], node.inputs[0], node.inputs[weightSlot]];
    const factor = floatAttr(node, 'beta') ?? 1;
    if (!this.#facts.isFloatConstant(tensor) || input == null || weight == null || factor <= 0) return;
    this.biases.push({ tensor, use: { node: node.id, slot }, node: node.id, input, weight, factor });
  }

  #markOutputs(node: Node, rule: OutputRule, outputs: readonly TensorId[]): void {
    for (const output of outputs) {
      if (!this.#facts.isQuantizable(output)) continue;
      this.#markEdge(output, this.#outputSource(node, rule));
      if (typeof rule === 'object' && 'limits' in rule) {
        this.ranges.set(output, { kind: 'limits', rmin: rule.limits[0], rmax: rule.limits[1] });
      }
    }
  }

  #outputSource(node: Node, rule: OutputRule): Source {
    if (typeof rule === 'object') {
      const { activations } = this.#scheme;
      if ('limits' in rule || activations === 'float') return { kind: 'own' };
      const fixed = new Map(Object.entries(rule.fixed)).get(activations.dtype);
      return fixed === undefined ? { kind: 'own' } : { kind: 'fixed', scale: fixed[0], zeroPoint: fixed[1] };
    }
    const [input] = node.inputs;
    const shares =
      rule === 'as-input' || (rule === 'as-input-if-padded-with-zero' && padsWithinInput(this.#graph, node));
    return shares && input != null ? { kind: 'as', tensor: input } : { kind: 'own' };
  }

  /** Values that a Relu or Clip cuts off need no codes, where nothing else reads them. */
  #narrowInput(node: Node): void {
    const [input, output] = [node.inputs[0], node.outputs[0]];
    if (!this.#facts.isQuantizable(input) || !this.#facts.isQuantizable(output)) return;
    if (this.#facts.isFloatConstant(input) || !this.#facts.hasOneReader(input)) return;
    this.ranges.set(input, this.ranges.get(output) ?? { kind: 'observed', tensor: output });
  }

  /** A weight with one scale per channel has no parameters that an operator's output could share. */
  #hasOneScale(tensor: TensorId): boolean {
    const mark = this.edges.get(tensor);
    return mark !== undefined && mark.axis === undefined;
  }

  /** ONNX Runtime's quantizer converts older models before it looks at them: to 11, or to 21 for 16-bit types. */
  #opset(): number {
    const { weights, activations } = this.#scheme;
    const opset = this.#graph.opsets.get('') ?? 1;
    const wide = [weights, activations].some((tensor) => tensor !== 'float' && tensor.dtype.endsWith('16'));
    if (wide) return Math.max(opset, 21);
    return opset < 10 ? 11 : opset;
  }
}
