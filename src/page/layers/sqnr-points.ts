/** SQNR as a drawing needs it: which values there are, where they lie, and what stands for many layers in few pixels. */
import type { Layer, Series } from './layer.js';

/** What is higher tells nothing more: below a part in 100,000 of the signal. It would press all else to the bottom. */
const HIGHEST_DB = 100;
const LOWEST_DB = -60;

export interface DecibelScale {
  /** Ends of the axis, dB. */
  readonly low: number;
  readonly high: number;
  /** Where exact values lie, and those above the axis; absent where there are none. */
  readonly lane?: { readonly y: number; readonly label: string };
}

/** `sqnrDb` is absent where it is exact, or has no value. */
export interface Decibels {
  readonly sqnrDb?: number;
  readonly exact?: true;
}

/** An axis that holds 0 dB, where noise is as large as the signal, and all values but those that are out of the ordinary. */
export function decibelScale(measured: readonly (Decibels | undefined)[]): DecibelScale {
  let [low, high, above, exact] = [0, 20, false, false];
  for (const value of measured) {
    if (value?.exact === true) exact = true;
    const db = finite(value?.sqnrDb);
    if (db === undefined) continue;
    if (db > HIGHEST_DB) above = true;
    else high = Math.max(high, db);
    low = Math.min(low, Math.max(db, LOWEST_DB));
  }
  [low, high] = [10 * Math.floor(low / 10), 10 * Math.ceil(high / 10)];
  if (!exact && !above) return { low, high };
  const label = [...(exact ? ['exact'] : []), ...(above ? [`> ${HIGHEST_DB}`] : [])].join(', ');
  return { low, high, lane: { y: high + 0.08 * (high - low), label } };
}

/** Height of a value on the axis, dB; undefined for what has none. */
export function heightOf(value: Decibels | undefined, { low, high, lane }: DecibelScale): number | undefined {
  if (value?.exact === true) return lane?.y ?? high;
  const db = finite(value?.sqnrDb);
  if (db === undefined) return undefined;
  return db > HIGHEST_DB ? (lane?.y ?? high) : Math.max(db, low);
}

/** A document may hold text where a number should be. */
function finite(value: number | undefined): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

/** Layers that share a place on the x axis. */
export interface Bucket {
  /** Positions of the first and of the last layer, counted from 0. */
  readonly first: number;
  readonly last: number;
}

/** As many layers per bucket as give each bucket `least` pixels; one where there is room. */
export function bucketsOf(layers: number, width: number, least: number): Bucket[] {
  const size = Math.max(1, Math.ceil((least * layers) / Math.max(width, 1)));
  return Array.from({ length: Math.ceil(layers / size) }, (_, i) => ({
    first: i * size,
    last: Math.min(layers, (i + 1) * size) - 1,
  }));
}

export interface BucketPoint {
  /** Middle of the bucket, in layers. */
  readonly x: number;
  /** Lowest and highest, dB on the axis; NaN where no layer of the bucket has a value, so that lines have a gap there. */
  readonly y: number;
  readonly top: number;
}

export function bucketPoints(
  layers: readonly Layer[],
  series: Series,
  buckets: readonly Bucket[],
  scale: DecibelScale,
): BucketPoint[] {
  return buckets.map(({ first, last }) => {
    let [y, top] = [NaN, NaN];
    for (let i = first; i <= last; i++) {
      const height = heightOf(layers[i]?.activation[series], scale);
      if (height === undefined) continue;
      y = Number.isNaN(y) ? height : Math.min(y, height);
      top = Number.isNaN(top) ? height : Math.max(top, height);
    }
    return { x: (first + last) / 2, y, top };
  });
}

/** Points without a neighbour, which no line shows. */
export function lonePoints(points: readonly BucketPoint[]): BucketPoint[] {
  return points.filter(
    ({ y }, i) =>
      !Number.isNaN(y) && Number.isNaN(points[i - 1]?.y ?? NaN) && Number.isNaN(points[i + 1]?.y ?? NaN),
  );
}
