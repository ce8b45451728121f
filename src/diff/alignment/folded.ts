/** The scale and shift per output channel that follow a linear operator: a bias, a BatchNormalization that was not folded. */
import { floatAttr, tensorOf, topologyOf, type Graph, type Node, type TensorId } from '../../ir/graph.js';
import { dimsOf, type Axes } from './axes.js';
import { constantSource } from './constant-source.js';
import { floatsOf, isMover } from './elementwise.js';
import type { Kernel } from './kernel.js';

export interface Folded {
  /** Nodes that do it, in order; with those between them that only move elements. */
  readonly nodes: readonly Node[];
  /** The tensor behind them. */
  readonly settled: TensorId;
  /** What each output channel of the kernel is multiplied with. */
  readonly scale: Float64Array;
  /** What is added to it after that; the bias of the operator itself is in it. Undefined when there is none. */
  readonly shift: Float64Array | undefined;
  /** The constant that is a bias: of the operator itself, or the first that is added behind it. */
  readonly bias: TensorId | undefined;
  /** Scale and shift behind that bias: shift = bias · biasScale + biasShift. */
  readonly biasScale: Float64Array;
  readonly biasShift: Float64Array;
}

class Fold {
  readonly nodes: Node[] = [];
  readonly scale: Float64Array;
  readonly shift: Float64Array;
  readonly biasScale: Float64Array;
  readonly biasShift: Float64Array;
  bias: TensorId | undefined;
  hasShift = false;

  constructor(graph: Graph, { channels, alpha, bias }: Kernel) {
    this.scale = new Float64Array(channels).fill(alpha);
    this.shift = new Float64Array(channels);
    this.biasScale = new Float64Array(channels).fill(1);
    this.biasShift = new Float64Array(channels);
    const values = bias === undefined ? undefined : perChannel(graph, bias.tensor, channels);
    if (bias !== undefined && values !== undefined) this.#add(values, bias.beta, bias.tensor);
  }

  /** x becomes x · scale + shift. */
  then(graph: Graph, node: Node, slot: number): boolean {
    const channels = this.scale.length;
    const operand = node.inputs[slot === 0 ? 1 : 0] ?? undefined;
    const other = operand === undefined ? undefined : constantSource(graph, operand);
    if (node.op === 'BatchNormalization') return this.#normalize(graph, node);
    const values =
      other === undefined
        ? undefined
        : (perChannel(graph, other, channels) ??
          (isFactor(node) ? forAll(graph, other, channels) : undefined));
    if (other === undefined || values === undefined) return false;
    switch (node.op) {
      case 'Add':
        this.#add(values, 1, other);
        return true;
      case 'Sub':
        if (slot === 1) this.#multiply(values.map(() => -1));
        this.#add(values, slot === 1 ? 1 : -1, other);
        return true;
      case 'Mul':
        this.#multiply(values);
        return true;
      case 'Div':
        if (slot === 1) return false;
        this.#multiply(values.map((value) => 1 / value));
        return true;
      default:
        return false;
    }
  }

  #normalize(graph: Graph, node: Node): boolean {
    const channels = this.scale.length;
    const sources = node.inputs.map((id) => (id === null ? undefined : constantSource(graph, id)));
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((slot) => {
      const id = sources[slot];
      return id === undefined ? undefined : perChannel(graph, id, channels);
    });
    if (gamma === undefined || beta === undefined || mean === undefined || variance === undefined)
      return false;
    const epsilon = floatAttr(node, 'epsilon') ?? 1e-5;
    const factor = gamma.map((value, m) => value / Math.sqrt((variance[m] ?? 0) + epsilon));
    this.#multiply(factor);
    this.#add(beta, 1, sources[2]);
    this.#add(
      mean.map((value, m) => -value * (factor[m] ?? 0)),
      1,
      undefined,
    );
    return true;
  }

  #multiply(values: Float64Array): void {
    values.forEach((value, m) => {
      for (const target of [this.scale, this.shift, this.biasScale, this.biasShift])
        target[m] = (target[m] ?? 0) * value;
    });
  }

  #add(values: Float64Array, sign: number, tensor: TensorId | undefined): void {
    const isFirst = !this.hasShift && tensor !== undefined;
    this.hasShift = true;
    values.forEach((value, m) => {
      this.shift[m] = (this.shift[m] ?? 0) + sign * value;
      if (!isFirst) this.biasShift[m] = (this.biasShift[m] ?? 0) + sign * value;
    });
    if (!isFirst) return;
    this.bias = tensor;
    this.biasScale.fill(sign);
  }
}

