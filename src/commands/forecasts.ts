/** What other observers would have given a tensor, from the histogram that calibration counted anyway. */
import { forecastSqnr, type EdgeMeasurement } from '../diff/edge-measurements.js';
import { paramsFromRange } from '../quant/affine.js';
import { observe } from '../quant/observers/index.js';
import type { ObserverSpec } from '../quant/scheme.js';
import type { Calibration } from '../run/calibrate.js';
import type { Simulation } from './simulation.js';

const ALTERNATIVES: Readonly<Record<string, ObserverSpec>> = {
  minmax: { kind: 'minmax' },
  'percentile 99.99': { kind: 'percentile', percentile: 99.99 },
  'percentile 99.9': { kind: 'percentile', percentile: 99.9 },
  entropy: { kind: 'entropy' },
  mse: { kind: 'mse' },
};

/** Where self SQNR is higher than this, no other observer is worth its search. */
const GOOD_SELF_DB = 40;

/** Self SQNR in dB by observer; undefined where it is good already or nothing is observed. */
export function forecastsOf(
  { observers }: Simulation,
  { edge, quant, errors }: EdgeMeasurement,
  statistics: Calibration,
): Readonly<Record<string, number>> | undefined {
  const stats = statistics.edges.get(edge.tensor);
  const scheme = observers.get(edge.tensor);
  const self = errors.get('self')?.sqnrDb;
  if (stats?.histogram === undefined || scheme === undefined || quant === undefined) return undefined;
  if (self === undefined || self > GOOD_SELF_DB) return undefined;
  const entries = Object.entries(ALTERNATIVES).flatMap(([name, spec]): [string, number][] => {
    const { rmin, rmax } = observe(spec, stats, scheme);
    const params = paramsFromRange([rmin], [rmax], scheme, { kind: 'per-tensor' }, 'observer');
    const db = forecastSqnr(stats, params);
    return db === undefined ? [] : [[name, db]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
