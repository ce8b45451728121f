/**
 * A slow, plain interpreter of small networks in float64, with quantizers: the reference that measured sums are compared
 * with. It shares no code with src but the types of the IR and the reading of constants.
 */
import { toFloat64 } from '../../src/ir/elements.js';
import type { Graph, Node, TensorId } from '../../src/ir/graph.js';
import { floatAttr, intAttr, intsAttr, tensorOf } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { useKey } from '../../src/ir/lane.js';

export interface Array64 {
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

export type Feeds = ReadonlyMap<string, Array64>;

/** Nearest integer, halves to the even one. */
function rounded(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Value of x through the quantizer, and whether its code lay outside the range before it was clamped. QuantizeLinear divides
 * in float32; for int32 there is none, and biases are divided in float64.
 */
export function throughQuantizer(
  x: number,
  params: QuantParams,
  channel: number,
): { y: number; clipped: boolean } {
  const { scale, zeroPoint, qmin, qmax } = params;
  const s = scale[channel]!;
  const z = zeroPoint[channel]!;
  const code = rounded(params.dtype === 'int32' ? x / s : Math.fround(x / s)) + z;
  const clamped = Math.min(qmax, Math.max(qmin, code));
  return { y: (clamped - z) * s, clipped: x / s + z < qmin - 0.5 || x / s + z > qmax + 0.5 };
}

/** Index of element `i` along `axis`. */
export function indexAlong(dims: readonly number[], axis: number, i: number): number {
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  return Math.floor(i / inner) % dims[axis]!;
}

export function quantizedArray({ dims, data }: Array64, params: QuantParams): Array64 {
  const { granularity } = params;
  const channelOf = (i: number): number =>
    granularity.kind === 'per-tensor' ? 0 : indexAlong(dims, granularity.axis, i);
  return { dims, data: data.map((x, i) => throughQuantizer(x, params, channelOf(i)).y) };
}

/** Quantizer of input `slot` of the node in the lane. */
function readThrough(lane: Lane, node: Node, slot: number, tensor: TensorId): QuantParams | undefined {
  return lane.uses.get(useKey(node.id, slot)) ?? lane.tensors.get(tensor);
}

/** Values of all tensors in one lane; graph tensors as their readers see them (behind their own quantizer). */
export function run(graph: Graph, lane: Lane, feeds: Feeds): Map<TensorId, Array64> {
  const raw = new Map<TensorId, Array64>();
  for (const id of graph.inputs) raw.set(id, feeds.get(tensorOf(graph, id).name)!);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id, slot) => {
      if (id === null) return undefined;
      const params = readThrough(lane, node, slot, id);
      const value = raw.get(id) ?? constantOf(graph, id);
      return params === undefined ? value : quantizedArray(value, params);
    });
    raw.set(node.outputs[0]!, compute(node, inputs));
  }
  for (const [id, value] of raw) {
    const params = lane.tensors.get(id);
    if (params !== undefined) raw.set(id, quantizedArray(value, params));
  }
  return raw;
}

/**
 * The output of one operator of the lane on the float run's values, each through its quantizer, and then through the output's
 * own. Operators fused in front of it (their output is in `fusedAway`) are computed the same way.
 */
export function localValue(
  graph: Graph,
  lane: Lane,
  fusedAway: ReadonlySet<TensorId>,
  float: ReadonlyMap<TensorId, Array64>,
  tensor: TensorId,
): Array64 {
  const params = lane.tensors.get(tensor);
  const raw = localRaw(graph, lane, fusedAway, float, tensor);
  return params === undefined ? raw : quantizedArray(raw, params);
}

function localRaw(
  graph: Graph,
  lane: Lane,
  fusedAway: ReadonlySet<TensorId>,
  float: ReadonlyMap<TensorId, Array64>,
  tensor: TensorId,
): Array64 {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(tensor))!;
  const inputs = node.inputs.map((id, slot) => {
    if (id === null) return undefined;
    const params = readThrough(lane, node, slot, id);
    const value = fusedAway.has(id)
      ? localRaw(graph, lane, fusedAway, float, id)
      : (float.get(id) ?? constantOf(graph, id));
    return params === undefined ? value : quantizedArray(value, params);
  });
  return compute(node, inputs);
}

export function constantOf(graph: Graph, id: TensorId): Array64 {
  const { data, name } = tensorOf(graph, id);
  if (data === undefined) throw new Error(`${name} has no value`);
  return { dims: data.dims, data: Float64Array.from(toFloat64(data)) };
}

