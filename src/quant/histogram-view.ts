/** A histogram small enough to be drawn and stored: exact counts of values in fewer, wider bins. */
import type { Histogram } from './histogram.js';

/** Bins that a chart of a few hundred pixels shows apart; more of every tensor would make documents large. */
export const VIEW_BINS = 96;
/** Where the values between the percentiles have less than this share of all bins, they are seen too coarsely among all. */
const BULK_SHARE = 1 / 4;

/** Counts in bins of one width, in the unit of the values. */
export interface HistogramView {
  /** Lower edge of the first bin. */
  readonly lo: number;
  /** Upper edge of the last bin. */
  readonly hi: number;
  readonly counts: readonly number[];
}

/**
 * From the lowest to the highest value; undefined without values. The counts add up to all values.
 *
 * @param most bins of the view; a whole number of the histogram's go into each
 */
export function histogramView(histogram: Histogram, most = VIEW_BINS): HistogramView | undefined {
  const span = spanOf(histogram);
  return span === undefined ? undefined : viewOf(histogram, span, most);
}

/**
 * Between the 1st and the 99th percentile in bins of its own, where these have few of the bins of the whole because of values far
 * out; undefined where the whole shows them well, and where they are in one bin.
 */
export function bulkView(histogram: Histogram, most = VIEW_BINS): HistogramView | undefined {
  const span = spanOf(histogram);
  if (span === undefined || width(span) <= most) return undefined;
  const { scale, zeroPoint } = histogram.grid;
  const binOf = (percentile: number): number =>
    Math.round(histogram.percentile(percentile) / scale) + zeroPoint;
  const bulk = { first: binOf(1), last: binOf(99) };
  const isFew = width(bulk) < BULK_SHARE * width(span);
  return isFew && bulk.first < bulk.last ? viewOf(histogram, bulk, most) : undefined;
}

/** Bins of the histogram, both included. */
interface Span {
  readonly first: number;
  readonly last: number;
}

function width({ first, last }: Span): number {
  return last - first + 1;
}

function spanOf({ counts }: Histogram): Span | undefined {
  const first = counts.findIndex((count) => count > 0);
  return first < 0 ? undefined : { first, last: counts.findLastIndex((count) => count > 0) };
}

/** The last bin of the view may reach past the span; what is there counts. */
function viewOf({ grid, counts }: Histogram, span: Span, most: number): HistogramView {
  const each = Math.ceil(width(span) / most);
  const bins = Math.ceil(width(span) / each);
  const edge = (bin: number): number => (bin - 0.5 - grid.zeroPoint) * grid.scale;
  const sums = Array.from({ length: bins }, (_, i) => {
    const from = span.first + i * each;
    return counts.subarray(from, from + each).reduce((sum, count) => sum + count, 0);
  });
  return { lo: edge(span.first), hi: edge(span.first + bins * each), counts: sums };
}
