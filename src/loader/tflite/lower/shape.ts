/** Operators that give a tensor another shape or order of axes, or join tensors; elements stay what they are. */
import { elementCount } from '../../../ir/elements.js';
import type { TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { inFileElementOrder, layoutOfAxes, layoutWithout } from './element-order.js';
import { permInto } from './layout.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';
import { cast } from './operands.js';

/**
 * RESHAPE, SQUEEZE, EXPAND_DIMS. The file states the result's extents; where that is not the result of its input (a converter
 * left them out), the new shape itself decides.
 */
function reshape(lowering: Lowering): void {
  const count = elementCount(lowering.shape(0));
  const stated = lowering.outputShape();
  const dims = elementCount(stated) === count ? stated : requestedShape(lowering, count);
  // Without it, an extent of 0 would mean the input's own.
  const attrs = dims.includes(0) ? { allowzero: 1 } : {};
  lowering.write(0, 'file', 'Reshape', [inFileElementOrder(lowering, 0), lowering.ints(dims)], attrs);
}

function requestedShape(lowering: Lowering, count: number): readonly number[] {
  if (lowering.op.op !== 'RESHAPE') throw mismatch(lowering, lowering.outputShape());
  const wanted = lowering.has(1) ? lowering.integers(1) : lowering.option('newShape');
  if (!Array.isArray(wanted)) throw mismatch(lowering, lowering.outputShape());
  const dims = wanted as readonly number[];
  const known = dims.filter((dim) => dim !== -1).reduce((product, dim) => product * dim, 1);
  const resolved = dims.map((dim) => (dim === -1 ? count / known : dim));
  const isShape = resolved.every((dim) => Number.isInteger(dim) && dim >= 0);
  if (!isShape || elementCount(resolved) !== count) throw mismatch(lowering, dims);
  return resolved;
}

function mismatch(lowering: Lowering, wanted: readonly number[]): Unlowerable {
  return new Unlowerable(`shape [${lowering.shape(0).join()}] does not fit [${wanted.join()}]`);
}

/**
 * In the layout in which the result needs no move at all (a picture turned to channels-first by the file itself, and back), else in
 * one move from the input's own: what is turned otherwise is no picture any more.
 */
function transpose(lowering: Lowering): void {
  const rank = lowering.shape(0).length;
  const from = lowering.layoutOf(0);
  const given = lowering.integers(1);
  const perm = given.map((axis) => (axis < 0 ? axis + rank : axis));
  if (perm.length !== rank || new Set(perm).size !== rank || !perm.every((axis) => axis >= 0 && axis < rank))
    throw new Unlowerable(`permutation [${given.join()}] of a tensor of rank ${rank}`);
  const free = layoutOfAxes(permInto(from, rank).map((axis) => perm.indexOf(axis)));
  const data = lowering.input(0, from);
  if (free !== undefined) {
    lowering.write(0, free, 'Identity', [data]);
    return;
  }
  const axes = perm.map((axis) => lowering.axisIn(from, rank, axis));
  lowering.write(0, 'file', 'Transpose', [data], { perm: axes });
}

/** Extents of the file are fixed, so the result is a constant. */
function shape(lowering: Lowering): void {
  writeInts(lowering, lowering.ints(lowering.shape(0)));
}

function rank(lowering: Lowering): void {
  writeInts(lowering, lowering.ints([lowering.shape(0).length], []));
}

function writeInts(lowering: Lowering, values: TensorId): void {
  lowering.write(0, 'file', 'Cast', [values], { to: ONNX_DATA_TYPE[lowering.outputDtype()] });
}

function pack(lowering: Lowering): void {
  const axis = lowering.axisIn('file', lowering.shape(0).length + 1, lowering.intOption('axis'));
  const parts = slots(lowering).map((slot) =>
    lowering.step('Unsqueeze', [lowering.input(slot, 'file'), lowering.ints([axis])]),
  );
  lowering.write(0, 'file', 'Concat', parts, { axis });
}

/** One Gather by a scalar, which takes the axis away, for each result. */
function unpack(lowering: Lowering): void {
  const dims = lowering.shape(0);
  const { length } = dims;
  const axis = lowering.axisIn('file', length, lowering.intOption('axis'));
  if (dims[axis] !== lowering.outputCount)
    throw new Unlowerable(`${lowering.outputCount} results of an axis of ${dims[axis] ?? 0}`);
  const kept = layoutWithout(lowering.layoutOf(0), length, axis);
  const from = kept === undefined ? 'file' : lowering.layoutOf(0);
  const data = lowering.input(0, from);
  for (let i = 0; i < lowering.outputCount; i++) {
    const attrs = { axis: lowering.axisIn(from, length, axis) };
    lowering.write(i, kept ?? 'file', 'Gather', [data, lowering.ints([i], [])], attrs);
  }
}

function concatenation(lowering: Lowering): void {
  const all = slots(lowering);
  const layout = lowering.commonLayout(all);
  const axis = lowering.axisIn(layout, lowering.shape(0).length, lowering.intOption('axis'));
  const inputs = all.map((slot) => lowering.input(slot, layout));
  lowering.writeActivated(0, layout, 'Concat', inputs, { axis });
}

function slots(lowering: Lowering): readonly number[] {
  return Array.from({ length: lowering.inputCount }, (_, slot) => slot);
}

function tile(lowering: Lowering): void {
  if (lowering.constant(1) === undefined) {
    const repeats = cast(lowering, lowering.input(1, 'file'), lowering.dtype(1), 'int64');
    lowering.write(0, 'file', 'Tile', [lowering.input(0, 'file'), repeats]);
    return;
  }
  const layout = lowering.layoutOf(0);
  const repeats = lowering.ints(lowering.inLayout(layout, lowering.integers(1)));
  lowering.write(0, layout, 'Tile', [lowering.input(0, layout), repeats]);
}

function broadcastTo(lowering: Lowering): void {
  const wanted = lowering.constant(1) === undefined ? lowering.outputShape() : lowering.integers(1);
  const isSameRank = wanted.length === lowering.shape(0).length;
  const layout = isSameRank ? lowering.layoutOf(0) : 'file';
  const dims = lowering.ints(lowering.inLayout(layout, wanted));
  lowering.write(0, layout, 'Expand', [lowering.input(0, layout), dims]);
}

/** Far beyond what tensors have: the length of a shape is a number that a file can forge. */
const MOST_AXES = 64;

/** The shape that two shapes broadcast to: of each pair of extents the one that is not 1. */
function broadcastArgs(lowering: Lowering): void {
  const lengths = [0, 1].map((slot) => lowering.shape(slot)[0] ?? 0);
  const longest = Math.max(...lengths);
  if (longest > MOST_AXES) throw new Unlowerable(`shapes of rank ${longest}`);
  const [a, b] = lengths.map((length, slot) => {
    const dims = cast(lowering, lowering.input(slot, 'file'), lowering.dtype(slot), 'int64');
    const ones = lowering.ints(Array<number>(longest - length).fill(1));
    return length === longest ? dims : lowering.step('Concat', [ones, dims], { axis: 0 });
  }) as [TensorId, TensorId];
  const either = lowering.main('Where', [lowering.step('Equal', [a, lowering.ints([1])]), b, a]);
  writeInts(lowering, either);
}

export const SHAPE_RULES: Readonly<Record<string, Rule>> = {
  RESHAPE: reshape,
  SQUEEZE: reshape,
  EXPAND_DIMS: reshape,
  TRANSPOSE: transpose,
  SHAPE: shape,
  RANK: rank,
  PACK: pack,
  UNPACK: unpack,
  CONCATENATION: concatenation,
  TILE: tile,
  BROADCAST_TO: broadcastTo,
  BROADCAST_ARGS: broadcastArgs,
};
