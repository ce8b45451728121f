/** Calibrations as plain data that other processes read, and histograms of several processes as one. */
import { DataError } from '../errors.js';
import type { Edge } from '../compile/edges.js';
import type { TensorId } from '../ir/graph.js';
import { binGrid, Histogram } from '../quant/histogram.js';
import { MovingAverage } from '../quant/observers/moving-average.js';
import { withoutNonFinite, type Calibration, type EdgeStatistics, type HalfRange } from './calibrate.js';

export interface EdgeStatisticsState {
  readonly tensor: TensorId;
  readonly min: number;
  readonly max: number;
  readonly count: number;
  /** Absent before the first sample. */
  readonly average?: { readonly min: number; readonly max: number };
  readonly channels: {
    readonly min: Float64Array;
    readonly max: Float64Array;
    readonly sumXX: Float64Array;
  };
  readonly nonFinite: number;
  readonly nonFiniteIn?: string;
  readonly half?: HalfRange;
}

export interface CalibrationState {
  readonly samples: number;
  readonly momentum: number;
  readonly edges: readonly EdgeStatisticsState[];
  /** By edge, over the range that it has here; absent where nothing was counted. */
  readonly counts: readonly HistogramState[];
}

export interface HistogramState {
  readonly tensor: TensorId;
  readonly counts: Float64Array;
}

export function calibrationState({ samples, edges }: Calibration, momentum: number): CalibrationState {
  return {
    samples,
    momentum,
    edges: [...edges].map(([tensor, statistics]) => edgeState(tensor, statistics)),
    counts: [...edges].flatMap(([tensor, { histogram }]) =>
      histogram === undefined ? [] : [{ tensor, counts: histogram.counts }],
    ),
  };
}

function edgeState(
  tensor: TensorId,
  { min, max, count, average, channels, nonFinite, nonFiniteIn, half }: EdgeStatistics,
): EdgeStatisticsState {
  return {
    tensor,
    min,
    max,
    count,
    ...(average?.min === undefined || average.max === undefined
      ? {}
      : { average: { min: average.min, max: average.max } }),
    channels: { min: channels.min, max: channels.max, sumXX: channels.sumXX },
    nonFinite,
    ...(nonFiniteIn === undefined ? {} : { nonFiniteIn }),
    ...(half === undefined ? {} : { half }),
  };
}

/**
 * The calibration that a state is of, with the values that other processes have counted over the same ranges added to its histograms.
 *
 * @param edges that were followed
 * @param others counted as `counted` of the calibration's options has it; the state then, too
 * @throws DataError when the state is of other edges
 */
export function calibrationOf(
  { samples, momentum, edges: states, counts }: CalibrationState,
  edges: readonly Edge[],
  others: readonly (readonly HistogramState[])[] = [],
): Calibration {
  const wanted = new Map(edges.map((edge) => [edge.tensor, edge]));
  const histograms = new Map<TensorId, Float64Array[]>();
  for (const part of [counts, ...others])
    for (const { tensor, counts: own } of part)
      histograms.set(tensor, [...(histograms.get(tensor) ?? []), own]);
  if (states.length !== edges.length) throw otherNetwork(`${states.length} tensors, wanted ${edges.length}`);
  return {
    samples,
    edges: new Map(
      states.map((state): [TensorId, EdgeStatistics] => {
        const edge = wanted.get(state.tensor);
        const { min, max, sumXX } = state.channels;
        if (edge === undefined || [min, max, sumXX].some(({ length }) => length !== edge.channels))
          throw otherNetwork(`tensor ${state.tensor} is not as it was`);
        const counted = histogramOf(state, histograms.get(state.tensor) ?? []);
        if (others.length > 0) withoutNonFinite(counted, state.nonFinite);
        return [state.tensor, statisticsOf(state, momentum, counted)];
      }),
    ),
  };
}

function statisticsOf(
  { min, max, count, average, channels, nonFinite, nonFiniteIn, half }: EdgeStatisticsState,
  momentum: number,
  histogram: Histogram | undefined,
): EdgeStatistics {
  const moving = new MovingAverage(momentum);
  if (average !== undefined) moving.update(average.min, average.max);
  return {
    min,
    max,
    count,
    average: moving,
    ...(histogram === undefined || histogram.total === 0 ? {} : { histogram }),
    channels,
    nonFinite,
    nonFiniteIn,
    ...(half === undefined ? {} : { half }),
  };
}

function histogramOf(
  { tensor, min, max }: EdgeStatisticsState,
  parts: readonly Float64Array[],
): Histogram | undefined {
  if (parts.length === 0) return undefined;
  const histogram = new Histogram(binGrid(min, max));
  for (const counts of parts) {
    if (counts.length !== histogram.counts.length)
      throw otherNetwork(`the histogram of tensor ${tensor} has ${counts.length} bins`);
    counts.forEach((count, bin) => {
      histogram.counts[bin] = (histogram.counts[bin] as number) + count;
    });
  }
  return histogram;
}

function otherNetwork(what: string): DataError {
  return new DataError(`these statistics are of another network: ${what}`);
}