function isFactor({ op }: Node): boolean {
  return op === 'Mul' || op === 'Div';
}

/** The one value of a constant, for each channel; undefined when it has more. */
function forAll(graph: Graph, tensor: TensorId, channels: number): Float64Array | undefined {
  const { data } = tensorOf(graph, tensor);
  const values = data === undefined ? undefined : floatsOf(data);
  return values?.length === 1 ? new Float64Array(channels).fill(values[0] ?? 1) : undefined;
}

/** Values of a constant with one for each channel; undefined when it has not as many. */
function perChannel(graph: Graph, tensor: TensorId, channels: number): Float64Array | undefined {
  const { data } = tensorOf(graph, tensor);
  const values = data === undefined ? undefined : floatsOf(data);
  if (values?.length === channels) return Float64Array.from(values);
  return undefined;
}

/** What is folded behind the result `root` of the node with that kernel. */
export function foldedChain(
  graph: Graph,
  axes: readonly (Axes | undefined)[],
  root: TensorId,
  kernel: Kernel,
): Folded {
  const { uses } = topologyOf(graph);
  const fold = new Fold(graph, kernel);
  let settled = root;
  let moved: Node[] = [];
  const seen = new Set<TensorId>();
  for (let at = root; !seen.has(at) && !graph.outputs.includes(at);) {
    seen.add(at);
    const [use, ...others] = uses[at] ?? [];
    const node = use === undefined || others.length > 0 ? undefined : graph.nodes[use.node];
    const output = node?.outputs[0] ?? undefined;
    if (use === undefined || node === undefined || output === undefined) break;
    if (isMover(node) && use.slot === 0) {
      moved.push(node);
      at = output;
      continue;
    }
    if (!liesAlongChannels(graph, axes, node, use.slot, at, kernel.channels)) break;
    if (!fold.then(graph, node, use.slot)) break;
    fold.nodes.push(...moved, node);
    moved = [];
    settled = output;
    at = output;
  }
  const { nodes, scale, shift, bias, biasScale, biasShift, hasShift } = fold;
  return { nodes, settled, scale, shift: hasShift ? shift : undefined, bias, biasScale, biasShift };
}

/** Whether the constant operand of the node has its values along the channels of `from`, and the result has no other shape. */
function liesAlongChannels(
  graph: Graph,
  axes: readonly (Axes | undefined)[],
  node: Node,
  slot: number,
  from: TensorId,
  channels: number,
): boolean {
  if (node.op === 'BatchNormalization') return slot === 0;
  const id = node.inputs[slot === 0 ? 1 : 0] ?? undefined;
  const isConstant = id !== undefined && constantSource(graph, id) !== undefined;
  const dims = isConstant ? (tensorOf(graph, id).data?.dims ?? dimsOf(graph, id)) : undefined;
  const fromDims = dimsOf(graph, from);
  if (dims === undefined) return false;
  if (fromDims === undefined || channels === 1) return true;
  if (dims.every((dim) => dim === 1) && dims.length <= fromDims.length) return isFactor(node);
  if (dims.length > fromDims.length) return false;
  const at = dims.findIndex((dim) => dim === channels);
  const position = at + fromDims.length - dims.length;
  const digits = axes[from]?.[position];
  return (
    fromDims[position] === channels && (digits === undefined || digits.some(({ label }) => label === 'C'))
  );
}
