/** The changes that bring a lane into a file: what is quantized, and under which names its readers find it. */
import {
  isFloat,
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type ConstantData,
  type Graph,
  type Node,
  type NodeId,
  type Tensor,
  type TensorId,
} from '../../ir/graph.js';
import { hasSameCodes, useKey, type DynamicQuantizer, type Lane, type QuantParams } from '../../ir/lane.js';
import { guardedNodes } from '../../quant/requantized.js';
import type { ModelEdits, WireModel } from '../../onnx/wire-model.js';
import { nestedNames } from '../../onnx/wire-subgraphs.js';
import type { Correspondence } from './correspondence.js';
import { FileEdits } from './file-edits.js';
import { LinearNodes, type QuantizedValue } from './linear-nodes.js';
import { nodeProto } from './new-nodes.js';
import { UnusedNames } from './unused-names.js';

export interface LaneEdits {
  readonly edits: ModelEdits;
  /** What is not as a reader of the file might expect, one line each. */
  readonly notes: readonly string[];
  /** What of the lane the file does not have. */
  readonly lost: readonly string[];
}

/** @throws UnsupportedError where the model's opset has no operators for a quantizer */
export function laneEdits(file: WireModel, graph: Graph, lane: Lane, places: Correspondence): LaneEdits {
  return new LaneWriter(file, graph, lane, places).write();
}

class LaneWriter {
  readonly #graph: Graph;
  readonly #lane: Lane;
  readonly #places: Correspondence;
  readonly #names: UnusedNames;
  readonly #edits: FileEdits;
  readonly #linear: LinearNodes;
  /** Of normalizations that are folded. */
  readonly #folds: string[] = [];
  /** Of nodes with a Sum before them. */
  readonly #guards: string[] = [];
  readonly #lost: string[] = [];
  /** Constants of folded convolutions under the name that they get in the file. */
  readonly #constantNames = new Map<TensorId, string>();
  /** Constants that hold a normalization. */
  readonly #folded = new Map<TensorId, ConstantData>();
  readonly #made = new Map<
    string,
    { readonly params: QuantParams | DynamicQuantizer; readonly output: string }[]
  >();

