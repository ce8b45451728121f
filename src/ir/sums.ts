/**
 * Sums over samples, in float64. Every metric is a function of them, so samples, shards and machines merge exactly.
 */

/** Statistics of the float value x of one edge. */
export interface ValueSums {
  /** Values seen, the non-finite ones included. */
  count: number;
  nonFinite: number;
  /** Σx² of all channels. */
  sumXX: number;
  /** Values outside the representable range of the edge's quantizer. */
  clipped: number;
}

/** The worst single sample by SQNR. */
export interface WorstSample {
  readonly sample: string;
  readonly sumXX: number;
  readonly sumEE: number;
}

/** Error e = y - x of one edge in one comparison; arrays have one entry a channel. */
export interface ErrorSums {
  readonly sumEE: Float64Array;
  readonly sumE: Float64Array;
  readonly maxAbsE: Float64Array;
  /** Σe² over the values that the quantizer clips. */
  clipEE: number;
  /** Values where x or y is not finite: in no other sum. */
  nonFinite: number;
  worst: WorstSample | undefined;
}

export function emptyErrorSums(channels: number): ErrorSums {
  return {
    sumEE: new Float64Array(channels),
    sumE: new Float64Array(channels),
    maxAbsE: new Float64Array(channels),
    clipEE: 0,
    nonFinite: 0,
    worst: undefined,
  };
}

export function total(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** SQNR (dB) = 10 log10(Σx² / Σe²), no epsilon: `exact` when Σe² = 0, absent when Σx² = 0 or not finite. */
export function sqnr(sumXX: number, sumEE: number): { sqnrDb?: number; exact?: true } {
  if (sumEE === 0) return { exact: true };
  const db = 10 * Math.log10(sumXX / sumEE);
  return Number.isFinite(db) ? { sqnrDb: db } : {};
}
