/** Statistics of weight tensors per output channel, and what their quantization costs per tensor and per axis. */
import type { AffineScheme } from './affine.js';
import { axisLayout, fakeQuantize, paramsFromRange } from './affine.js';
import type { FiveNumbers } from './quantile.js';
import { fiveNumbers, percentileOf } from './quantile.js';

/**
 * Tukey's fence for outlier channels: absmax above Q3 + 3 * IQR of all channels' absmax, "far out" in his terms.
 * Magnitudes of channels are skewed to the right, and his inner fence at 1.5 names channels in most layers of healthy
 * networks (13 of the 19 convolutions of a ResNet-20, 3 of them at 3): a channel shall stand apart to be named.
 */
export const OUTLIER_FENCE_IQRS = 3;

/** Finite extremes of each channel. */
export interface ChannelRanges {
  /** Smallest and largest finite value per channel; both 0 where there is none. */
  readonly min: Float32Array;
  readonly max: Float32Array;
  /** NaN and infinite values in the whole tensor. */
  readonly nonFinite: number;
}

/** Spread of one output channel, over its finite values. */
export interface ChannelStats extends FiveNumbers {
  readonly absmax: number;
}

export interface WeightStats {
  readonly axis: number;
  /** One per index of the axis; undefined where a channel has no finite value. */
  readonly channels: readonly (ChannelStats | undefined)[];
  /** Indices of channels whose absmax is above `fence`, ascending. */
  readonly outlierChannels: readonly number[];
  /** Q3 + OUTLIER_FENCE_IQRS * IQR of the channels' absmax, quartiles as numpy.percentile; 0 without channels. */
  readonly fence: number;
  /** NaN and infinite values, which the statistics leave out. */
  readonly nonFinite: number;
}

/** What 8 (or 4, 16) bits cost a weight tensor, measured by quantizing it. All over finite values. */
export interface WeightSqnr {
  /** SQNR in dB with one scale for all, and with one per channel; absent when exact or without signal. */
  readonly perTensorDb?: number;
  readonly perAxisDb?: number;
  /** No value changed. */
  readonly perTensorExact: boolean;
  readonly perAxisExact: boolean;
  /** Channels with a value other than zero that are all zero under the per-tensor scale (absmax <= scale / 2). */
  readonly deadChannels: readonly number[];
  /** Quantizer steps from -absmax to absmax of each channel under the per-tensor scale: what it has left. */
  readonly levels: readonly number[];
}

/**
 * Smallest and largest finite value of every channel along `axis`, in one pass.
 *
 * @param dims shape of `data`, row-major
 * @throws RangeError when the shape does not fit the data or has no such axis
 */
export function channelRanges(data: Float32Array, dims: readonly number[], axis: number): ChannelRanges {
  const { outer, channels, inner } = axisLayout(data.length, dims, axis);
  const min = new Float32Array(channels).fill(Infinity);
  const max = new Float32Array(channels).fill(-Infinity);
  const nonFinite = inner === 1 ? widenByColumn(min, max, data) : widenByRun(min, max, data, outer, inner);
  if (min.includes(-Infinity) || max.includes(Infinity)) {
    return channelRanges(
      data.map((x) => (Number.isFinite(x) ? x : NaN)),
      dims,
      axis,
    );
  }
  for (let c = 0; c < channels; c++) {
    if (min[c]! > max[c]!) min[c] = max[c] = 0;
  }
  return { min, max, nonFinite };
}

/** Widens the ranges to hold all data; returns how many values are NaN. Infinities become bounds. */
function widenByRun(
  min: Float32Array,
  max: Float32Array,
  data: Float32Array,
  outer: number,
  inner: number,
): number {
  let nans = 0;
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < min.length; c++) {
      let low = min[c]!;
      let high = max[c]!;
      const end = i + inner;
      // Two comparisons for most values. NaN fails all.
      for (; i < end; i++) {
        const x = data[i]!;
        if (x >= low) {
          if (x > high) high = x;
        } else if (x < low) {
          low = x;
          if (x > high) high = x;
        } else {
          nans++;
        }
      }
      min[c] = low;
      max[c] = high;
    }
  }
  return nans;
}

/** Rows that stay in the cache while each of their columns is walked down. */
const ROWS_AT_ONCE = 64;

/**
 * The same where neighbours are of different channels, as in the weight of a MatMul: walks down the columns of a few
 * rows at a time, which is four times faster than to go along the rows.
 */
