/** What other observers would have given a tensor, for the report. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import { observerForecasts } from '../quant/observer-forecasts.js';
import type { Calibration } from '../run/calibrate.js';
import type { Simulation } from './simulation.js';

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
  if (stats === undefined || scheme === undefined || quant === undefined) return undefined;
  if (self === undefined || self > GOOD_SELF_DB) return undefined;
  const forecasts = observerForecasts(stats, scheme);
  return Object.keys(forecasts).length === 0 ? undefined : forecasts;
}