  constructor(file: WireModel, graph: Graph, lane: Lane, places: Correspondence) {
    this.#graph = graph;
    this.#lane = lane;
    this.#places = places;
    this.#names = new UnusedNames(namesIn(file));
    this.#edits = new FileEdits(file);
    this.#linear = new LinearNodes(file.opsets.get('') ?? 0, this.#names, (base, dtype, dims, raw) =>
      this.#edits.addInitializer(this.#names.next(base), dtype, dims, raw),
    );
  }

  write(): LaneEdits {
    for (const node of this.#graph.nodes) this.#fold(node);
    const written = new Set<TensorId>();
    for (const [tensor, params] of [...this.#lane.tensors].sort(([a], [b]) => a - b)) {
      if (this.#quantize(tensorOf(this.#graph, tensor), params)) written.add(tensor);
    }
    for (const [tensor, data] of [...(this.#lane.values ?? []), ...this.#folded]) {
      if (written.has(tensor) || !this.#isReadAsIs(tensor)) continue;
      const values = this.#lane.values?.get(tensor) ?? data;
      this.#edits.setConstant(this.#nameOf(tensor), values, this.#constantAt(tensor));
      written.add(tensor);
    }
    for (const node of this.#graph.nodes) {
      node.inputs.forEach((tensor, slot) => {
        const key = useKey(node.id, slot);
        const params = this.#lane.dynamic?.get(key) ?? this.#lane.uses.get(key);
        if (params !== undefined && tensor !== null) this.#quantizeUse(node, slot, tensor, params);
      });
    }
    for (const node of guardedNodes(this.#graph, this.#lane)) this.#guard(node);
    if (this.#linear.usesMicrosoft) this.#edits.importMicrosoft();
    const edits = this.#edits.finish();
    return {
      edits,
      notes: [...counted(this.#folds), ...counted(this.#guards), ...this.#edits.notes],
      lost: this.#lost,
    };
  }

  /** Puts the folded constants in the place of a BatchNormalization where the lane has one of them; else the file stays as it is. */
  #fold(node: Node): void {
    const norms = this.#places.folded.get(node.id);
    if (norms === undefined) return;
    const constants = [1, 2].flatMap((slot) => node.inputs[slot] ?? []);
    const isTouched = constants.some(
      (id, at) =>
        this.#lane.tensors.has(id) ||
        this.#lane.values?.has(id) === true ||
        this.#lane.uses.has(useKey(node.id, at + 1)),
    );
    if (!isTouched) return;
    const position = this.#positionOf(node.id);
    const [weight, bias] = constants.map((id, at) => {
      const { name, data } = tensorOf(this.#graph, id);
      const own = this.#edits.inputOf(position, at + 1) === name ? name : this.#names.next(name);
      this.#constantNames.set(id, own);
      if (data !== undefined) this.#folded.set(id, data);
      return own;
    });
    this.#edits.fold(position, norms, weight ?? '', bias ?? '');
    const target = node.origin.name || this.#nameOf(weightOf(node));
    for (const norm of node.origin.absorbed ?? [])
      this.#folds.push(`${norm} is folded into the weights of ${target}`);
  }

  /** A Sum of one input: nothing removes it, and the runtime sees no quantizer right before the node. */
  #guard(node: Node): void {
    const [tensor] = node.inputs;
    if (tensor === undefined || tensor === null) return;
    const position = this.#positionOf(node.id);
    const name = this.#nameOf(tensor);
    const output = this.#names.next(`${name}_Sum_Output`);
    const label = this.#names.next(`${name}_Sum`);
    const inputs = [this.#edits.inputNow(position, 0) ?? name];
    this.#edits.insertBefore(position, [nodeProto({ op: 'Sum', domain: '', name: label, inputs, output })]);
    this.#edits.renameInput(position, 0, output);
    this.#guards.push(
      `${nodeLabel(node)} reads through a Sum, or ONNX Runtime would quantize its float constants`,
    );
  }

  /** A quantizer behind a value: every reader has the value through it. Whether the value is in the file through it. */
  #quantize(tensor: Tensor, params: QuantParams): boolean {
    if (!isFloat(tensor.dtype)) return false;
    if (tensor.data !== undefined) return this.#quantizeConstant(tensor, tensor.data, params);
    const { name, id } = tensor;
    const isInput = this.#graph.inputs.includes(id);
    const isOutput = this.#graph.outputs.includes(id);
    if (isInput && isOutput) {
      this.#lost.push(`'${name}' is an input and an output at once, and stays in float`);
      return false;
    }
    const isCaptured = topologyOf(this.#graph).uses[id]?.some(({ slot }) => slot < 0) === true;
    const value = { name, dtype: tensor.dtype, rank: tensor.shape?.length ?? 1 };
    const position = isInput ? undefined : this.#places.producers.get(name);
    if (isOutput || (isCaptured && !isInput)) {
      // The name stays with what is read from outside, and by graphs inside nodes: they are not touched.
      const inside = this.#names.next(`${name}_QuantizeLinear_Input`);
      this.#edits.renameOutput(name, inside);
      this.#edits.insertBehind(position, this.#linear.pair(name, { ...value, name: inside }, params, name));
      return true;
    }
    const output = this.#names.next(`${name}_DequantizeLinear_Output`);
    this.#edits.insertBehind(position, this.#linear.pair(name, value, params, output));
    this.#edits.renameReads(name, output, isCaptured);
    return true;
  }

  #quantizeConstant({ id, dtype }: Tensor, graphData: ConstantData, params: QuantParams): boolean {
    const name = this.#nameOf(id);
    if (!this.#isReadAsIs(id)) return true;
    const changed = this.#lane.values?.get(id);
    const stored = changed === undefined ? this.#lane.codes?.get(id) : undefined;
    const nodes = this.#linear.constant(name, changed ?? graphData, params, stored, name);
    if (nodes === undefined) {
      this.#lost.push(`'${name}' stays ${dtype ?? ''}: no initializer holds its ${params.dtype} codes`);
      return false;
    }
    this.#edits.removeConstant(name, this.#constantAt(id));
    this.#edits.insertBefore(this.#firstReader(id), nodes);
    return true;
  }

  /** A quantizer that one input of one node has for itself; equal ones of a value are one. */
  #quantizeUse(node: Node, slot: number, tensor: TensorId, params: QuantParams | DynamicQuantizer): void {
    const { data, dtype, shape } = tensorOf(this.#graph, tensor);
    if (!isFloat(dtype)) return;
    const name = this.#nameOf(tensor);
    const made = this.#made.get(name) ?? [];
    this.#made.set(name, made);
    let output = made.find((other) => isSame(other.params, params))?.output;
    if (output === undefined) {
      output = this.#names.next(`${name}_DequantizeLinear_Output`);
      const value = { name: this.#edits.writtenName(name), dtype, rank: shape?.length ?? 1 };
      if (!this.#insertUse(tensor, value, data, params, output)) return;
      made.push({ params, output });
    }
    this.#edits.renameInput(this.#positionOf(node.id), slot, output);
  }

  #insertUse(
    tensor: TensorId,
    value: QuantizedValue,
    data: ConstantData | undefined,
    params: QuantParams | DynamicQuantizer,
    output: string,
  ): boolean {
    const name = this.#nameOf(tensor);
    const position = this.#places.producers.get(name);
    if ('kind' in params) {
      const read = { ...value, name: this.#edits.readName(name) };
      this.#edits.insertBehind(position, this.#linear.dynamicPair(name, read, output));
    } else if (data === undefined) {
      this.#edits.insertBehind(position, this.#linear.pair(name, value, params, output));
    } else {
      const nodes = this.#linear.constant(
        name,
        this.#lane.values?.get(tensor) ?? data,
        params,
        undefined,
        output,
      );
      if (nodes === undefined) {
        this.#lost.push(`'${name}' stays ${value.dtype}: no initializer holds its ${params.dtype} codes`);
        return false;
      }
      this.#edits.insertBefore(this.#firstReader(tensor), nodes);
    }
    return true;
  }

  /** Whether something reads the constant that has no quantizer of its own for it. */
  #isReadAsIs(tensor: TensorId): boolean {
    const uses = topologyOf(this.#graph).uses[tensor] ?? [];
    return (
      this.#graph.outputs.includes(tensor) ||
      uses.some(({ node, slot }) => slot < 0 || !this.#lane.uses.has(useKey(node, slot)))
    );
  }

  #nameOf(tensor: TensorId): string {
    return this.#constantNames.get(tensor) ?? tensorOf(this.#graph, tensor).name;
  }

  /** Position of the Constant that gives the value. */
  #constantAt(tensor: TensorId): number | undefined {
    return this.#places.constants.get(this.#nameOf(tensor));
  }

  #positionOf(node: NodeId): number {
    const position = this.#places.positions.get(node);
    if (position === undefined) throw new RangeError(`node ${node} is not in the file`);
    return position;
  }

  /** Position of the first node of the file that reads the value; undefined where none does. */
  #firstReader(tensor: TensorId): number | undefined {
    const uses = topologyOf(this.#graph).uses[tensor] ?? [];
    const positions = uses.map(({ node }) => this.#positionOf(nodeOf(this.#graph, node).id));
    return positions.length === 0 ? undefined : positions.reduce((first, at) => Math.min(first, at));
  }
}

function weightOf({ inputs }: Node): TensorId {
  return inputs[1] as TensorId;
}

function isSame(a: QuantParams | DynamicQuantizer, b: QuantParams | DynamicQuantizer): boolean {
  if ('kind' in a || 'kind' in b) return 'kind' in a && 'kind' in b;
  const at = ({ qmin, qmax, granularity, read }: QuantParams): string =>
    JSON.stringify([qmin, qmax, granularity, read && [[...read.scale], [...read.zeroPoint]]]);
  return hasSameCodes(a, b) && at(a) === at(b);
}

/** Every name that a new one could be taken for, of values and of nodes. */
function* namesIn(file: WireModel): Generator<string> {
  yield* file.inputs;
  yield* file.outputs;
  yield* file.initializers;
  for (const node of file.nodes) {
    yield node.name;
    yield* node.inputs;
    yield* node.outputs;
    yield* nestedNames(node.bytes);
  }
}

/** One line of however many alike: a network has a hundred of them. */
function counted([first, ...others]: readonly string[]): string[] {
  if (first === undefined) return [];
  return others.length === 0 ? [first] : [`${first}, and ${others.length} more alike`];
}