function widenByColumn(min: Float32Array, max: Float32Array, data: Float32Array): number {
  const channels = min.length;
  let nans = 0;
  for (let start = 0; start < data.length; start += ROWS_AT_ONCE * channels) {
    const end = Math.min(start + ROWS_AT_ONCE * channels, data.length);
    for (let c = 0; c < channels; c++) {
      let low = min[c]!;
      let high = max[c]!;
      for (let i = start + c; i < end; i += channels) {
        const x = data[i]!;
        if (x >= low) {
          if (x > high) high = x;
        } else if (x < low) {
          low = x;
          if (x > high) high = x;
        } else {
          nans++;
        }
      }
      min[c] = low;
      max[c] = high;
    }
  }
  return nans;
}

/**
 * Five-number summary and absmax of every channel along `axis`, and the channels that stand apart.
 *
 * @param dims shape of `data`, row-major
 * @throws RangeError when the shape does not fit the data or has no such axis
 */
export function weightStats(data: Float32Array, dims: readonly number[], axis: number): WeightStats {
  const { outer, channels, inner } = axisLayout(data.length, dims, axis);
  const values = new Float32Array(outer * inner);
  const stats: (ChannelStats | undefined)[] = [];
  let nonFinite = 0;
  for (let c = 0; c < channels; c++) {
    let count = 0;
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + c) * inner;
      for (let i = start; i < start + inner; i++) {
        const x = data[i]!;
        if (x > -Infinity && x < Infinity) values[count++] = x;
      }
    }
    nonFinite += values.length - count;
    stats.push(count === 0 ? undefined : channelStats(values, count));
  }
  const fence = outlierFence(stats.flatMap((channel) => (channel === undefined ? [] : [channel.absmax])));
  const outlierChannels = [...stats.keys()].filter((c) => (stats[c]?.absmax ?? 0) > fence);
  return { axis, channels: stats, outlierChannels, fence, nonFinite };
}

function channelStats(values: Float32Array, count: number): ChannelStats {
  const summary = fiveNumbers(values, count);
  return { ...summary, absmax: Math.max(Math.abs(summary.min), Math.abs(summary.max)) };
}

/** Q3 + OUTLIER_FENCE_IQRS * IQR of channel magnitudes, quartiles as numpy.percentile; 0 without channels. */
export function outlierFence(absmax: readonly number[]): number {
  if (absmax.length === 0) return 0;
  const sorted = Float64Array.from(absmax).sort();
  const q3 = percentileOf(sorted, 75);
  return q3 + OUTLIER_FENCE_IQRS * (q3 - percentileOf(sorted, 25));
}

/**
 * SQNR of a weight tensor quantized over its own min-max range, with one scale and with one per channel of `axis`.
 *
 * @param dims shape of `data`, row-major
 * @throws RangeError when the shape does not fit the data or has no such axis
 */
export function weightSqnr(
  data: Float32Array,
  dims: readonly number[],
  axis: number,
  scheme: AffineScheme,
): WeightSqnr {
  const { min, max } = channelRanges(data, dims, axis);
  const lowest = min.reduce((low, value) => Math.min(low, value), 0);
  const highest = max.reduce((high, value) => Math.max(high, value), 0);
  const whole = paramsFromRange([lowest], [highest], scheme, { kind: 'per-tensor' }, 'observer');
  const each = paramsFromRange(min, max, scheme, { kind: 'per-axis', axis }, 'observer');
  const quantized = fakeQuantize(data, dims, whole);
  const perTensor = sqnr(data, quantized);
  const perAxis = sqnr(data, fakeQuantize(data, dims, each, quantized));

  const scale = whole.scale[0]!;
  const deadChannels: number[] = [];
  const levels: number[] = [];
  for (let c = 0; c < min.length; c++) {
    const absmax = Math.max(-min[c]!, max[c]!);
    if (absmax > 0 && absmax / scale <= 0.5) deadChannels.push(c);
    levels.push((2 * absmax) / scale);
  }
  return {
    ...(perTensor.db === undefined ? {} : { perTensorDb: perTensor.db }),
    ...(perAxis.db === undefined ? {} : { perAxisDb: perAxis.db }),
    perTensorExact: perTensor.exact,
    perAxisExact: perAxis.exact,
    deadChannels,
    levels,
  };
}

function sqnr(
  data: Float32Array,
  quantized: Float32Array,
): { readonly db: number | undefined; readonly exact: boolean } {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!(x > -Infinity && x < Infinity)) continue;
    const error = quantized[i]! - x;
    signal += x * x;
    noise += error * error;
  }
  const db = signal > 0 && noise > 0 ? 10 * Math.log10(signal / noise) : undefined;
  return { db, exact: noise === 0 };
}
