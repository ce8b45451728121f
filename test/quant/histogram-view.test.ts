import { describe, expect, it } from 'vitest';
import { bulkView, histogramView, VIEW_BINS, type HistogramView } from '../../src/quant/histogram-view.js';
import { binGrid, Histogram } from '../../src/quant/histogram.js';
import { percentileOf } from '../../src/quant/quantile.js';
import { extremes, histogramOf, SAMPLE_NAMES, samples } from './samples.js';

const COUNT = 20_000;
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

/** Values from `from` up to `to`, counted one by one. */
function countBetween(x: Float32Array, from: number, to: number): number {
  return x.filter((value) => value >= from && value < to).length;
}

/** Values at an edge may be on either side: the run rounds in float32. */
function expectCounts(x: Float32Array, { lo, hi, counts }: HistogramView): void {
  const width = (hi - lo) / counts.length;
  const edge = width / 1000;
  counts.forEach((count, i) => {
    const [from, to] = [lo + i * width, lo + (i + 1) * width];
    expect(count, `bin ${i}`).toBeGreaterThanOrEqual(countBetween(x, from + edge, to - edge));
    expect(count, `bin ${i}`).toBeLessThanOrEqual(countBetween(x, from - edge, to + edge));
  });
}

describe('a histogram to be drawn', () => {
  it.each(SAMPLE_NAMES)('counts every value of %s once, in the bin that holds it', (name) => {
    const x = samples(name, COUNT);
    const view = histogramView(histogramOf(x))!;
    expect(sum(view.counts)).toBe(COUNT);
    expect(view.counts.length).toBeLessThanOrEqual(VIEW_BINS);
    expectCounts(x, view);
  });

  it.each(SAMPLE_NAMES)('spans the values of %s and little else', (name) => {
    const x = samples(name, COUNT);
    const { min, max } = extremes(x);
    const { lo, hi, counts } = histogramView(histogramOf(x))!;
    expect(lo).toBeLessThanOrEqual(min);
    expect(hi).toBeGreaterThanOrEqual(max);
    expect(min - lo + (hi - max)).toBeLessThan((3 * (hi - lo)) / counts.length);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts.at(-1)).toBeGreaterThan(0);
  });

  it('has as many bins as there are where they are few', () => {
    const histogram = new Histogram(binGrid(0, 10));
    [5, 7, 9].forEach((bin, i) => (histogram.counts[bin] = i + 1));
    const { scale } = histogram.grid;
    const view = histogramView(histogram)!;
    expect(view.counts).toEqual([1, 0, 2, 0, 3]);
    expect([view.lo / scale, view.hi / scale]).toEqual([4.5, 9.5]);
  });

  it('of a constant is one bin around it, and of nothing there is none', () => {
    const constant = histogramView(histogramOf(new Float32Array(30).fill(3)))!;
    expect(constant.counts).toEqual([30]);
    expect([constant.lo < 3, constant.hi > 3]).toEqual([true, true]);
    expect(histogramView(histogramOf(new Float32Array(8)))).toEqual({ lo: -0.5, hi: 0.5, counts: [8] });
    const empty = new Histogram(binGrid(0, 1));
    expect([histogramView(empty), bulkView(empty)]).toEqual([undefined, undefined]);
  });
});

describe('the bulk of a histogram', () => {
  it('is there where outliers squeeze it, and only there', () => {
    const squeezed = SAMPLE_NAMES.filter((name) => bulkView(histogramOf(samples(name, COUNT))) !== undefined);
    // Of cubes of bell-shaped values 98 % lie within a tenth of the range; `outliers` reach -40 and 60 around values within 4.
    expect(squeezed).toEqual(['heavy', 'outliers']);
  });

  it.each(['heavy', 'outliers'] as const)('of %s holds the values between the percentiles, finer', (name) => {
    const x = samples(name, COUNT);
    const histogram = histogramOf(x);
    const [whole, bulk] = [histogramView(histogram)!, bulkView(histogram)!];
    const sorted = Float64Array.from(x).sort();
    const [p01, p99] = [percentileOf(sorted, 1), percentileOf(sorted, 99)];
    const width = (bulk.hi - bulk.lo) / bulk.counts.length;
    expect(Math.abs(bulk.lo - p01)).toBeLessThan(width + histogram.grid.scale);
    expect(Math.abs(bulk.hi - p99)).toBeLessThan(width + histogram.grid.scale);
    expect(width).toBeLessThan((whole.hi - whole.lo) / whole.counts.length / 4);
    expect(bulk.counts.length).toBeGreaterThan(VIEW_BINS / 2);
    expect(sum(bulk.counts) / COUNT).toBeCloseTo(0.98, 2);
    expectCounts(x, bulk);
  });

  it('is not there where nearly all values are one', () => {
    const x = Float32Array.from({ length: COUNT }, (_, i) => (i < 50 ? i / 7 : 0));
    expect(bulkView(histogramOf(x))).toBeUndefined();
  });
});
