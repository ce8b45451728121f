/** Which operators of a quantized file compute with integers, and what keeps the others in floating point. */
import {
  nodeOf,
  OPAQUE_DOMAIN,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type NodeId,
  type TensorId,
} from '../../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../../ir/lane.js';
import { operatorsOf, sourceOf, type Operator } from '../../ir/operators.js';
import { EdgeFacts } from './edge-facts.js';
import { hasIntegerForm } from './integer-forms.js';

/**
 * - unfolded: beside quantizing or dequantizing that could not become a quantizer of an edge
 * - hybrid, dynamic: it multiplies integers, made of float activations while it runs
 * - weights-only: its weights are integers in the file and floats when it computes
 * - constant: it reads a constant that is no integer
 * - no-integer-form: it stands between quantizers, and the runtime computes it in floating point all the same
 * - output: it reads integers and weights that are integers, and writes floats
 * - reads, writes: an edge without a quantizer
 */
export type FloatCauseKind =
  | 'unfolded'
  | 'hybrid'
  | 'dynamic'
  | 'weights-only'
  | 'constant'
  | 'no-integer-form'
  | 'output'
  | 'reads'
  | 'writes';

export interface FloatCause {
  readonly kind: FloatCauseKind;
  /** For the user. */
  readonly text: string;
}

/** An operator of the file; `cause` when it computes in floating point. */
export interface OperatorForm {
  readonly operator: Operator;
  readonly cause?: FloatCause;
}

/** They stand where integers begin and end, and compute nothing. */
const CONVERSIONS: ReadonlySet<string> = new Set([
  ...['QUANTIZE', 'DEQUANTIZE', 'QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
]);

/** They read extents, not values. */
const SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Functions that the clamp of the quantizer behind them does, and the operators that runtimes fuse them into. */
const CLAMPS: ReadonlySet<string> = new Set(['Relu', 'Clip']);
const CLAMPED: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Add',
  'Sub',
  'Mul',
]);

/** Products with weights: runtimes differ in whether they multiply integers where the result stays float. */
const MULTIPLYING: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/** Slot of a bias, which runtimes bring to the accumulator themselves when the file has it as floats. */
const BIAS_SLOTS: Readonly<Record<string, number>> = { Conv: 2, ConvTranspose: 2, Gemm: 2 };

/**
 * An operator computes with integers when all its floating-point edges have quantizers. Conversions, operators that nothing here
 * computes and those without floating-point edges are left out.
 */
export function operatorForms(graph: Graph, lane: Lane): OperatorForm[] {
  const facts = new EdgeFacts(graph);
  const edges = new LaneEdges(graph, lane);
  const unfolded = new Map((lane.unfolded ?? []).map(({ node, reason }) => [node, reason]));
  return operatorsOf(graph).flatMap((operator): OperatorForm[] => {
    const { main, nodes } = operator;
    if (main.domain === OPAQUE_DOMAIN || CONVERSIONS.has(main.origin.op) || SHAPES.has(main.op)) return [];
    const own = unfolded.get(main.id);
    if (own !== undefined) return [{ operator, cause: { kind: 'unfolded', text: own } }];
    const isEdge = (id: TensorId | null): id is TensorId =>
      facts.isQuantizable(id) && graph.inner?.has(sourceOf(graph, id)) !== true;
    if (!nodes.some(({ inputs, outputs }) => [...inputs, ...outputs].some(isEdge))) return [];
    const cause = causeOf(graph, lane, operator, edges, isEdge, unfolded) ?? formlessCause(graph, main);
    return [cause === undefined ? { operator } : { operator, cause }];
  });
}

function causeOf(
  graph: Graph,
  lane: Lane,
  { main, nodes }: Operator,
  edges: LaneEdges,
  isEdge: (id: TensorId | null) => id is TensorId,
  unfolded: ReadonlyMap<NodeId, string>,
): FloatCause | undefined {
  const reads = nodes.flatMap((node) =>
    node.inputs.flatMap((id, slot) => (isEdge(id) ? [{ node, slot, id }] : [])),
  );
  const writes = nodes.flatMap(({ outputs }) => outputs.filter(isEdge));
  const openReads = reads.filter(({ node, slot, id }) => !edges.isReadAsCodes(node, slot, id));
  const openWrites = writes.filter((id) => !edges.isWrittenAsCodes(id));
  if (openReads.length === 0 && openWrites.length === 0) return undefined;
  const near = openReads
    .map(({ id }) => topologyOf(graph).producer[sourceOf(graph, id)])
    .concat(openWrites.flatMap((id) => (topologyOf(graph).uses[id] ?? []).map(({ node }) => node)))
    .find((node) => node !== undefined && unfolded.has(node));
  if (near !== undefined) {
    const node = nodeOf(graph, near);
    return {
      kind: 'unfolded',
      text: `${node.origin.op} beside it is not understood: ${unfolded.get(near) ?? ''}`,
    };
  }
  const isWeighted = reads.some(({ id }) => tensorOf(graph, id).data !== undefined);
  if (graph.format === 'onnx' && isWeighted && openReads.length === 0 && MULTIPLYING.has(main.op)) {
    return { kind: 'output', text: 'it reads integers and writes floats: no quantizer behind it' };
  }
  return (
    weightsCause(graph, lane, main, reads, openWrites.length > 0, edges) ??
    openCause(
      graph,
      openReads.map(({ id }) => id),
      openWrites,
    )
  );
}

