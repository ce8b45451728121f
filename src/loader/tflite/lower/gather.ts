/** Operators that pick elements by indices, or put them where indices say. */
import type { DType, TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { layoutWithout } from './element-order.js';
import { Unlowerable, type Layout, type Lowering, type Rule } from './lowering.js';
import { cast, CHOSEN_TYPES, computedIn, refuseCodes, writeFrom } from './operands.js';

/** Types of ONNX Runtime's TopK, and of those in which ScatterND sums. */
const RANKED: ReadonlySet<DType> = new Set([
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
]);
const SUMMED: ReadonlySet<DType> = new Set(['float32', 'float64', 'int32', 'int64']);

function gather(lowering: Lowering): void {
  const rank = lowering.shape(0).length;
  const indexRank = lowering.shape(1).length;
  const axis = lowering.axisIn('file', rank, lowering.intOption('axis'));
  const given = lowering.intOption('batchDims');
  const batchDims = given < 0 ? given + indexRank : given;
  if (batchDims !== 0) {
    batchedGather(lowering, axis, batchDims);
    return;
  }
  const own = lowering.layoutOf(0);
  // A list of indices leaves the axes where they are, a single one takes an axis away.
  const kept = indexRank === 1 ? own : indexRank === 0 ? layoutWithout(own, rank, axis) : undefined;
  const from: Layout = kept === undefined ? 'file' : own;
  const dtype = lowering.dtype(1);
  const indices = cast(lowering, lowering.input(1, 'file'), dtype, dtype === 'int32' ? dtype : 'int64');
  const inputs = [lowering.input(0, from), indices];
  lowering.write(0, kept ?? 'file', 'Gather', inputs, { axis: lowering.axisIn(from, rank, axis) });
}

/**
 * Each batch by its own indices: GatherND, which wants the axis right behind the batch and gives what the indices pick there; the
 * axes between the two are brought behind and back.
 */
function batchedGather(lowering: Lowering, axis: number, batchDims: number): void {
  const rank = lowering.shape(0).length;
  const picked = lowering.shape(1).length - batchDims;
  if (batchDims < 0 || batchDims > axis || picked < 0)
    throw new Unlowerable(`axis ${axis} of batches over ${batchDims} axes`);
  const axes = Array.from({ length: rank }, (_, i) => i);
  const perm = [...axes.slice(0, batchDims), axis, ...axes.slice(batchDims).filter((i) => i !== axis)];
  const column = lowering.step('Unsqueeze', [wideIndices(lowering, 1), lowering.ints([-1])]);
  const inputs = [lowering.permuted(0, perm), column];
  const between = axis - batchDims;
  if (between === 0 || picked === 0) {
    lowering.write(0, 'file', 'GatherND', inputs, { batch_dims: batchDims });
    return;
  }
  const gathered = lowering.main('GatherND', inputs, { batch_dims: batchDims });
  const placed = Array.from({ length: rank - 1 + picked }, (_, i) => i);
  const back = [
    ...placed.slice(0, batchDims),
    ...placed.slice(batchDims + picked, batchDims + picked + between),
    ...placed.slice(batchDims, batchDims + picked),
    ...placed.slice(batchDims + picked + between),
  ];
  lowering.write(0, 'file', 'Transpose', [gathered], { perm: back });
}

function wideIndices(lowering: Lowering, slot: number): TensorId {
  return cast(lowering, lowering.input(slot, 'file'), lowering.dtype(slot), 'int64');
}

function gatherNd(lowering: Lowering): void {
  lowering.write(0, 'file', 'GatherND', [lowering.input(0, 'file'), wideIndices(lowering, 1)]);
}

/** Updates that hit the same place add up. */
function scatterNd(lowering: Lowering): void {
  const dims = lowering.constant(2) === undefined ? lowering.outputShape() : lowering.integers(2);
  sumInto(lowering, dims, wideIndices(lowering, 0), 1);
}

/** Rows of the same segment add up; how many segments there are is known where the ids are. */
function segmentSum(lowering: Lowering): void {
  const segments = lowering.integers(1);
  const dims = [(segments.at(-1) ?? -1) + 1, ...lowering.shape(0).slice(1)];
  sumInto(lowering, dims, lowering.ints(segments, [segments.length, 1]), 0);
}

function sumInto(lowering: Lowering, dims: readonly number[], indices: TensorId, updates: number): void {
  // Codes would be added up with their zero points.
  refuseCodes(lowering, [updates]);
  const computed = computedIn(lowering.dtype(updates), SUMMED);
  const zeros = cast(lowering, lowering.step('ConstantOfShape', [lowering.ints(dims)]), 'float32', computed);
  const values = cast(lowering, lowering.input(updates, 'file'), lowering.dtype(updates), computed);
  writeFrom(lowering, computed, 'file', 'ScatterND', [zeros, indices, values], { reduction: 'add' });
}

/** By comparison: OneHot of ONNX counts negative indices from the back, where TFLite has none that match. */
function oneHot(lowering: Lowering): void {
  const rank = lowering.shape(0).length + 1;
  const axis = lowering.axisIn('file', rank, lowering.intOption('axis'));
  const [depth = 0] =
    lowering.constant(1) === undefined ? [lowering.outputShape()[axis]] : lowering.integers(1);
  const indices = lowering.step('Unsqueeze', [wideIndices(lowering, 0), lowering.ints([axis])]);
  const behind = Array<number>(rank - 1 - axis).fill(1);
  const classes = lowering.step('Reshape', [upTo(lowering, depth), lowering.ints([-1, ...behind])]);
  choose(lowering, lowering.main('Equal', [indices, classes]), [scalar(lowering, 2), scalar(lowering, 3)]);
}

/** A tensor of one element as a scalar. */
function scalar(lowering: Lowering, slot: number): TensorId {
  const value = lowering.input(slot, 'file');
  return lowering.shape(slot).length === 0 ? value : lowering.step('Reshape', [value, lowering.ints([])]);
}

/** 0, 1, ... as many as the extent; made while the network runs, since a file can forge it. */
function upTo(lowering: Lowering, extent: number): TensorId {
  return lowering.step('Range', [
    lowering.ints([0], []),
    lowering.ints([extent], []),
    lowering.ints([1], []),
  ]);
}

/** Output 0: elements of the first tensor where the condition holds, else of the second; both of the output's type. */
function choose(lowering: Lowering, condition: TensorId, [yes, no]: readonly [TensorId, TensorId]): void {
  const dtype = lowering.outputDtype();
  const computed = computedIn(dtype, CHOSEN_TYPES);
  const operands = [yes, no].map((value) => cast(lowering, value, dtype, computed));
  writeFrom(lowering, computed, 'file', 'Where', [condition, ...operands]);
}

/** Equal elements come in the order of their indices in both. */
function topK(lowering: Lowering): void {
  const [k = 0] =
    lowering.constant(1) === undefined ? lowering.outputShape().slice(-1) : lowering.integers(1);
  const dtype = lowering.dtype(0);
  const computed = computedIn(dtype, RANKED);
  const layout = lowering.layoutOf(0);
  const axis = lowering.axisIn(layout, lowering.shape(0).length, -1);
  const data = cast(lowering, lowering.input(0, layout), dtype, computed);
  const inputs = [data, lowering.ints([Math.max(0, k)])];
  const [values, indices] = lowering.steps('TopK', inputs, { axis }, 2) as [TensorId, TensorId];
  writeFrom(lowering, computed, layout, 'Identity', [values]);
  lowering.write(1, layout, 'Cast', [indices], { to: ONNX_DATA_TYPE[lowering.outputDtype(1)] });
}

function embeddingLookup(lowering: Lowering): void {
  const inputs = [lowering.input(1, 'file'), lowering.input(0, 'file')];
  lowering.write(0, 'file', 'Gather', inputs, { axis: 0 });
}

/** True on the main diagonal of a matrix. */
function diagonal(lowering: Lowering, rows: number, columns: number): TensorId {
  const down = lowering.step('Unsqueeze', [upTo(lowering, rows), lowering.ints([1])]);
  return lowering.step('Equal', [down, upTo(lowering, columns)]);
}

/** The vectors along the last axis as diagonals of matrices that are 0 elsewhere. */
function matrixDiag(lowering: Lowering): void {
  // Beside the diagonal stand codes of 0, whose value may be any.
  refuseCodes(lowering, [0]);
  const extent = lowering.shape(0).at(-1) ?? 1;
  const zero = cast(lowering, lowering.floats([0], []), 'float32', lowering.outputDtype());
  const vectors = lowering.step('Unsqueeze', [lowering.input(0, 'file'), lowering.ints([-1])]);
  choose(lowering, diagonal(lowering, extent, extent), [vectors, zero]);
}

/** Matrices with their diagonals replaced; a diagonal is as long as the shorter side. */
function matrixSetDiag(lowering: Lowering): void {
  const [rows = 1, columns = 1] = lowering.shape(0).slice(-2);
  const along = rows <= columns ? -1 : -2;
  const diagonals = lowering.step('Unsqueeze', [lowering.input(1, 'file'), lowering.ints([along])]);
  choose(lowering, diagonal(lowering, rows, columns), [diagonals, lowering.input(0, 'file')]);
}

export const GATHER_RULES: Readonly<Record<string, Rule>> = {
  GATHER: gather,
  GATHER_ND: gatherNd,
  SCATTER_ND: scatterNd,
  SEGMENT_SUM: segmentSum,
  ONE_HOT: oneHot,
  TOPK_V2: topK,
  EMBEDDING_LOOKUP: embeddingLookup,
  MATRIX_DIAG: matrixDiag,
  MATRIX_SET_DIAG: matrixSetDiag,
};
