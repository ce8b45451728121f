import type { AffineScheme } from '../affine.js';
import type { Histogram } from '../histogram.js';
import type { Range, TensorStats } from './observer.js';

/**
 * Leaves (100 - percentile) % of the values outside the range: half of them on each side when asymmetric, also for
 * data with one sign, as ONNX Runtime does; by magnitude when symmetric. Within half a histogram bin of
 * numpy.percentile on the values, and never wider than what was seen.
 *
 * A cut that leaves nothing (a tensor that is zero except for fewer values than are cut) would destroy every value
 * that is not zero: the full range is kept then.
 */
export function percentileRange(
  stats: TensorStats,
  histogram: Histogram,
  percentile: number,
  scheme: AffineScheme,
): Range {
  const { min, max } = stats;
  if (scheme.symmetric) {
    const threshold = Math.min(histogram.percentileAbs(percentile), Math.max(-min, max));
    return threshold > 0 ? { rmin: -threshold, rmax: threshold } : { rmin: min, rmax: max };
  }
  const cut = (100 - percentile) / 2;
  const rmin = Math.max(histogram.percentile(cut), min);
  const rmax = Math.min(histogram.percentile(100 - cut), max);
  return rmin < 0 || rmax > 0 ? { rmin, rmax } : { rmin: min, rmax: max };
}
