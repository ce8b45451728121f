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

/** Batch dimensions of either operand of the kernel. */
const BATCH_DIMS = 3;

/** The products as the kernel walks them. */
interface Walk {
  /** Rows and columns of one product. */
  readonly rows: number;
  readonly columns: number;
  /** Batch extents of the activation and of the weights. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** Extents of what has one number for each row, and for each column, of all products. */
  readonly byRow: readonly number[];
  readonly byColumn: readonly number[];
}

/** `left` is [..., rows, depth], `right` is [..., depth, columns]. Several batches of one matrix are one product of all their rows. */
function walkOf(left: readonly number[], right: readonly number[]): Walk {
  const isOneMatrix = left.length > 2 && right.length > 2 && right.at(-3) === 1;
  const behind = isOneMatrix ? 3 : 2;
  const padded = (dims: readonly number[], rank: number): number[] => {
    const own = dims.slice(0, -behind);
    return [...Array<number>(rank - own.length).fill(1), ...own];
  };
  const rank = Math.max(left.length, right.length) - behind;
  const batches = padded(left, rank).map((extent, i) => Math.max(extent, padded(right, rank)[i] ?? 1));
  const rows = left.slice(-behind, -1);
  const columns = right.at(-1) ?? 0;
  return {
    rows: elementCount(rows),
    columns,
    left: padded(left, BATCH_DIMS),
    right: padded(right, BATCH_DIMS),
    byRow: [...batches, ...rows, 1],
    byColumn: [...batches, ...rows.map(() => 1), columns],
  };
}

/** Where the kernel looks for what belongs to the `count` rows or columns of one operand, product after product. */
function lookedUp({ left, right }: Walk, extents: readonly number[], count: number): number[] {
  const products = left.reduce<number[]>(
    (starts, extent, axis) => {
      const step = extents[axis] === 1 ? 0 : count;
      const indices = Array.from({ length: Math.max(extent, right[axis] ?? 1) }, (_, i) => i * step);
      return starts.flatMap((start) => indices.map((index) => start + index));
    },
    [0],
  );
  return products.flatMap((start) => Array.from({ length: count }, (_, i) => start + i));
}

export const hybridBatchMatMul: HybridKernel = (hybrid) => {
  const { call } = hybrid;
  const { writer, graph, main } = call;
  const [left, right] = main.inputs.map((id) => extentsOf(graph, id));
  if (left === undefined || right === undefined) return undefined;
  const operands = hybridOperands(hybrid, [left.length - 1]);
  if (operands === undefined) return undefined;
  const { x, codes, weights } = operands;
  const sums = multiplied(
    { call, main, bias: undefined },
    { value: x.codes, range: [-128, 127] },
    { value: writer.constant(codes), range: [0, 0] },
    right.at(-2) ?? 0,
    { data: codes, axis: right.length - 1 },
  );
  if (sums === undefined) return undefined;
  const walk = walkOf(left, right);
  const factors = product(writer, ofRows(writer, x.scale, walk), weightScales(writer, weights));
  if (x.zeroPoint === undefined) return product(writer, floatSums(writer, sums), factors);
  const columnSums = sumsOfColumns(writer, codes, walk);
  if (columnSums === undefined) return undefined;
  const zeroPoint = new Doubles(writer).of(ofRows(writer, x.zeroPoint, walk));
  const value = writer.op('Sub', [sums.value, writer.op('Mul', [zeroPoint, columnSums])]);
  return product(writer, floatSums(writer, { value, bound: 2 * sums.bound }), factors);
};

function extentsOf(graph: Graph, id: TensorId | null): readonly number[] | undefined {
  const shape = id === null ? undefined : tensorOf(graph, id).shape;
  const known = shape?.filter((dim) => typeof dim === 'number');
  return known?.length === shape?.length ? known : undefined;
}

/** One number for each row of the activation, as the kernel takes them for the products. */
function ofRows(writer: ModelWriter, value: Value, walk: Walk): Value {
  const { rows, left, byRow } = walk;
  const places = lookedUp(walk, left, rows);
  const isOwn = elementCount(left) * rows === places.length && places.every((place, i) => place === i);
  if (isOwn || elementCount(left) === 1) return value;
  const flat = writer.op('Reshape', [value, writer.literal('int64', [-1], [1])]);
  return writer.op('Gather', [flat, writer.literal('int64', places, byRow)], { axis: 0 });
}

const ONLY = {};
const columnSumsOf = new Derived((codes): readonly number[] => {
  const [depth = 0, columns = 0] = codes.dims.slice(-2);
  const sums = new Array<number>(elementCount(codes.dims.slice(0, -2)) * columns).fill(0);
  toFloat32(codes).forEach((code, i) => {
    const matrix = Math.floor(i / (depth * columns));
    sums[matrix * columns + (i % columns)]! += code;
  });
  return sums;
});

/** Of the weights, as the kernel takes them for the products; undefined where it takes some that it has not computed. */
function sumsOfColumns(writer: ModelWriter, codes: ConstantData, walk: Walk): Value | undefined {
  const { columns, right, byColumn } = walk;
  const sums = columnSumsOf.of(codes, ONLY);
  if (elementCount(right) === 1) return writer.literal('float64', sums, [1, columns]);
  const places = lookedUp(walk, right, columns);
  const computed = elementCount(right.slice(1)) * columns;
  if (places.some((place) => place >= computed)) return undefined;
  return writer.literal(
    'float64',
    places.map((place) => sums[place] ?? 0),
    byColumn,
  );
}
