/**
 * STRIDED_SLICE: numpy's x[begin:end:stride] with masks.
 * tflite/kernels/strided_slice.cc and internal/reference/strided_slice.h of LiteRT.
 */
import { keepsElementOrder } from './element-order.js';
import { Unlowerable, type Lowering } from './lowering.js';
import { rangeLength, sliceInputs, writeRanges, type Range } from './ranges.js';

/** One entry of the specification, with the bits of the masks at its place. */
interface Entry {
  readonly begin: number;
  readonly end: number;
  readonly stride: number;
  readonly fromStart: boolean;
  readonly toEnd: boolean;
  readonly kind: 'range' | 'index' | 'new-axis' | 'ellipsis';
}

/** What the specification makes of the input's axes. */
interface Parts {
  /** One for each axis of the input. */
  readonly ranges: readonly Range[];
  /** Extents of the result, axes taken away and put in. */
  readonly shape: readonly number[];
  /** The result has other axes than the input. */
  readonly isReshaped: boolean;
}

export function stridedSlice(lowering: Lowering): void {
  const dims = lowering.shape(0);
  const { ranges, shape, isReshaped } = partsOf(dims, entriesOf(lowering), lowering.boolOption('offset'));
  if (!isReshaped) {
    writeRanges(lowering, ranges);
    return;
  }
  const own = lowering.layoutOf(0);
  const layout = keepsElementOrder(own, ranges.map(rangeLength)) ? own : 'file';
  const inputs = sliceInputs(lowering, 0, layout, ranges);
  const part = inputs === undefined ? lowering.input(0, layout) : lowering.main('Slice', inputs);
  lowering.write(
    0,
    'file',
    'Reshape',
    [part, lowering.ints(shape)],
    shape.includes(0) ? { allowzero: 1 } : {},
  );
}

function entriesOf(lowering: Lowering): readonly Entry[] {
  const [begin, end, strides] = [1, 2, 3].map((slot) => lowering.integers(slot)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  if (begin.length !== end.length || begin.length !== strides.length || strides.includes(0))
    throw new Unlowerable(`begin [${begin.join()}], end [${end.join()}], strides [${strides.join()}]`);
  const has = (mask: string, i: number): boolean => ((lowering.intOption(mask) >> i) & 1) === 1;
  return begin.map((from, i) => ({
    begin: from,
    end: end[i] ?? 0,
    stride: strides[i] ?? 1,
    fromStart: has('beginMask', i),
    toEnd: has('endMask', i),
    kind: has('ellipsisMask', i)
      ? 'ellipsis'
      : has('newAxisMask', i)
        ? 'new-axis'
        : has('shrinkAxisMask', i)
          ? 'index'
          : 'range',
  }));
}

function partsOf(dims: readonly number[], entries: readonly Entry[], offset: boolean): Parts {
  const ranges: Range[] = [];
  const shape: number[] = [];
  const take = (range: Range): void => {
    ranges.push(range);
    shape.push(rangeLength(range));
  };
  const takeWhole = (count: number): void => {
    for (let i = 0; i < count; i++) take({ start: 0, end: dims[ranges.length] ?? 0, step: 1 });
  };
  const taking = entries.filter(({ kind }) => kind === 'range' || kind === 'index').length;
  const ellipses = entries.filter(({ kind }) => kind === 'ellipsis').length;
  if (taking > dims.length || ellipses > 1)
    throw new Unlowerable(`${taking} ranges and ${ellipses} ellipses for a tensor of rank ${dims.length}`);
  for (const entry of entries) {
    const extent = dims[ranges.length] ?? 0;
    if (entry.kind === 'ellipsis') takeWhole(dims.length - taking);
    else if (entry.kind === 'new-axis') shape.push(1);
    else if (entry.kind === 'index') ranges.push(indexed(entry, extent));
    else take(resolved(entry, extent, offset));
  }
  takeWhole(dims.length - ranges.length);
  return { ranges, shape, isReshaped: entries.some(({ kind }) => kind === 'index' || kind === 'new-axis') };
}

function startOf({ begin, stride, fromStart }: Entry, extent: number): number {
  if (fromStart) return stride > 0 ? 0 : extent - 1;
  return bounded(begin < 0 ? begin + extent : begin, stride, extent);
}

function indexed(entry: Entry, extent: number): Range {
  const start = startOf(entry, extent);
  if (start < 0 || start >= extent) throw new Unlowerable(`index ${entry.begin} of an axis of ${extent}`);
  return { start, end: start + 1, step: 1 };
}

function resolved(entry: Entry, extent: number, offset: boolean): Range {
  const { stride, toEnd } = entry;
  const start = startOf(entry, extent);
  const stop = offset ? entry.end + start : entry.end;
  const end = bounded(stop < 0 ? stop + extent : stop, stride, extent);
  return { start, end: toEnd ? (stride > 0 ? extent : -1) : end, step: stride };
}

function bounded(index: number, stride: number, extent: number): number {
  const [lowest, highest] = stride > 0 ? [0, extent] : [-1, extent - 1];
  return Math.min(Math.max(index, lowest), highest);
}
