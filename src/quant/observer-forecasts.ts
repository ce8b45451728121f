/** What other observers would have given a tensor, from the histogram that calibration counted anyway. */
import type { QuantParams } from '../ir/lane.js';
import { paramsFromRange, type AffineScheme } from './affine.js';
import { observe } from './observers/index.js';
import type { Range, TensorStats } from './observers/observer.js';
import { expectedSqnrDb } from './precision.js';
import type { ObserverSpec } from './scheme.js';

/** By the name that reports give them. */
export const ALTERNATIVES: Readonly<Record<string, ObserverSpec>> = {
  minmax: { kind: 'minmax' },
  'percentile 99.99': { kind: 'percentile', percentile: 99.99 },
  'percentile 99.9': { kind: 'percentile', percentile: 99.9 },
  entropy: { kind: 'entropy' },
  mse: { kind: 'mse' },
};

export interface ObserverForecast {
  readonly range: Range;
  readonly params: QuantParams;
  /** Self SQNR, dB. */
  readonly db: number;
}

export interface NamedForecast extends ObserverForecast {
  /** As in `ALTERNATIVES`. */
  readonly observer: string;
}

/** Undefined without a histogram, and where nothing would be lost. */
export function observerForecast(
  spec: ObserverSpec,
  stats: TensorStats,
  scheme: AffineScheme,
): ObserverForecast | undefined {
  if (stats.histogram === undefined || stats.histogram.total === 0) return undefined;
  const range = observe(spec, stats, scheme);
  const params = paramsFromRange([range.rmin], [range.rmax], scheme, { kind: 'per-tensor' }, 'observer');
  const db = expectedSqnrDb(stats.histogram, params);
  return db === undefined ? undefined : { range, params, db };
}

/** Of all named observers; empty without a histogram. */
export function observerForecasts(stats: TensorStats, scheme: AffineScheme): NamedForecast[] {
  return Object.entries(ALTERNATIVES).flatMap(([observer, spec]) => {
    const forecast = observerForecast(spec, stats, scheme);
    return forecast === undefined ? [] : [{ observer, ...forecast }];
  });
}
