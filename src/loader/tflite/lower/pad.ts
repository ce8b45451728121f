/** Operators that put elements around a tensor. */
import type { DType, TensorId } from '../../../ir/graph.js';
import { Unlowerable, type Layout, type Lowering, type Rule } from './lowering.js';
import { cast, computedIn, writeFrom } from './operands.js';

/** Types of ONNX Runtime's Pad. */
const PADDED: ReadonlySet<DType> = new Set([
  'float32',
  'float64',
  'float16',
  'int8',
  'uint8',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'bool',
]);

/** Elements before and after along one axis. */
interface Padding {
  readonly before: number;
  readonly after: number;
}

/** Paddings of the second input, [rank, 2], per file axis. */
function paddingsOf(lowering: Lowering): readonly Padding[] {
  const values = lowering.integers(1);
  const dims = lowering.shape(0);
  if (values.length !== 2 * dims.length || values.some((value) => value < 0))
    throw new Unlowerable(`paddings [${values.join()}] of a tensor of rank ${dims.length}`);
  return dims.map((_, axis) => ({ before: values[2 * axis] ?? 0, after: values[2 * axis + 1] ?? 0 }));
}

/** ONNX has all that come before, then all that come after. */
function padsIn(lowering: Lowering, layout: Layout, paddings: readonly Padding[]): TensorId {
  const moved = lowering.inLayout(layout, paddings);
  return lowering.ints([...moved.map(({ before }) => before), ...moved.map(({ after }) => after)]);
}

/** PAD with zeros, PADV2 with a value. Codes are padded with the zero point, whose value is 0. */
function pad(lowering: Lowering): void {
  const dtype = lowering.dtype(0);
  const computed = computedIn(dtype, PADDED);
  const isStatic = lowering.constant(1) !== undefined;
  const layout = isStatic ? lowering.layoutOf(0) : 'file';
  const pads = isStatic ? padsIn(lowering, layout, paddingsOf(lowering)) : computedPads(lowering);
  const data = cast(lowering, lowering.input(0, layout), dtype, computed);
  const inputs = lowering.has(2) ? [data, pads, padValue(lowering, computed)] : [data, pads];
  writeFrom(lowering, computed, layout, 'Pad', inputs);
}

/** A scalar, which the file may have as a tensor of one element. */
function padValue(lowering: Lowering, computed: DType): TensorId {
  const value = lowering.input(2, 'file');
  const scalar =
    lowering.shape(2).length === 0 ? value : lowering.step('Reshape', [value, lowering.ints([])]);
  return cast(lowering, scalar, lowering.dtype(2), computed);
}

/** [rank, 2] in the file, one row after the other in ONNX. */
function computedPads(lowering: Lowering): TensorId {
  const rows = lowering.step('Transpose', [lowering.input(1, 'file')], { perm: [1, 0] });
  const flat = lowering.step('Reshape', [rows, lowering.ints([-1])]);
  return cast(lowering, flat, lowering.dtype(1), 'int64');
}

/** Extents that a file can forge do not become lists of indices. */
const MOST_INDICES = 1 << 20;

/** SYMMETRIC, which repeats the outermost element, is nothing that Pad does: the mirrored indices are gathered axis by axis. */
function mirrorPad(lowering: Lowering): void {
  const paddings = paddingsOf(lowering);
  const dims = lowering.shape(0);
  const layout = lowering.layoutOf(0);
  const isSymmetric = lowering.option('mode') === 'SYMMETRIC';
  const room = isSymmetric ? 0 : 1;
  paddings.forEach(({ before, after }, axis) => {
    const extent = dims[axis] ?? 0;
    if (Math.max(before, after) > extent - room || (isSymmetric && extent > MOST_INDICES))
      throw new Unlowerable(`${before} before and ${after} after mirrored from an axis of ${extent}`);
  });
  if (isSymmetric) {
    mirrorByGather(lowering, layout, paddings);
    return;
  }
  const dtype = lowering.dtype(0);
  const computed = computedIn(dtype, PADDED);
  const data = cast(lowering, lowering.input(0, layout), dtype, computed);
  writeFrom(lowering, computed, layout, 'Pad', [data, padsIn(lowering, layout, paddings)], {
    mode: 'reflect',
  });
}

function mirrorByGather(lowering: Lowering, layout: Layout, paddings: readonly Padding[]): void {
  const dims = lowering.shape(0);
  const gathers = paddings.flatMap(({ before, after }, axis) => {
    if (before + after === 0) return [];
    const extent = dims[axis] ?? 0;
    const indices = Array.from({ length: before + extent + after }, (_, i) =>
      i < before ? before - 1 - i : i < before + extent ? i - before : 2 * extent + before - 1 - i,
    );
    return [{ indices, axis: lowering.axisIn(layout, dims.length, axis) }];
  });
  const last = gathers.pop();
  const data = gathers.reduce(
    (from, { indices, axis }) => lowering.step('Gather', [from, lowering.ints(indices)], { axis }),
    lowering.input(0, layout),
  );
  if (last === undefined) lowering.write(0, layout, 'Identity', [data]);
  else lowering.write(0, layout, 'Gather', [data, lowering.ints(last.indices)], { axis: last.axis });
}

export const PAD_RULES: Readonly<Record<string, Rule>> = {
  PAD: pad,
  PADV2: pad,
  MIRROR_PAD: mirrorPad,
};
