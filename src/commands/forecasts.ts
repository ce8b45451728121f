/** What other observers would have given a tensor, for the report. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { QuantParams } from '../ir/lane.js';
import type { AffineScheme } from '../quant/affine.js';
import { observerForecasts } from '../quant/observer-forecasts.js';
import type { TensorStats } from '../quant/observers/index.js';
import type { ReportedTensor } from '../report/report.js';
import type { Calibration } from '../run/calibrate.js';
import type { Simulation } from './simulation.js';

/** Where self SQNR is higher than this, no other observer is worth its search. */
const GOOD_SELF_DB = 40;

type Forecasts = Pick<ReportedTensor, 'forecast' | 'alternatives'>;

/** Nothing where self SQNR is good already or nothing is observed. */
export function forecastsOf(
  { observers }: Simulation,
  measurement: EdgeMeasurement,
  statistics: Calibration,
): Forecasts {
  const { tensor } = measurement.edge;
  return forecastsUnder(observers.get(tensor), measurement, statistics.edges.get(tensor));
}

/** @param scheme of the quantizer that the observers serve, and their statistics; nothing without either */
export function forecastsUnder(
  scheme: AffineScheme | undefined,
  { quant, errors }: EdgeMeasurement,
  stats: TensorStats | undefined,
): Forecasts {
  const self = errors.get('self')?.sqnrDb;
  if (stats === undefined || scheme === undefined || quant === undefined) return {};
  if (self === undefined || self > GOOD_SELF_DB) return {};
  const forecasts = observerForecasts(stats, scheme);
  if (forecasts.length === 0) return {};
  const others = forecasts.filter(({ params }) => !isSameGrid(params, quant));
  return {
    forecast: Object.fromEntries(forecasts.map(({ observer, db }) => [observer, db])),
    ...(others.length === 0
      ? {}
      : {
          alternatives: others.map(({ observer, range: { rmin, rmax }, db }) => ({
            observer,
            min: rmin,
            max: rmax,
            selfSqnrDb: db,
          })),
        }),
  };
}

function isSameGrid(a: QuantParams, b: QuantParams): boolean {
  return a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0];
}
