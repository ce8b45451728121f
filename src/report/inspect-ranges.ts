/** The weight ranges of several models side by side: how many weights of each lie in each bin of max - min. */
import { nodeLabel } from '../ir/graph.js';
import { percentileOf } from '../quant/quantile.js';
import type { ModelWeightRanges, WeightRanges } from './inspect-report.js';
import type { InspectedWeight } from './inspect-weights.js';

/** A weight whose range is this many times the median of its model stands far out. */
const FAR_OUT = 20;

/** The rest, below, goes into one bin from 0. */
const MOST_BINS = 16;

interface WeightRange {
  readonly node: string;
  /** max - min of all its elements. */
  readonly range: number;
}

/**
 * Convolutions count, or where no model has any, all weights. Bin edges grow 1-2-5: ranges of one model differ by
 * factors of a hundred, and each doubling of a range costs the layer one bit.
 */
export function weightRangesOf(models: readonly (readonly InspectedWeight[])[]): WeightRanges {
  const convolutions = models.map((weights) =>
    rangesOf(weights.filter(({ weight }) => weight.node.op.startsWith('Conv'))),
  );
  const isConvolutional = convolutions.some((ranges) => ranges.length > 0);
  const ranges = isConvolutional ? convolutions : models.map(rangesOf);
  const edges = edgesFor(ranges.flat().map(({ range }) => range));
  return {
    of: isConvolutional ? 'convolutions' : 'weights',
    edges,
    models: ranges.map((own) => modelRanges(own, edges)),
  };
}

function rangesOf(weights: readonly InspectedWeight[]): WeightRange[] {
  return weights.flatMap(({ weight: { node }, scan: { min, max } }) =>
    min === undefined || max === undefined ? [] : [{ node: nodeLabel(node), range: max - min }],
  );
}

function modelRanges(ranges: readonly WeightRange[], edges: readonly number[]): ModelWeightRanges {
  const counts = edges
    .slice(1)
    .map((top, i) => ranges.filter(({ range }) => range >= (edges[i] ?? 0) && range < top).length);
  const sorted = Float64Array.from(ranges, ({ range }) => range).sort();
  const max = sorted.at(-1);
  if (max === undefined) return { counts, layers: 0, farOut: [] };
  const median = percentileOf(sorted, 50);
  const widest = ranges.find(({ range }) => range === max);
  return {
    counts,
    layers: ranges.length,
    median,
    p95: percentileOf(sorted, 95),
    max,
    ...(widest === undefined ? {} : { widest: widest.node }),
    farOut: ranges.filter(({ range }) => range > FAR_OUT * median).map(({ node }) => node),
  };
}

/** Edges of adjoining bins that hold all ranges. */
function edgesFor(ranges: readonly number[]): number[] {
  const positive = ranges.filter((range) => range > 0);
  if (positive.length === 0) return ranges.length === 0 ? [] : [0, 1];
  const top = stepAbove(positive.reduce((a, b) => Math.max(a, b)));
  const lowest = stepAbove(positive.reduce((a, b) => Math.min(a, b))) - 1;
  const bottom = Math.max(lowest, top - MOST_BINS);
  const edges = Array.from({ length: top - bottom + 1 }, (_, i) => stepValue(bottom + i));
  return ranges.some((range) => range < stepValue(bottom)) ? [0, ...edges] : edges;
}

/** ..., 0.5, 1, 2, 5, 10, ... where step 0 is 1. */
function stepValue(step: number): number {
  const power = Math.floor(step / 3);
  return Number(`${['1', '2', '5'][step - 3 * power] ?? '1'}e${power}`);
}

/** The first step whose value is larger. */
function stepAbove(value: number): number {
  let step = Math.floor(3 * Math.log10(value)) - 2;
  while (stepValue(step) <= value) step++;
  return step;
}
