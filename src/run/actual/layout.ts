/** In which order of axes a tensor was dumped: runtimes keep channels last that the file has first, and the other way round. */
import type { View } from '../../ir/view.js';
import type { Values } from '../other/sums.js';

/** Places at which two tensors are compared to find out. */
const PLACES = 4096;
/** Beyond so many axes, only the order of the file is tried. */
const MOST_AXES = 4;
/** An order at least this good needs no other. */
const PLAIN = 0.9;
/** Another order has to be this good, and so much better. */
const CLEAR = 0.8;
const MARGIN = 0.1;

export interface Layout {
  /** From the order of the dump to that of the tensor; absent where they are the same. */
  readonly view?: View;
  /** The axes of the file in the order of the dump, where that is another. */
  readonly axes?: readonly number[];
}

/**
 * @param values as dumped, of one sample
 * @param dumped dims of one sample in the dump
 * @param wanted the simulated values
 * @param dims of those
 * @param fileAxes axis k of the file is axis `fileAxes[k]` of those; as they are when absent
 * @returns the order of the file unless another fits the simulation clearly better, or the extents leave no choice
 */
export function layoutOf(
  values: Values,
  dumped: readonly number[],
  wanted: Values,
  dims: readonly number[],
  fileAxes: readonly number[] = dims.map((_, axis) => axis),
): Layout {
  const plain = fileAxes.filter((axis) => dims[axis] !== 1);
  const own = orderedDims(plain, dims).join();
  const given = dumped.filter((dim) => dim !== 1);
  // A flattened dump tells no order by its extents; neither does one of other extents.
  const isOpen = sorted(given).join() !== sorted(orderedDims(plain, dims)).join();
  const fits = (order: readonly number[]): boolean =>
    isOpen || orderedDims(order, dims).join() === given.join();
  const places = placesIn(wanted.length);
  const likeness = (order: readonly number[]): number => correlation(values, wanted, dims, order, places);

  const plainLikeness = isOpen || own === given.join() ? likeness(plain) : undefined;
  if (plainLikeness !== undefined && !(plainLikeness < PLAIN)) return layout(plain, plain, dims, fileAxes);
  const others = plain.length > MOST_AXES ? [] : permutations(plain).filter(fits);
  let best = plain;
  let bestLikeness = plainLikeness ?? -Infinity;
  for (const order of others) {
    const found = likeness(order);
    if (found > bestLikeness || (bestLikeness === -Infinity && best === plain)) {
      best = order;
      bestLikeness = Number.isNaN(found) ? -Infinity : found;
    }
  }
  const isClear = bestLikeness >= CLEAR && bestLikeness >= (plainLikeness ?? 0) + MARGIN;
  return layout(plainLikeness === undefined || isClear ? best : plain, plain, dims, fileAxes);
}

function layout(
  order: readonly number[],
  plain: readonly number[],
  dims: readonly number[],
  fileAxes: readonly number[],
): Layout {
  const own = [...order].sort((a, b) => a - b);
  const view =
    order.join() === own.join()
      ? {}
      : { view: { dims: orderedDims(order, dims), perm: own.map((axis) => order.indexOf(axis)) } };
  return {
    ...view,
    ...(order.join() === plain.join() ? {} : { axes: order.map((axis) => fileAxes.indexOf(axis)) }),
  };
}

function orderedDims(order: readonly number[], dims: readonly number[]): number[] {
  return order.map((axis) => dims[axis] ?? 1);
}

function sorted(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function permutations(items: readonly number[]): number[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

/** Spread over a tensor with a step that shares no factor with usual extents. */
function placesIn(count: number): Uint32Array {
  if (count <= PLACES) return Uint32Array.from({ length: count }, (_, i) => i);
  return Uint32Array.from({ length: PLACES }, (_, i) => Math.floor(((i * 0.6180339887498949) % 1) * count));
}

/** Pearson correlation of finite values at the places of a tensor; NaN when one of the two does not vary there. */
function correlation(
  values: Values,
  wanted: Values,
  dims: readonly number[],
  order: readonly number[],
  places: Uint32Array,
): number {
  const strides = new Array<number>(dims.length).fill(0);
  let stride = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = stride;
    stride *= dims[axis] ?? 1;
  }
  const pairs: [number, number][] = [];
  for (const place of places) {
    let rest = place;
    let from = 0;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const extent = dims[axis] ?? 1;
      from += (rest % extent) * (strides[axis] ?? 0);
      rest = Math.floor(rest / extent);
    }
    const [a, b] = [values[from]!, wanted[place]!];
    if (Number.isFinite(a) && Number.isFinite(b)) pairs.push([a, b]);
  }
  const mean = (k: 0 | 1): number => pairs.reduce((sum, pair) => sum + pair[k], 0) / pairs.length;
  const [meanA, meanB] = [mean(0), mean(1)];
  let [aa, bb, ab] = [0, 0, 0];
  for (const [a, b] of pairs) {
    aa += (a - meanA) ** 2;
    bb += (b - meanB) ** 2;
    ab += (a - meanA) * (b - meanB);
  }
  return ab / Math.sqrt(aa * bb);
}
