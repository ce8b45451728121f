/** Observers: statistics of a tensor to the real range that its quantizer shall represent. */
import type { AffineScheme } from '../affine.js';
import type { Histogram } from '../histogram.js';
import type { ObserverSpec } from '../scheme.js';
import { entropyRange } from './entropy.js';
import { minmaxRange } from './minmax.js';
import { mseRange } from './mse.js';
import type { Range, TensorStats } from './observer.js';
import { percentileRange } from './percentile.js';

export { MovingAverage } from './moving-average.js';
export type { Range, TensorStats } from './observer.js';

/** Whether an observer needs a second calibration pass, which counts a histogram over the range of the first. */
export function needsHistogram(spec: ObserverSpec): boolean {
  return spec.kind === 'percentile' || spec.kind === 'entropy' || spec.kind === 'mse';
}

/**
 * Range of one tensor under an observer. A tensor without values gets [0, 0], for which `paramsFromRange` gives
 * scale 1. The range need not contain zero nor be symmetric: `paramsFromRange` sees to both.
 *
 * @throws RangeError when min or max is not finite (an Inf or NaN was seen), or `stats` lack what the observer needs
 */
export function observe(spec: ObserverSpec, stats: TensorStats, scheme: AffineScheme): Range {
  if (stats.count === 0) return { rmin: 0, rmax: 0 };
  if (!Number.isFinite(stats.min) || !Number.isFinite(stats.max) || stats.min > stats.max) {
    throw new RangeError(`observed range is [${stats.min}, ${stats.max}], wants finite bounds in order`);
  }
  switch (spec.kind) {
    case 'minmax':
      return minmaxRange(stats);
    case 'moving-average':
      return averageOf(stats, spec.momentum);
    case 'percentile':
      return percentileRange(stats, histogramOf(stats, spec), spec.percentile, scheme);
    case 'entropy':
      return entropyRange(stats, histogramOf(stats, spec), scheme);
    case 'mse':
      return mseRange(stats, histogramOf(stats, spec), scheme);
  }
}

function averageOf(stats: TensorStats, momentum: number): Range {
  const { average } = stats;
  if (average?.min === undefined || average.max === undefined || average.momentum !== momentum) {
    throw new RangeError(
      `moving-average observer wants an average with momentum ${momentum}, got ${average?.momentum ?? 'none'}`,
    );
  }
  return { rmin: average.min, rmax: average.max };
}

function histogramOf(stats: TensorStats, spec: ObserverSpec): Histogram {
  if (stats.histogram === undefined || stats.histogram.total === 0) {
    throw new RangeError(`${spec.kind} observer wants a histogram with values`);
  }
  return stats.histogram;
}
