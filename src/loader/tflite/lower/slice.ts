/** Operators that take parts of a tensor, put a part into it, or turn axes around. */
import { elementCount } from '../../../ir/elements.js';
import { inverse, isIdentity } from './layout.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';
import { cast } from './operands.js';
import { writeRanges } from './ranges.js';
import { stridedSlice } from './strided-slice.js';

function split(lowering: Lowering): void {
  const [axis = 0] = lowering.integers(0);
  const layout = lowering.layoutOf(1);
  const dims = lowering.shape(1);
  const at = lowering.axisIn(layout, dims.length, axis);
  const extent = dims[lowering.axisIn('file', dims.length, axis)] ?? 0;
  const part = extent / lowering.outputCount;
  if (!Number.isInteger(part))
    throw new Unlowerable(`an axis of ${extent} in ${lowering.outputCount} equal parts`);
  const sizes = lowering.ints(Array<number>(lowering.outputCount).fill(part));
  lowering.writeAll(layout, 'Split', [lowering.input(1, layout), sizes], { axis: at });
}

function splitV(lowering: Lowering): void {
  const [axis = 0] = lowering.integers(2);
  const layout = lowering.layoutOf(0);
  const dims = lowering.shape(0);
  const at = lowering.axisIn(layout, dims.length, axis);
  const extent = dims[lowering.axisIn('file', dims.length, axis)] ?? 0;
  const given = lowering.integers(1);
  const rest = given.filter((size) => size !== -1).reduce((left, size) => left - size, extent);
  const sizes = given.map((size) => (size === -1 ? rest : size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length !== lowering.outputCount || total !== extent || sizes.some((size) => size < 0))
    throw new Unlowerable(`an axis of ${extent} in parts [${given.join()}]`);
  lowering.writeAll(layout, 'Split', [lowering.input(0, layout), lowering.ints(sizes)], { axis: at });
}

function slice(lowering: Lowering): void {
  if (lowering.constant(1) === undefined) {
    dynamicSlice(lowering);
    return;
  }
  const begin = lowering.integers(1);
  const sizes = lowering.integers(2);
  const ranges = lowering.shape(0).map((extent, axis) => {
    const start = begin[axis] ?? 0;
    const size = sizes[axis] ?? -1;
    const end = size === -1 ? extent : start + size;
    if (start < 0 || end < start || end > extent)
      throw new Unlowerable(`${size} from ${start} of an axis of ${extent}`);
    return { start, end, step: 1 };
  });
  writeRanges(lowering, ranges);
}

/** Where it begins is computed while the network runs. */
function dynamicSlice(lowering: Lowering): void {
  const sizes = lowering.integers(2);
  if (sizes.some((size) => size < 0)) throw new Unlowerable('it reaches to the end from a computed begin');
  const starts = cast(lowering, lowering.input(1, 'file'), lowering.dtype(1), 'int64');
  const ends = lowering.step('Add', [starts, lowering.ints(sizes)]);
  lowering.write(0, 'file', 'Slice', [lowering.input(0, 'file'), starts, ends]);
}

function reverse(lowering: Lowering): void {
  const dims = lowering.shape(0);
  const turned = new Set(lowering.integers(1).map((axis) => lowering.axisIn('file', dims.length, axis)));
  const ranges = dims.map((extent, axis) =>
    turned.has(axis) ? { start: extent - 1, end: -1, step: -1 } : { start: 0, end: extent, step: 1 },
  );
  writeRanges(lowering, ranges);
}

/** ONNX has batch and time in front, in any order. */
function reverseSequence(lowering: Lowering): void {
  const { length } = lowering.shape(0);
  const batch = lowering.axisIn('file', length, lowering.intOption('batchDim'));
  const time = lowering.axisIn('file', length, lowering.intOption('seqDim'));
  const lengths = cast(lowering, lowering.input(1, 'file'), lowering.dtype(1), 'int64');
  const front = [batch, time].sort((a, b) => a - b);
  const others = Array.from({ length }, (_, axis) => axis).filter((axis) => !front.includes(axis));
  const perm = [...front, ...others];
  const attrs = { batch_axis: front.indexOf(batch), time_axis: front.indexOf(time) };
  const data = lowering.permuted(0, perm);
  if (isIdentity(perm)) lowering.write(0, 'file', 'ReverseSequence', [data, lengths], attrs);
  else {
    const reversed = lowering.main('ReverseSequence', [data, lengths], attrs);
    lowering.write(0, 'file', 'Transpose', [reversed], { perm: inverse(perm) });
  }
}

/** Beyond this many indices, the constant that holds them would weigh more than the tensors. */
const MOST_INDICES = 1 << 20;

/**
 * The operand with a part replaced, which begins where the third input says, kept inside. Axes behind the last one that the update
 * does not fill are written as whole slices.
 */
function dynamicUpdateSlice(lowering: Lowering): void {
  const dims = lowering.shape(0);
  const part = lowering.shape(1);
  if (part.length !== dims.length || part.some((extent, axis) => extent > (dims[axis] ?? 0)))
    throw new Unlowerable(`an update of [${part.join()}] in [${dims.join()}]`);
  const depth = Math.max(1, part.findLastIndex((extent, axis) => extent !== dims[axis]) + 1);
  const places = part.slice(0, depth);
  const count = elementCount(places);
  if (count * depth > MOST_INDICES) throw new Unlowerable(`an update of [${part.join()}]`);
  const room = places.map((extent, axis) => (dims[axis] ?? 0) - extent);
  const given = cast(lowering, lowering.input(2, 'file'), lowering.dtype(2), 'int64');
  const starts = lowering.step('Slice', [given, lowering.ints([0]), lowering.ints([depth])]);
  const least = lowering.step('Max', [starts, lowering.ints(room.map(() => 0))]);
  const start = lowering.step('Min', [least, lowering.ints(room)]);
  const grid = lowering.ints(coordinates(places, count), [...places, depth]);
  const indices = lowering.step('Add', [grid, start]);
  const inputs = [lowering.input(0, 'file'), indices, lowering.input(1, 'file')];
  lowering.write(0, 'file', 'ScatterND', inputs);
}

/** Coordinates of all elements of a tensor, row-major. */
function coordinates(dims: readonly number[], count: number): readonly number[] {
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
  return Array.from({ length: count }, (_, i) =>
    dims.map((extent, axis) => Math.floor(i / (strides[axis] ?? 1)) % extent),
  ).flat();
}

export const SLICE_RULES: Readonly<Record<string, Rule>> = {
  SPLIT: split,
  SPLIT_V: splitV,
  SLICE: slice,
  STRIDED_SLICE: stridedSlice,
  REVERSE_V2: reverse,
  REVERSE_SEQUENCE: reverseSequence,
  DYNAMIC_UPDATE_SLICE: dynamicUpdateSlice,
};
