/** The values of the reference at what was compared, counted on a few of the samples that layers were measured on. */
import { withCounted, type EdgeMeasurement } from '../diff/edge-measurements.js';
import type { TensorId } from '../ir/graph.js';
import type { Histogram } from '../quant/histogram.js';
import { schemeOfParams } from '../quant/refit.js';
import type { TensorRowOptions } from '../report/assemble.js';
import { countValues, withoutNonFinite } from '../run/calibrate.js';
import type { Dataset } from '../run/data/dataset.js';
import { withExtents, type Watch } from '../run/samples.js';
import type { MeasuredPair } from './compare-measure.js';
import { forecastsUnder } from './forecasts.js';
import type { NetworkPair } from './network-pair.js';

/** Enough to draw: every sample has thousands of values of a tensor. */
const MOST_SAMPLES = 32;

export interface CountedPair extends Pick<TensorRowOptions, 'histogram' | 'forecasts'> {
  readonly samples: number;
  /** With percentiles and what follows from them. For the report only: rules judge a comparison by what was measured. */
  readonly measurements: readonly EdgeMeasurement[];
}

export interface MeasuredData {
  /** One pass has gone through. */
  readonly dataset: Dataset;
  readonly extents: ReadonlyMap<string, readonly number[]>;
}

/** A pass of its own: over which range to count is known once all is measured. */
export async function countedPair(
  { candidate: { graph }, other }: NetworkPair,
  { measurements, places }: Pick<MeasuredPair, 'measurements' | 'places'>,
  { dataset, extents }: MeasuredData,
  { threads }: { readonly threads: number },
  watch: Watch,
): Promise<CountedPair> {
  const taken = evenly(places, MOST_SAMPLES);
  // Where no value is finite there is no range.
  const countable = measurements.filter(({ range: { min, max } }) => min <= max);
  const { histograms, nonFinite } = await countValues(
    graph,
    countable.map(({ edge, range, ...seen }) => ({ edge, ...range, nonFinite: seen.nonFinite })),
    withExtents({ count: taken.length, samples: () => dataset.samples(taken) }, extents),
    { threads, other },
    (_pass, done, total) => watch('values', done, total),
  );
  const counted = new Map<TensorId, Histogram>();
  countable.forEach(({ edge }, i) => {
    const histogram = histograms[i];
    withoutNonFinite(histogram, nonFinite[i] ?? 0);
    if (histogram !== undefined && histogram.total > 0) counted.set(edge.tensor, histogram);
  });
  return {
    samples: taken.length,
    measurements: measurements.map((measurement) => {
      const histogram = counted.get(measurement.edge.tensor);
      return histogram === undefined ? measurement : withCounted(measurement, histogram);
    }),
    histogram: (tensor) => counted.get(tensor),
    forecasts: (measurement) => {
      const { edge, quant, range } = measurement;
      const histogram = counted.get(edge.tensor);
      if (histogram === undefined || quant?.granularity.kind !== 'per-tensor') return {};
      // Of all samples that were measured: observers leave no value outside that they would have seen.
      const stats = { min: range.min, max: range.max, count: histogram.total, histogram };
      return forecastsUnder(schemeOfParams(quant), measurement, stats);
    },
  };
}

/** `most` of them, evenly spread. */
function evenly(places: readonly number[], most: number): readonly number[] {
  const share = Math.min(most, places.length);
  const passed = (i: number): number => Math.floor((i * share) / places.length);
  return places.filter((_, i) => passed(i + 1) > passed(i));
}
