/** Parts of a tensor along its axes, as ONNX Slice. */
import type { TensorId } from '../../../ir/graph.js';
import type { Layout, Lowering } from './lowering.js';

/** Indices start, start + step, ... before `end` along one axis, counted from 0; `end` is -1 to come down to the first. */
export interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Number of indices in the range. */
export function rangeLength({ start, end, step }: Range): number {
  return Math.max(0, Math.ceil((end - start) / step));
}

function isWhole({ start, end, step }: Range, extent: number): boolean {
  return start === 0 && end === extent && step === 1;
}

/** The inputs of Slice for one range per file axis of input `slot` in `layout`; undefined when all are whole. */
export function sliceInputs(
  lowering: Lowering,
  slot: number,
  layout: Layout,
  ranges: readonly Range[],
): readonly TensorId[] | undefined {
  const dims = lowering.shape(slot);
  const cut = ranges.flatMap((range, axis) => {
    const extent = dims[axis] ?? 1;
    if (isWhole(range, extent)) return [];
    const at = { axis: lowering.axisIn(layout, dims.length, axis) };
    if (rangeLength(range) === 0) return [{ ...at, start: 0, end: 0, step: 1 }];
    // ONNX counts a negative end from the back, once: this one stays before the first element.
    return [{ ...at, ...range, end: range.end < 0 ? -extent - 1 : range.end }];
  });
  if (cut.length === 0) return undefined;
  const column = (of: (entry: (typeof cut)[number]) => number): TensorId => lowering.ints(cut.map(of));
  return [
    lowering.input(slot, layout),
    column(({ start }) => start),
    column(({ end }) => end),
    column(({ axis }) => axis),
    column(({ step }) => step),
  ];
}

/** Writes output 0 as those parts of input 0, in the layout that the input has. */
export function writeRanges(lowering: Lowering, ranges: readonly Range[]): void {
  const layout = lowering.layoutOf(0);
  const inputs = sliceInputs(lowering, 0, layout, ranges);
  if (inputs === undefined) lowering.write(0, layout, 'Identity', [lowering.input(0, layout)]);
  else lowering.write(0, layout, 'Slice', inputs);
}
