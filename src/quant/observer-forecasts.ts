/** What other observers would have given a tensor, from the histogram that calibration counted anyway. */
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
  /** Self SQNR, dB. */
  readonly db: number;
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
  return db === undefined ? undefined : { range, db };
}

/** Self SQNR in dB by observer; empty without a histogram. */
export function observerForecasts(
  stats: TensorStats,
  scheme: AffineScheme,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(ALTERNATIVES).flatMap(([name, spec]): [string, number][] => {
      const forecast = observerForecast(spec, stats, scheme);
      return forecast === undefined ? [] : [[name, forecast.db]];
    }),
  );
}
