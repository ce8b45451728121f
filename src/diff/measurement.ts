/**
 * Sums -> measurements. A metric that has no value is absent: never 0, never NaN.
 *
 * SQNR (dB) = 10 log10(Σx² / Σe²), energies pooled over samples, no epsilon. Higher is better. `exact` when Σe² = 0; absent
 * when Σx² = 0 or nothing finite was seen.
 */
import { sqnr, total, type ErrorSums, type ValueSums } from '../ir/sums.js';

export interface WorstChannel {
  readonly channel: number;
  readonly sqnrDb: number;
}

export interface ErrorMeasurement {
  readonly sqnrDb?: number;
  /** Not one value differs. */
  readonly exact?: true;
  readonly worstSqnrDb?: number;
  /** The sample with the lowest SQNR. */
  readonly worstSample?: string;
  /** Samples with the lowest SQNR, lowest first, at most 5; none without a signal. */
  readonly worstSamples?: readonly { readonly sample: string; readonly sqnrDb: number }[];
  readonly mse: number;
  readonly maxAbsError: number;
  /** Mean of e: what the quantized tensor is too high on average. */
  readonly bias: number;
  /** Share of float values outside the representable range of the edge's quantizer. */
  readonly clippedShare: number;
  /** Shares of Σe²: on values that the quantizer clips, and on all others. They add to 1. */
  readonly noise: { readonly clip: number; readonly round: number };
  /** Share of Σe² that a constant shift by `bias` explains. */
  readonly biasShare: number;
  /** Share of Σe² that a constant shift of each channel by itself explains; absent for one channel. */
  readonly channelBiasShare?: number;
  readonly nonFinite: number;
  readonly worstChannel?: WorstChannel;
}

/** `channelXX`: Σx² of each channel over the same samples; without it there is no worst channel. */
export function measurementOf(
  value: ValueSums,
  error: ErrorSums,
  channelXX?: Float64Array,
): ErrorMeasurement | undefined {
  const count = value.count - error.nonFinite;
  if (count <= 0) return undefined;
  const sumEE = total(error.sumEE);
  const maxAbsError = error.maxAbsE.reduce((a, b) => Math.max(a, b), 0);
  const bias = total(error.sumE) / count;
  const clip = sumEE === 0 ? 0 : Math.min(1, error.clipEE / sumEE);
  const channel = channelXX === undefined ? undefined : worstChannelOf(channelXX, error.sumEE);
  return {
    // Beside values of 1e38, squares of errors near 1 are nothing; that is neither a number nor exact.
    // Values that only one of the two has as numbers are a difference that no sum holds.
    ...((sumEE === 0 && maxAbsError > 0) || (sumEE === 0 && error.nonFinite > value.nonFinite)
      ? {}
      : sqnr(value.sumXX, sumEE)),
    ...worstOf(error.worst),
    mse: sumEE / count,
    maxAbsError,
    bias,
    clippedShare: value.clipped / count,
    noise: { clip, round: sumEE === 0 ? 0 : 1 - clip },
    biasShare: sumEE === 0 ? 0 : Math.min(1, (bias * bias * count) / sumEE),
    ...channelBias(error, count, sumEE),
    nonFinite: error.nonFinite,
    ...(channel === undefined ? {} : { worstChannel: channel }),
  };
}

function channelBias(
  { sumE }: ErrorSums,
  count: number,
  sumEE: number,
): Pick<ErrorMeasurement, 'channelBiasShare'> {
  if (sumE.length < 2 || sumEE === 0) return {};
  const explained = sumE.reduce((sum, e) => sum + (e * e * sumE.length) / count, 0);
  return { channelBiasShare: Math.min(1, explained / sumEE) };
}

function worstOf(
  worst: ErrorSums['worst'],
): Pick<ErrorMeasurement, 'worstSqnrDb' | 'worstSample' | 'worstSamples'> {
  const [first] = worst;
  if (first === undefined) return {};
  const samples = worst.flatMap(({ sample, sumXX, sumEE }) => {
    const { sqnrDb } = sqnr(sumXX, sumEE);
    return sqnrDb === undefined ? [] : [{ sample, sqnrDb }];
  });
  const { sqnrDb } = sqnr(first.sumXX, first.sumEE);
  return {
    ...(sqnrDb === undefined ? {} : { worstSqnrDb: sqnrDb }),
    worstSample: first.sample,
    ...(samples.length === 0 ? {} : { worstSamples: samples }),
  };
}

/**
 * SQNR of every channel with signal, in channel order; Infinity where exact. Empty when there is one channel only, which the
 * pooled number already tells.
 */
export function channelSqnr(
  channelXX: Float64Array,
  channelEE: Float64Array,
): { channel: number; sqnrDb: number }[] {
  if (channelXX.length !== channelEE.length || channelXX.length < 2) return [];
  return Array.from(channelXX, (xx, channel) => ({ channel, xx, ee: channelEE[channel] ?? 0 }))
    .filter(({ xx }) => xx > 0)
    .map(({ channel, xx, ee }) => ({ channel, sqnrDb: 10 * Math.log10(xx / ee) }));
}

function worstChannelOf(channelXX: Float64Array, channelEE: Float64Array): WorstChannel | undefined {
  const noisy = channelSqnr(channelXX, channelEE).filter(({ sqnrDb }) => Number.isFinite(sqnrDb));
  return noisy.reduce<WorstChannel | undefined>(
    (a, b) => (a === undefined || b.sqnrDb < a.sqnrDb ? b : a),
    undefined,
  );
}
