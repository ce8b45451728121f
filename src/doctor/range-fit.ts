/** Whether a range that may be made up happens to be that of the values. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import type { TensorId } from '../ir/graph.js';
import type { Evidence } from './evidence.js';
import { isImpliedBound } from './implied-bounds.js';

/** A range from here to there as long as the values is one that was made from them. */
const SHORTEST = 1 / 1.05;
const LONGEST = 2;

export interface RangeFit {
  readonly measurement: EdgeMeasurement;
  /** Self SQNR, dB; infinite where exact. */
  readonly db: number;
  readonly fits: boolean;
}

interface QuantizedRange {
  readonly tensor: TensorId;
  readonly low: number;
  readonly high: number;
}

/**
 * By the end of the range that is reached first: one of 0 to 1 serves values of 0.9 though nothing is near 0. Undefined where the
 * tensor was not measured.
 */
export function fitOf(
  { graph, edges = [], reference }: Pick<Evidence, 'graph' | 'edges' | 'reference'>,
  { tensor, low, high }: QuantizedRange,
): RangeFit | undefined {
  // Behind a function that was put in for the range every value fits.
  if (reference === undefined && isImpliedBound(graph, tensor)) return undefined;
  const measurement = edges.find(({ edge }) => edge.tensor === tensor);
  if (measurement === undefined) return undefined;
  const { min, max } = measurement.range;
  const reach = Math.max(low < 0 ? -min / -low : 0, high > 0 ? max / high : 0);
  const isCut = (low === 0 ? min < -high / 20 : min < low / SHORTEST) || max > high / SHORTEST;
  const error = measurement.errors.get('self');
  const db = error === undefined || error.exact === true ? Infinity : (error.sqnrDb ?? -Infinity);
  return { measurement, db, fits: !isCut && reach >= 1 / LONGEST };
}