/** A TFLite file has integer tensors only around integer kernels; Q and DQ nodes of an ONNX file stand around any operator. */
function formlessCause(graph: Graph, main: Node): FloatCause | undefined {
  if (graph.format !== 'onnx' || hasIntegerForm(graph, main)) return undefined;
  return { kind: 'no-integer-form', text: `ONNX Runtime has no integer form of ${main.origin.op}` };
}

interface Read {
  readonly node: Node;
  readonly slot: number;
  readonly id: TensorId;
}

/** Integers in the weights alone. */
function weightsCause(
  graph: Graph,
  lane: Lane,
  { id: main }: Node,
  reads: readonly Read[],
  writesFloats: boolean,
  edges: LaneEdges,
): FloatCause | undefined {
  const weights = reads
    .filter(({ id }) => tensorOf(graph, id).data !== undefined)
    .map(({ node, slot, id }) => edges.paramsOf(node, slot, id))
    .find((params) => params !== undefined);
  const dtype = weights?.dtype ?? 'integer';
  if (lane.hybrid?.has(main) === true) {
    return { kind: 'hybrid', text: `hybrid: ${dtype} weights, float activations` };
  }
  const isDynamic = reads.some(({ node, slot }) => lane.dynamic?.has(useKey(node.id, slot)) === true);
  if (isDynamic) {
    const beside = weights === undefined ? '' : `${dtype} weights, `;
    return { kind: 'dynamic', text: `dynamic: ${beside}activations quantized by the range of the data` };
  }
  const activations = reads.filter(({ id }) => tensorOf(graph, id).data === undefined);
  const allFloat = activations.every(({ node, slot, id }) => !edges.isReadAsCodes(node, slot, id));
  if (weights === undefined || activations.length === 0 || !allFloat || !writesFloats) return undefined;
  const { kind } = weights.granularity;
  return { kind: 'weights-only', text: `weights only: ${dtype} ${kind}, made float to compute` };
}

function openCause(graph: Graph, reads: readonly TensorId[], writes: readonly TensorId[]): FloatCause {
  const activation = reads.find((id) => tensorOf(graph, id).data === undefined);
  if (activation === undefined && writes.length === 0 && reads[0] !== undefined) {
    return { kind: 'constant', text: `it reads '${tensorOf(graph, reads[0]).name}', a float constant` };
  }
  return writes.length > 0
    ? { kind: 'writes', text: 'it writes floats' }
    : { kind: 'reads', text: 'it reads floats' };
}

/** Quantizers of the edges of one graph. */
export class LaneEdges {
  readonly #graph: Graph;
  readonly #lane: Lane;
  readonly #outputs: ReadonlySet<TensorId>;

  constructor(graph: Graph, lane: Lane) {
    this.#graph = graph;
    this.#lane = lane;
    this.#outputs = new Set(graph.outputs);
  }

  /** Of an input as the node reads it, a copy in another order of axes included. */
  paramsOf(node: Node, slot: number, id: TensorId): QuantParams | undefined {
    const { uses, tensors } = this.#lane;
    return uses.get(useKey(node.id, slot)) ?? tensors.get(id) ?? tensors.get(sourceOf(this.#graph, id));
  }

  isReadAsCodes(node: Node, slot: number, id: TensorId): boolean {
    if (this.paramsOf(node, slot, id) !== undefined) return true;
    if (BIAS_SLOTS[node.op] === slot && this.#lane.arithmetic !== 'tflite')
      return tensorOf(this.#graph, id).data !== undefined;
    return this.#isInsideFused(id);
  }

  /** Every reader gets codes. */
  isWrittenAsCodes(id: TensorId): boolean {
    const source = sourceOf(this.#graph, id);
    if (this.#lane.tensors.has(id) || this.#lane.tensors.has(source)) return true;
    return this.#areAllUsesQuantized(id) || this.#isInsideFused(id);
  }

  #areAllUsesQuantized(id: TensorId): boolean {
    const uses = topologyOf(this.#graph).uses[id] ?? [];
    if (uses.length === 0 || this.#outputs.has(id)) return false;
    return uses.every(({ node, slot }) => this.#lane.uses.has(useKey(node, slot)));
  }

  /** Between an operator and the activation function that becomes part of it: only what comes after that is quantized. */
  #isInsideFused(id: TensorId): boolean {
    if (this.#lane.arithmetic === 'tflite' || this.#outputs.has(id)) return false;
    const { producer, uses } = topologyOf(this.#graph);
    const [use, ...others] = uses[id] ?? [];
    const writer = producer[id];
    if (writer === undefined || use === undefined || others.length > 0 || use.slot !== 0) return false;
    const reader = nodeOf(this.#graph, use.node);
    const [output] = reader.outputs;
    if (!CLAMPED.has(nodeOf(this.#graph, writer).op) || !CLAMPS.has(reader.op)) return false;
    return (
      output !== undefined &&
      output !== null &&
      (this.#lane.tensors.has(output) || this.#areAllUsesQuantized(output))
    );
  }
}
