/** Layers whose channels can be rescaled against each other without changing what the network computes. */
import { channelAxisOf } from '../../ir/channels.js';
import {
  intAttr,
  intsAttr,
  nodeOf,
  stringAttr,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type NodeId,
  type Shape,
  type TensorId,
  type Use,
} from '../../ir/graph.js';
import { clipLimits, padsWithinInput } from '../placement/operator-facts.js';

/** A layer that reads the channels. */
export interface Reader {
  readonly node: NodeId;
  /** Channel of each of its input channels. */
  readonly channels: Int32Array;
}

/** One layer, those that read its output, and what is between: scaling a channel here and unscaling it there changes nothing. */
export interface Chain {
  readonly node: NodeId;
  /** Output channels of the layer. */
  readonly channels: number;
  /** Its bias, and constants added behind it, with one element a channel: they are scaled with the output. */
  readonly added: readonly TensorId[];
  readonly readers: readonly Reader[];
  /** Tensors that carry the channels, the layer's output first. */
  readonly tensors: readonly TensorId[];
  /** Inputs of nodes through which they are read. */
  readonly uses: readonly Use[];
  /** Tensor behind a Relu6 or its like, and the limit up to which scaling commutes with it. */
  readonly limited: readonly { readonly tensor: TensorId; readonly limit: number }[];
}

const LAYERS: ReadonlySet<string> = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul']);

/** f(s * x) = s * f(x) for s > 0, channel by channel. */
const EQUIVARIANT: ReadonlySet<string> = new Set([
  ...['Relu', 'LeakyRelu', 'PRelu', 'Identity', 'Dropout', 'MaxPool', 'AveragePool', 'GlobalAveragePool'],
  ...['GlobalMaxPool', 'ReduceMean', 'ReduceMax', 'ReduceSum', 'Transpose', 'Reshape', 'Flatten', 'Squeeze'],
  ...['Unsqueeze', 'Resize', 'Upsample', 'Pad', 'Clip', 'Add'],
]);

const RESHAPES: ReadonlySet<string> = new Set(['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze']);

/**
 * Chains of the graph, in graph order. A layer begins one when everything that reads its output, through activations that scale
 * with their input (Relu, LeakyRelu, PRelu; Relu6 up to its limit) and through operators that keep channels apart (pooling, moves),
 * is a layer with a constant weight of its own.
 */
export function equalizableChains(graph: Graph): Chain[] {
  const axes = channelAxisOf(graph);
  return graph.nodes.flatMap((node) => {
    const chain = isLayer(graph, node) ? new ChainWalk(graph, axes, node).chain() : undefined;
    return chain === undefined ? [] : [chain];
  });
}

/** A convolution or matrix product with one constant weight that nobody else reads. */
function isLayer(graph: Graph, node: Node): boolean {
  const weight = node.inputs[1];
  if (!LAYERS.has(node.op) || node.domain !== '' || weight === undefined || weight === null) return false;
  const { data, dtype } = tensorOf(graph, weight);
  if (data === undefined || dtype !== 'float32' || !isOwn(graph, weight)) return false;
  if (node.op === 'Gemm' && (intAttr(node, 'transA') ?? 0) !== 0) return false;
  return node.op === 'Gemm' || node.op === 'MatMul' ? data.dims.length === 2 : data.dims.length > 2;
}

function isOwn(graph: Graph, constant: TensorId): boolean {
  return topologyOf(graph).uses[constant]?.length === 1 && !graph.outputs.includes(constant);
}

/** Where channels lie in a tensor: channel of each index of `axis`. */
interface Spread {
  readonly axis: number;
  readonly channels: Int32Array;
}

class ChainWalk {
  readonly #graph: Graph;
  readonly #layer: Node;
  readonly #axes: readonly (number | undefined)[];
  readonly #added: TensorId[] = [];
  readonly #readers: Reader[] = [];
  readonly #tensors: TensorId[] = [];
  readonly #uses: Use[] = [];
  readonly #limited: { tensor: TensorId; limit: number }[] = [];

  constructor(graph: Graph, axes: readonly (number | undefined)[], layer: Node) {
    this.#graph = graph;
    this.#axes = axes;
    this.#layer = layer;
  }

