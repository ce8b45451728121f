/** Sums of a measuring pass -> one measurement per activation edge. */
import type { Edge } from '../compile/edges.js';
import { quantizerOf, type ErrorKind } from '../compile/measurement-program.js';
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane, QuantParams } from '../ir/lane.js';
import type { Histogram } from '../quant/histogram.js';
import { lostValues, type LostValues } from '../quant/lost-values.js';
import { effectiveLevels, expectedSqnrDb } from '../quant/precision.js';
import type { EdgeStatistics } from '../run/calibrate.js';
import type { EdgeSums } from '../run/measure.js';
import { channelSqnr, measurementOf, type ErrorMeasurement } from './measurement.js';

export interface ChannelMeasurement {
  readonly min: number;
  readonly max: number;
  /** dB per kind; absent where exact or without signal. */
  readonly sqnrDb: ReadonlyMap<ErrorKind, number>;
}

export interface EdgeMeasurement {
  readonly edge: Edge;
  readonly quant: QuantParams | undefined;
  readonly range: {
    readonly min: number;
    readonly max: number;
    readonly p01?: number;
    readonly p99?: number;
  };
  /** (P99 - P1) / scale. */
  readonly levels: number | undefined;
  /** Values that a per-tensor quantizer moves by more than a quarter of themselves. */
  readonly lost: LostValues | undefined;
  readonly nonFinite: number;
  readonly nonFiniteIn: string | undefined;
  readonly errors: ReadonlyMap<ErrorKind, ErrorMeasurement>;
  /** In channel order; empty when the edge has one channel. */
  readonly channels: readonly ChannelMeasurement[];
}

/** What is known of the values that errors are errors of. Without a histogram nothing is said of percentiles. */
export type SeenEdge = Pick<
  EdgeStatistics,
  'min' | 'max' | 'histogram' | 'channels' | 'nonFinite' | 'nonFiniteIn'
>;

/** `statistics`: of the very samples that were measured. */
export function edgeMeasurements(
  graph: Graph,
  lane: Lane,
  sums: readonly EdgeSums[],
  statistics: ReadonlyMap<TensorId, SeenEdge>,
): EdgeMeasurement[] {
  return sums.map(({ edge, value, errors }) => {
    const stats = statistics.get(edge.tensor);
    if (stats === undefined) throw new RangeError(`no statistics for tensor ${edge.tensor}`);
    const quant = quantizerOf(graph, lane, edge.tensor);
    const measured = [...errors].flatMap(([kind, error]): [ErrorKind, ErrorMeasurement][] => {
      const measurement = measurementOf(value, error, stats.channels.sumXX);
      return measurement === undefined ? [] : [[kind, measurement]];
    });
    const { histogram } = stats;
    const { tails = {}, levels, lost } = histogram === undefined ? {} : countedSpread(histogram, quant);
    return {
      edge,
      quant,
      range: { min: stats.min, max: stats.max, ...tails },
      levels,
      lost,
      nonFinite: stats.nonFinite,
      nonFiniteIn: stats.nonFiniteIn,
      errors: new Map(measured),
      channels: edge.channels < 2 ? [] : channelMeasurements(stats, errors),
    };
  });
}

/** The measurement with what a histogram of its values tells, which may be of fewer samples. */
export function withCounted(measurement: EdgeMeasurement, histogram: Histogram): EdgeMeasurement {
  const { tails, levels, lost } = countedSpread(histogram, measurement.quant);
  return { ...measurement, range: { ...measurement.range, ...tails }, levels, lost };
}

interface CountedSpread extends Pick<EdgeMeasurement, 'levels' | 'lost'> {
  readonly tails: { readonly p01: number; readonly p99: number };
}

function countedSpread(histogram: Histogram, quant: QuantParams | undefined): CountedSpread {
  const tails = { p01: histogram.percentile(1), p99: histogram.percentile(99) };
  const scale = quant === undefined ? undefined : stepOf(quant);
  return {
    tails,
    levels: scale === undefined ? undefined : effectiveLevels(tails.p01, tails.p99, scale),
    lost: scale === undefined || quant === undefined ? undefined : lostValues(histogram, quant),
  };
}

/** Undefined for several scales, and for what a broken file has instead of one. */
function stepOf({ granularity, scale: [scale = 0] }: QuantParams): number | undefined {
  return granularity.kind === 'per-tensor' && scale > 0 && Number.isFinite(scale) ? scale : undefined;
}

function channelMeasurements(stats: SeenEdge, errors: EdgeSums['errors']): ChannelMeasurement[] {
  const { min, max, sumXX } = stats.channels;
  const perKind = [...errors].map(
    ([kind, error]) =>
      [
        kind,
        new Map(channelSqnr(sumXX, error.sumEE).map(({ channel, sqnrDb }) => [channel, sqnrDb])),
      ] as const,
  );
  return Array.from(min, (low, channel) => ({
    min: low,
    max: max[channel] ?? low,
    sqnrDb: new Map(
      perKind.flatMap(([kind, byChannel]): [ErrorKind, number][] => {
        const db = byChannel.get(channel);
        return db === undefined || !Number.isFinite(db) ? [] : [[kind, db]];
      }),
    ),
  }));
}

/** Self SQNR (dB) that the parameters would give on the values counted; undefined without a histogram. */
export function forecastSqnr(stats: EdgeStatistics, params: QuantParams): number | undefined {
  return stats.histogram === undefined ? undefined : expectedSqnrDb(stats.histogram, params);
}