function compute(node: Node, inputs: readonly (Array64 | undefined)[]): Array64 {
  const [x, y] = inputs as [Array64, Array64];
  switch (node.op) {
    case 'Conv':
      return conv(node, x, y, inputs[2]);
    case 'Gemm':
      return gemm(node, x, y, inputs[2]);
    case 'Relu':
      return { dims: x.dims, data: x.data.map((v) => Math.max(0, v)) };
    case 'Sigmoid':
      return { dims: x.dims, data: x.data.map((v) => 1 / (1 + Math.exp(-v))) };
    case 'Add':
      return add(x, y);
    case 'Flatten':
      return { dims: [x.dims[0]!, x.data.length / x.dims[0]!], data: x.data };
    case 'MaxPool':
      return maxPool(node, x);
    case 'GlobalAveragePool':
      return globalAveragePool(x);
    default:
      throw new Error(`the reference has no ${node.op}`);
  }
}

/** [N, C, H, W] with zero padding on all sides, groups and strides. */
function conv(node: Node, x: Array64, w: Array64, bias: Array64 | undefined): Array64 {
  const [n, c, height, width] = x.dims as [number, number, number, number];
  const [m, , kh, kw] = w.dims as [number, number, number, number];
  const groups = intAttr(node, 'group') ?? 1;
  const [pad = 0] = intsAttr(node, 'pads') ?? [];
  const [stride = 1] = intsAttr(node, 'strides') ?? [];
  const [outHeight, outWidth] = [height, width].map(
    (size, i) => Math.floor((size + 2 * pad - [kh, kw][i]!) / stride) + 1,
  ) as [number, number];
  const perGroup = c / groups;
  const data = new Float64Array(n * m * outHeight * outWidth);
  let at = 0;
  for (let b = 0; b < n; b++)
    for (let o = 0; o < m; o++)
      for (let i = 0; i < outHeight; i++)
        for (let j = 0; j < outWidth; j++) {
          let sum = bias?.data[o] ?? 0;
          const first = Math.floor(o / (m / groups)) * perGroup;
          for (let k = 0; k < perGroup; k++)
            for (let u = 0; u < kh; u++)
              for (let v = 0; v < kw; v++) {
                const [row, column] = [i * stride + u - pad, j * stride + v - pad];
                if (row < 0 || column < 0 || row >= height || column >= width) continue;
                const value = x.data[((b * c + first + k) * height + row) * width + column]!;
                sum += value * w.data[((o * perGroup + k) * kh + u) * kw + v]!;
              }
          data[at++] = sum;
        }
  return { dims: [n, m, outHeight, outWidth], data };
}

function gemm(node: Node, a: Array64, b: Array64, bias: Array64 | undefined): Array64 {
  const alpha = floatAttr(node, 'alpha') ?? 1;
  const beta = floatAttr(node, 'beta') ?? 1;
  const transB = intAttr(node, 'transB') === 1;
  const [rows, inner] = a.dims as [number, number];
  const columns = b.dims[transB ? 0 : 1]!;
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += a.data[i * inner + k]! * b.data[transB ? j * inner + k : k * columns + j]!;
      data[i * columns + j] = alpha * sum + beta * (bias?.data[j] ?? 0);
    }
  return { dims: [rows, columns], data };
}

/** Of equal shapes, or with one operand of a single element. */
function add(x: Array64, y: Array64): Array64 {
  const larger = x.data.length >= y.data.length ? x : y;
  const at = ({ data }: Array64, i: number): number => data[data.length === 1 ? 0 : i]!;
  return { dims: larger.dims, data: larger.data.map((_, i) => at(x, i) + at(y, i)) };
}

/** 2x2 with stride 2. */
function maxPool(node: Node, x: Array64): Array64 {
  if (String(intsAttr(node, 'kernel_shape')) !== '2,2' || String(intsAttr(node, 'strides')) !== '2,2')
    throw new Error('the reference has only MaxPool 2x2, stride 2');
  const [n, c, height, width] = x.dims as [number, number, number, number];
  const dims = [n, c, Math.floor(height / 2), Math.floor(width / 2)];
  const [, , h, w] = dims as [number, number, number, number];
  const data = Float64Array.from({ length: n * c * h * w }, (_, i) => {
    const [plane, row, column] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
    const corner = plane * height * width + 2 * row * width + 2 * column;
    return Math.max(...[0, 1, width, width + 1].map((step) => x.data[corner + step]!));
  });
  return { dims, data };
}

function globalAveragePool(x: Array64): Array64 {
  const [n, c, height, width] = x.dims as [number, number, number, number];
  const size = height * width;
  const data = Float64Array.from({ length: n * c }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < size; k++) sum += x.data[i * size + k]!;
    return sum / size;
  });
  return { dims: [n, c, 1, 1], data };
}
