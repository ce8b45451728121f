/** Ranges of constants under any observer: their elements are all there is to observe. */
import type { AffineScheme } from './affine.js';
import { axisLayout, roundHalfEven } from './affine.js';
import { HISTOGRAM_BINS, Histogram, binGrid } from './histogram.js';
import { needsHistogram, observe } from './observers/index.js';
import type { TensorScheme } from './scheme.js';
import { channelRanges } from './weights.js';

/** Of one channel: 8 for every step of an 8-bit quantizer. A network has thousands of channels. */
const CHANNEL_BINS = 2048;

export interface WeightRanges {
  readonly rmin: Float32Array;
  readonly rmax: Float32Array;
}

/**
 * One range, or one for each index of `axis`.
 *
 * A moving average has nothing to average in a constant and is its min-max.
 *
 * @param data finite values
 * @param dims shape of `data`, row-major
 */
export function weightRanges(
  data: Float32Array,
  dims: readonly number[],
  axis: number | undefined,
  scheme: AffineScheme & Pick<TensorScheme, 'observer'>,
): WeightRanges {
  const shape = axis === undefined ? [1, data.length] : dims;
  const { min, max } = channelRanges(data, shape, axis ?? 0);
  if (!needsHistogram(scheme.observer)) return { rmin: min, rmax: max };
  const { outer, channels, inner } = axisLayout(data.length, shape, axis ?? 0);
  const values = new Float32Array(outer * inner);
  const rmin = new Float32Array(channels);
  const rmax = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    for (let o = 0; o < outer; o++) {
      const start = (o * channels + c) * inner;
      values.set(data.subarray(start, start + inner), o * inner);
    }
    const stats = { min: min[c]!, max: max[c]!, count: values.length };
    const histogram = histogramOf(
      values,
      stats.min,
      stats.max,
      axis === undefined ? HISTOGRAM_BINS : CHANNEL_BINS,
    );
    const range = observe(scheme.observer, { ...stats, histogram }, scheme);
    rmin[c] = range.rmin;
    rmax[c] = range.rmax;
  }
  return { rmin, rmax };
}

function histogramOf(values: Float32Array, min: number, max: number, bins: number): Histogram {
  const grid = binGrid(min, max, bins);
  const histogram = new Histogram(grid);
  const codes = Uint16Array.from(values, (x) => roundHalfEven(Math.fround(x / grid.scale)) + grid.zeroPoint);
  histogram.add(codes);
  return histogram;
}
