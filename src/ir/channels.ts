/**
 * Which axis of each activation is its "channel" axis.
 *
 * A convention for showing and grouping statistics, not a property of the model: ONNX gives axes no meaning. It follows
 * what quantization people call a channel: axis 1 after a convolution, the features (last axis) after a matrix product,
 * carried along by what comes after. Limits: the last axis of a product of two activations (attention scores) is a
 * position, not a feature; a graph input of rank 4 that nothing in the graph identifies is taken for [N, C, H, W]; after
 * a Reshape that splits or merges channels (heads, shuffles, flattened pictures) there is no channel axis until the
 * next operator that sets one.
 */
import type { Dim, Graph, Node, Shape, TensorId } from './graph.js';
import { intAttr, intsAttr } from './graph.js';
import { constantValue } from './infer/constants.js';
import { axesOf, axisOf } from './infer/dims.js';
import { ELEMENTWISE } from './infer/elementwise.js';
import { numbersOf } from './infer/rule.js';

/** Operators defined on [N, C, spatial...]. */
const FIRST: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvInteger', 'ConvTranspose', 'DeformConv', 'FusedConv', 'QLinearConv'],
  ...['AveragePool', 'LpPool', 'MaxPool', 'MaxRoiPool', 'MaxUnpool', 'QLinearAveragePool', 'RoiAlign'],
  ...['GlobalAveragePool', 'GlobalLpPool', 'GlobalMaxPool', 'QLinearGlobalAveragePool'],
  ...['BatchNormalization', 'GroupNormalization', 'InstanceNormalization', 'LRN'],
  ...['Col2Im', 'DepthToSpace', 'GridSample', 'SpaceToDepth', 'Upsample'],
]);

/** Operators whose output ends in features. */
const LAST: ReadonlySet<string> = new Set([
  ...['Gemm', 'FusedGemm', 'QGemm', 'MatMul', 'MatMulInteger', 'QLinearMatMul'],
  ...['FusedMatMul', 'MatMulIntegerToFloat', 'DynamicQuantizeMatMul', 'MatMulNBits'],
  ...['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization'],
  ...['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization'],
  ...['Attention', 'MultiHeadAttention', 'GRU', 'LSTM', 'RNN', 'NhwcConv', 'NhwcFusedConv', 'GroupNorm'],
]);

/** Operators that leave axes where they are. */
const SAME: ReadonlySet<string> = new Set([
  ...Object.keys(ELEMENTWISE),
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear'],
  ...['Concat', 'Split', 'Slice', 'Pad', 'Resize', 'Tile', 'Expand', 'CenterCropPad'],
  ...['GatherElements', 'ScatterElements', 'ScatterND', 'Trilu', 'ReverseSequence', 'CumSum', 'TopK'],
  ...['Softmax', 'LogSoftmax', 'Hardmax', 'LpNormalization', 'MeanVarianceNormalization', 'Dropout'],
  ...['FastGelu', 'QuickGelu', 'BiasGelu', 'BiasAdd', 'BiasSoftmax', 'RotaryEmbedding'],
  ...['QLinearAdd', 'QLinearConcat', 'QLinearLeakyRelu', 'QLinearMul', 'QLinearSigmoid', 'QLinearSoftmax'],
  ...['QLinearWhere'],
]);

const REDUCTIONS: readonly string[] = [
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin'],
  ...['ReduceProd', 'ReduceSum', 'ReduceSumSquare', 'QLinearReduceMean'],
];

/**
 * Channel axis by tensor id, counted from the front; undefined for constants, for tensors of rank 0 and 1, and where
 * there is none. Needs shapes: run `inferShapes` first; what has no known rank has an axis only if its operator says so.
 */
export function channelAxisOf(graph: Graph): (number | undefined)[] {
  const axes = new Array<number | undefined>(graph.tensors.length).fill(undefined);
  const last = channelsLast(graph);
  for (const id of graph.inputs) {
    const rank = graph.tensors[id]?.shape?.length;
    axes[id] = rank !== undefined && last.has(id) ? rank - 1 : usualAxis(rank);
  }
  for (const node of graph.nodes) {
    for (const id of node.outputs) {
      if (id === null) continue;
      const shape = graph.tensors[id]?.shape;
      const axis = axisAfter(graph, node, axes, shape);
      const exists = shape === undefined || (shape.length >= 2 && (axis ?? 0) < shape.length);
      axes[id] = exists ? axis : undefined;
    }
  }
  return axes;
}

/** For a tensor of which nothing but the rank is known. */
function usualAxis(rank: number | undefined): number | undefined {
  if (rank === 3) return 2;
  return rank === 2 || rank === 4 || rank === 5 ? 1 : undefined;
}

/**
 * Tensors that reach nothing but Transposes from [N, spatial..., C] to [N, C, ...], directly or through operators that
 * leave axes where they are. One pass from the outputs back: every use must agree.
 */
