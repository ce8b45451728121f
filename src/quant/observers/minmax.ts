import type { Range, TensorStats } from './observer.js';

/** Everything that was seen: no value of the calibration data is clipped. */
export function minmaxRange(stats: TensorStats): Range {
  return { rmin: stats.min, rmax: stats.max };
}