  /** Undefined where something reads the channels in another way. */
  chain(): Chain | undefined {
    const [output] = this.#layer.outputs;
    if (output === undefined || output === null) return undefined;
    const axis = this.#axes[output];
    const extent = axis === undefined ? undefined : tensorOf(this.#graph, output).shape?.[axis];
    if (axis === undefined || typeof extent !== 'number') return undefined;
    const channels = Int32Array.from({ length: extent }, (_, i) => i);
    const bias = this.#layer.inputs[2];
    if (bias !== undefined && bias !== null && !this.#adds(bias, { axis: 0, channels }, 1)) return undefined;
    if (!this.#carries(output, { axis, channels }) || this.#readers.length === 0) return undefined;
    return {
      node: this.#layer.id,
      channels: extent,
      added: this.#added,
      readers: this.#readers,
      tensors: this.#tensors,
      uses: this.#uses,
      limited: this.#limited,
    };
  }

  /** Whether everything behind the tensor keeps its channels apart until a layer reads them. */
  #carries(tensor: TensorId, spread: Spread): boolean {
    if (this.#graph.outputs.includes(tensor)) return false;
    this.#tensors.push(tensor);
    return (topologyOf(this.#graph).uses[tensor] ?? []).every((use) => this.#reads(tensor, use, spread));
  }

  #reads(tensor: TensorId, use: Use, spread: Spread): boolean {
    if (use.slot < 0) return false;
    const node = nodeOf(this.#graph, use.node);
    if (node.domain !== '') return false;
    this.#uses.push(use);
    if (LAYERS.has(node.op)) return this.#isReader(node, use.slot, tensor, spread);
    const [output, ...others] = node.outputs;
    if (!EQUIVARIANT.has(node.op) || output === undefined || output === null) return false;
    // Indices of MaxPool and the mask of Dropout do not scale.
    if (others.some((id) => id !== null && (topologyOf(this.#graph).uses[id]?.length ?? 0) > 0)) return false;
    const after = this.#after(node, use.slot, tensor, output, spread);
    return after !== undefined && this.#carries(output, after);
  }

  #isReader(node: Node, slot: number, tensor: TensorId, { axis, channels }: Spread): boolean {
    const rank = tensorOf(this.#graph, tensor).shape?.length ?? 0;
    const wanted = node.op === 'Gemm' || node.op === 'MatMul' ? rank - 1 : 1;
    if (slot !== 0 || axis !== wanted || !isLayer(this.#graph, node)) return false;
    this.#readers.push({ node: node.id, channels });
    return true;
  }

  #after(node: Node, slot: number, input: TensorId, output: TensorId, spread: Spread): Spread | undefined {
    const shape = tensorOf(this.#graph, output).shape;
    const before = tensorOf(this.#graph, input).shape;
    if (shape === undefined || before === undefined) return undefined;
    if (node.op === 'Add') {
      const other = node.inputs[1 - slot];
      const isAdded = other !== undefined && other !== null && this.#adds(other, spread, before.length);
      return isAdded ? spread : undefined;
    }
    if (slot !== 0) return undefined;
    if (RESHAPES.has(node.op)) return reshaped(spread, before, shape);
    if (node.op === 'Transpose') {
      const perm = intsAttr(node, 'perm');
      const axis = perm === undefined ? before.length - 1 - spread.axis : perm.indexOf(spread.axis);
      return axis < 0 ? undefined : { ...spread, axis };
    }
    if (node.op === 'Clip' && !this.#isLimit(node, output)) return undefined;
    if (node.op === 'Pad' && !padsWithinInput(this.#graph, node)) return undefined;
    if (stringAttr(node, 'coordinate_transformation_mode') === 'tf_crop_and_resize') return undefined;
    // Reductions without keepdims move the axis; whatever touches the channels themselves changes their number.
    const axis = shape.length === before.length ? spread.axis : this.#axes[output];
    return axis !== undefined && shape[axis] === spread.channels.length ? { ...spread, axis } : undefined;
  }

  /** Clipping at zero scales; clipping at a limit does below it. */
  #isLimit(node: Node, output: TensorId): boolean {
    const limits = clipLimits(this.#graph, node);
    if (limits?.[0] !== 0) return false;
    if (limits[1] !== Infinity) this.#limited.push({ tensor: output, limit: limits[1] });
    return limits[1] > 0;
  }

  /** Whether `constant` has one element for each index of the axis and can be scaled with it. */
  #adds(constant: TensorId, { axis, channels }: Spread, rank: number): boolean {
    const { data, dtype } = tensorOf(this.#graph, constant);
    if (data === undefined || dtype !== 'float32' || !isOwn(this.#graph, constant)) return false;
    const elements = data.dims.reduce((count, dim) => count * dim, 1);
    const at = data.dims.lastIndexOf(channels.length);
    // A scalar is added to every channel, and would need an element for each.
    if (elements !== channels.length || (at < 0 && channels.length > 0)) return false;
    const isBias = rank === 1;
    if (!isBias && rank - data.dims.length + at !== axis) return false;
    if (channels.some((channel, i) => channel !== i)) return false;
    this.#added.push(constant);
    return true;
  }
}

/** Row-major order tells which channel each index of the new axis is of; undefined where an index has several. */
function reshaped({ axis, channels }: Spread, before: Shape, after: Shape): Spread | undefined {
  const stride = product(before.slice(axis + 1));
  if (stride === undefined) return undefined;
  for (const [to, extent] of after.entries()) {
    const inner = product(after.slice(to + 1));
    if (inner === undefined || typeof extent !== 'number') continue;
    if (stride % inner !== 0 || (extent * inner) % (channels.length * stride) !== 0) continue;
    const at = (i: number): number => Math.floor((i * inner) / stride) % channels.length;
    return { axis: to, channels: Int32Array.from({ length: extent }, (_, i) => channels[at(i)]!) };
  }
  return undefined;
}

function product(dims: Shape): number | undefined {
  let count = 1;
  for (const dim of dims) {
    if (typeof dim !== 'number') return undefined;
    count *= dim;
  }
  return count > 0 ? count : undefined;
}