function channelsLast(graph: Graph): ReadonlySet<TensorId> {
  const moved = new Set<TensorId>();
  const used = new Set<TensorId>(graph.outputs);
  const note = (id: TensorId, last: boolean): void => {
    if (last && !used.has(id)) moved.add(id);
    if (!last) moved.delete(id);
    used.add(id);
  };
  for (const node of graph.nodes.toReversed()) {
    const output = node.outputs[0] ?? undefined;
    const last =
      node.op === 'Transpose'
        ? movesLastToFirst(intsAttr(node, 'perm') ?? [])
        : SAME.has(node.op) && output !== undefined && moved.has(output);
    for (const id of node.inputs) if (id !== null) note(id, last);
    for (const attr of node.attrs.values()) {
      if (attr.type === 'graph') for (const id of attr.value.captures) note(id, false);
    }
  }
  return moved;
}

function movesLastToFirst(perm: readonly number[]): boolean {
  return perm.length >= 4 && perm[1] === perm.length - 1;
}

function axisAfter(
  graph: Graph,
  node: Node,
  axes: readonly (number | undefined)[],
  output: Shape | undefined,
): number | undefined {
  const { op } = node;
  const rank = output?.length;
  if (LAST.has(op) || (FIRST.has(op) && intAttr(node, 'channels_last') === 1)) {
    return rank === undefined ? undefined : rank - 1;
  }
  if (FIRST.has(op)) return 1;
  if (SAME.has(op)) return inherited(graph, node, axes, rank);
  const source = node.inputs[0] ?? undefined;
  const axis = source === undefined ? undefined : axes[source];
  const input = source === undefined ? undefined : graph.tensors[source]?.shape;
  const move = MOVES.get(op);
  if (move === undefined) return usualAxis(rank);
  if (axis === undefined || input === undefined || output === undefined) return undefined;
  return move(graph, node, axis, input, output);
}

/** Of the first activation among the inputs that has the rank of the output and a channel axis. */
function inherited(
  graph: Graph,
  node: Node,
  axes: readonly (number | undefined)[],
  rank: number | undefined,
): number | undefined {
  for (const id of node.inputs) {
    if (id === null || axes[id] === undefined) continue;
    if (graph.tensors[id]?.shape?.length === rank) return axes[id];
  }
  return undefined;
}

/** Where an axis of the first input is in the output. */
type Move = (graph: Graph, node: Node, axis: number, input: Shape, output: Shape) => number | undefined;

const transpose: Move = (_graph, node, axis, input) => {
  const perm = intsAttr(node, 'perm');
  return perm === undefined ? input.length - 1 - axis : present(perm.indexOf(axis));
};

/** Row-major order keeps an axis whose extent and stride (the product of the extents after it) stay. */
const reshape: Move = (_graph, _node, axis, input, output) => {
  const fits = (to: number): boolean =>
    output[to] === input[axis] &&
    input[axis] !== null &&
    (sameProduct(input.slice(axis + 1), output.slice(to + 1)) ||
      sameProduct(input.slice(0, axis), output.slice(0, to)));
  return fits(axis) ? axis : present(Array.from(output.keys()).findIndex(fits));
};

function sameProduct(a: Shape, b: Shape): boolean {
  const product = (dims: Shape): number =>
    dims.reduce<number>((n, dim) => (typeof dim === 'number' ? n * dim : n), 1);
  const symbols = (dims: Shape): Dim[] => dims.filter((dim) => typeof dim !== 'number').sort();
  const [left, right] = [symbols(a), symbols(b)];
  return (
    product(a) === product(b) &&
    left.length === right.length &&
    left.every((symbol, i) => symbol !== null && symbol === right[i])
  );
}

/** Without keepdims the reduced axes are gone. */
const reduce: Move = (graph, node, axis, input, output) => {
  if (output.length === input.length) return axis;
  const list = node.inputs[1] ?? undefined;
  const data = list === undefined ? undefined : graph.tensors[list]?.data;
  const axes = intsAttr(node, 'axes') ?? (data && numbersOf(constantValue(data)));
  const dropped = axes && axesOf(axes, input.length);
  if (dropped === undefined || dropped.size === 0 || dropped.has(axis)) return undefined;
  return axis - [...dropped].filter((other) => other < axis).length;
};

/** One axis becomes as many as the indices have. */
const gather: Move = (_graph, node, axis, input, output) => {
  const at = axisOf(intAttr(node, 'axis') ?? 0, input.length);
  if (at === undefined) return undefined;
  if (axis < at) return axis;
  const growth = output.length - input.length;
  if (axis === at) return growth === 0 ? axis : undefined;
  return axis + growth;
};

function present(index: number): number | undefined {
  return index < 0 ? undefined : index;
}

const MOVES: ReadonlyMap<string, Move> = new Map([
  ['Transpose', transpose],
  ['Gather', gather],
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'].map((op) => [op, reshape] as const),
  ...REDUCTIONS.map((op) => [op, reduce] as const),
]);
