/**
 * BATCH_MATMUL of a float activation and stored codes. Each row of the activation has a scale of its own.
 *
 * The kernel finds scales, and sums of weights, by adding up the indices of a product along all batch dimensions. With more than one
 * such dimension it takes those of another product: the results are wrong, and these are wrong in the same way.
 *
 * Source: Eval and EvalHybrid of tflite/kernels/batch_matmul.cc and BatchMatMul of tflite/kernels/internal/reference/batch_matmul.h in
 * google-ai-edge/LiteRT.
 */
import { elementCount, toFloat32 } from '../../ir/elements.js';
import { tensorOf, type ConstantData, type Graph, type TensorId } from '../../ir/graph.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { Derived } from './constant-codes.js';
import { Doubles } from './doubles.js';
import { floatSums, hybridOperands, product, weightScales, type HybridKernel } from './hybrid-operands.js';
import { multiplied } from './products.js';
import type { Sums } from './requantize.js';

/** Batch dimensions of either operand of the kernel. */
const BATCH_DIMS = 3;

/** Both operands as the kernel walks them. */
interface Walk {
  readonly rows: number;
  readonly columns: number;
  readonly left: readonly number[];
  readonly right: readonly number[];
}

/** `left` is [..., rows, depth], `right` is [..., depth, columns]. One matrix for several batches is one product of all their rows. */
function walkOf(left: readonly number[], right: readonly number[]): Walk {
  const isOneMatrix = left.length > 2 && right.length > 2 && right.at(-3) === 1;
  const behind = isOneMatrix ? 3 : 2;
  const batches = (dims: readonly number[]): number[] => {
    const own = dims.slice(0, -behind);
    return [...Array<number>(Math.max(0, BATCH_DIMS - own.length)).fill(1), ...own];
  };
  return {
    rows: (left.at(-2) ?? 0) * (isOneMatrix ? (left.at(-3) ?? 0) : 1),
    columns: right.at(-1) ?? 0,
    left: batches(left),
    right: batches(right),
  };
}

/** Where the kernel looks for what belongs to the `count` rows of one operand, for all products one after the other. */
function lookedUp({ left, right }: Walk, extents: readonly number[], count: number): number[] {
  const places: number[] = [];
  const steps = extents.map((extent) => (extent === 1 ? 0 : count));
  const visit = (axis: number, at: number): void => {
    if (axis === extents.length) {
      for (let i = 0; i < count; i++) places.push(at + i);
      return;
    }
    const extent = Math.max(left[axis] ?? 1, right[axis] ?? 1);
    for (let i = 0; i < extent; i++) visit(axis + 1, at + i * (steps[axis] ?? 0));
  };
  visit(0, 0);
  return places;
}

export const hybridBatchMatMul: HybridKernel = (hybrid) => {
  const { call } = hybrid;
  const { writer, graph, main } = call;
  const [left, right] = main.inputs.map((id) => extentsOf(graph, id));
  if (left === undefined || right === undefined) return undefined;
  const operands = hybridOperands(hybrid, [left.length - 1]);
  if (operands === undefined) return undefined;
  const { x, codes, weights } = operands;
  const walk = walkOf(left, right);
  const y = { value: writer.constant(codes), range: [0, 0] as const };
  const x8 = { value: x.codes, range: [-128, 127] as const };
  const sums = multiplied({ call, main, bias: undefined }, x8, y, right.at(-2) ?? 0, {
    data: codes,
    axis: right.length - 1,
  });
  if (sums === undefined) return undefined;
  const scale = byRow(writer, x.scale, walk, left, right);
  const factors = product(writer, scale, weightScales(writer, weights));
  if (x.zeroPoint === undefined) return product(writer, floatSums(writer, sums), factors);
  const rowSums = byColumn(writer, codes, walk, left, right);
  if (rowSums === undefined) return undefined;
  const zeroPoint = byRow(writer, x.zeroPoint, walk, left, right);
  const centered = less(writer, sums, new Doubles(writer).of(zeroPoint), rowSums);
  return product(writer, floatSums(writer, centered), factors);
};

function less(writer: ModelWriter, { value, bound }: Sums, zeroPoint: Value, rowSums: Value): Sums {
  return { value: writer.op('Sub', [value, writer.op('Mul', [zeroPoint, rowSums])]), bound: 2 * bound };
}

function extentsOf(graph: Graph, id: TensorId | null): readonly number[] | undefined {
  const shape = id === null ? undefined : tensorOf(graph, id).shape;
  const known = shape?.filter((dim) => typeof dim === 'number');
  return known?.length === shape?.length ? known : undefined;
}

/** Batch extents of the products. */
function batchesOf(left: readonly number[], right: readonly number[]): number[] {
  const rank = Math.max(left.length, right.length) - 2;
  const extent = (dims: readonly number[], i: number): number => dims[i - rank + dims.length - 2] ?? 1;
  return Array.from({ length: rank }, (_, i) => Math.max(extent(left, i), extent(right, i)));
}

/** One number for each row of the activation, [..., rows, 1], as the kernel takes them for the products. */
function byRow(
  writer: ModelWriter,
  value: Value,
  walk: Walk,
  left: readonly number[],
  right: readonly number[],
): Value {
  const places = lookedUp(walk, walk.left, walk.rows);
  const isOwn = elementCount(left.slice(0, -1)) === places.length && places.every((place, i) => place === i);
  const isShared = walk.left.every((extent) => extent === 1);
  if (isOwn || isShared) return value;
  const dims = [...batchesOf(left, right), left.at(-2) ?? 0, 1];
  const flat = writer.op('Reshape', [value, writer.literal('int64', [-1], [1])]);
  return writer.op('Gather', [flat, writer.literal('int64', places, dims)], { axis: 0 });
}

const columnSums = new Derived((codes): readonly number[] => {
  const [depth = 0, columns = 0] = codes.dims.slice(-2);
  const values = toFloat32(codes);
  const matrices = depth * columns === 0 ? 0 : values.length / (depth * columns);
  const sums = new Array<number>(matrices * columns).fill(0);
  values.forEach((value, i) => {
    const matrix = Math.floor(i / (depth * columns));
    sums[matrix * columns + (i % columns)]! += value;
  });
  return sums;
});
const ONLY = {};

/** Sums of the columns of the weights, [..., 1, columns]. Undefined where the kernel reads some that it has not computed. */
function byColumn(
  writer: ModelWriter,
  codes: ConstantData,
  walk: Walk,
  left: readonly number[],
  right: readonly number[],
): Value | undefined {
  const sums = columnSums.of(codes, ONLY);
  const { columns } = walk;
  if (walk.right.every((extent) => extent === 1)) return writer.literal('float64', sums, [1, columns]);
  const places = lookedUp(walk, walk.right, columns);
  const computed = elementCount(walk.right.slice(1)) * columns;
  if (places.some((place) => place >= computed)) return undefined;
  const values = places.map((place) => sums[place] ?? 0);
  return writer.literal('float64', values, [...batchesOf(left, right), 1, columns]);
}
