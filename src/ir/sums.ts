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

/** Samples with the lowest SQNR that are kept. */
const WORST_SAMPLES = 5;

/** A single sample that is among the worst by SQNR. */
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
  /** Lowest SQNR first, at most `WORST_SAMPLES` with a signal and before them one without; `addWorst` keeps it so. */
  readonly worst: WorstSample[];
}

export function emptyErrorSums(channels: number): ErrorSums {
  return {
    sumEE: new Float64Array(channels),
    sumE: new Float64Array(channels),
    maxAbsE: new Float64Array(channels),
    clipEE: 0,
    nonFinite: 0,
    worst: [],
  };
}

/**
 * Puts a sample among the worst if it belongs there. Of equal ones the first stays first: lists merge into one by adding the samples
 * of the second, in their order, to those of the first, if the first's samples came before.
 */
export function addWorst(worst: WorstSample[], sample: WorstSample): void {
  if (!(sample.sumEE > 0)) return;
  // Any number of samples without a signal are equally bad, and have no SQNR to tell: one of them says so.
  if (sample.sumXX === 0 && worst[0]?.sumXX === 0) return;
  const better = worst.findIndex((kept) => isWorse(sample, kept));
  if (better >= 0) worst.splice(better, 0, sample);
  else worst.push(sample);
  const most = WORST_SAMPLES + (worst[0]?.sumXX === 0 ? 1 : 0);
  if (worst.length > most) worst.pop();
}

/** Compared as ratios without dividing: a sample without signal is worse than any with signal. */
function isWorse(a: WorstSample, b: WorstSample): boolean {
  return a.sumEE * b.sumXX > b.sumEE * a.sumXX;
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
