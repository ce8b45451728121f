import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { binGrid, Histogram, HISTOGRAM_BINS } from '../../src/quant/histogram.js';
import { extremes, gridCodes, histogramOf, Random, SAMPLE_NAMES, samples } from './samples.js';
import type { SampleName } from './samples.js';

interface Percentiles {
  min: number;
  max: number;
  values: number[];
  magnitudes: number[];
}
interface NumpyFixture {
  count: number;
  percentiles: number[];
  samples: Record<SampleName, Percentiles>;
  few: Percentiles;
}
const numpy = JSON.parse(
  readFileSync(new URL('../../fixtures/quant/observers.json', import.meta.url), 'utf8'),
) as NumpyFixture;

describe('binGrid', () => {
  it('centres a bin on zero and gives every value of the range a code below the number of bins', () => {
    const random = new Random(11);
    for (let round = 0; round < 2000; round++) {
      const bins = [256, 2048, 8192, 65536][round % 4]!;
      const width = 10 ** (random.uniform() * 20 - 10);
      const min = Math.fround((random.uniform() * 2 - 1.5) * width);
      const max = Math.fround(min + random.uniform() * width);
      const grid = binGrid(min, max, bins);
      const middle = min + random.uniform() * (max - min);
      const codes = gridCodes(Float32Array.of(min, max, 0, middle), grid);
      expect(codes[2]).toBe(grid.zeroPoint);
      for (const [i, value] of [min, max, 0, middle].entries()) {
        expect(codes[i]).toBeGreaterThanOrEqual(0);
        expect(codes[i]).toBeLessThan(bins);
        const centre = (codes[i]! - grid.zeroPoint) * grid.scale;
        expect(Math.abs(centre - value) / grid.scale).toBeLessThanOrEqual(0.5 + bins * 2 ** -22);
      }
      expect(grid.lo).toBe((0 - grid.zeroPoint) * grid.scale);
      expect(grid.hi).toBeCloseTo(grid.lo + (bins - 1) * grid.scale, 10);
    }
  });

  it('spends all bins on one side when the data have one sign, and half on each when they are symmetric', () => {
    expect(binGrid(0, 1).zeroPoint).toBe(0);
    expect(binGrid(-1, 0).zeroPoint).toBe(HISTOGRAM_BINS - 2);
    expect(binGrid(-1, 1).zeroPoint).toBe(HISTOGRAM_BINS / 2 - 1);
  });

  it('puts a range of zero width or without a normal float32 step into the bin of zero', () => {
    for (const max of [0, 1e-40]) {
      const grid = binGrid(0, max);
      expect(grid.scale).toBe(1);
      expect(Array.from(gridCodes(Float32Array.of(0, max), grid))).toEqual([0, 0]);
    }
  });

  it.each([
    [NaN, 1, 256],
    [0, Infinity, 256],
    [1, 0, 256],
    [0, 1, 2],
    [0, 1, 65537],
    [0, 1, 300.5],
  ])('refuses [%d, %d] in %d bins', (min, max, bins) => {
    expect(() => binGrid(min, max, bins)).toThrow(RangeError);
  });
});

describe('Histogram', () => {
  it.each([3, 100, 8191, 8192, 8193, 100_001])('counts every one of %d codes', (count) => {
    const random = new Random(count);
    const codes = Uint16Array.from({ length: count }, () => random.integer(0, HISTOGRAM_BINS - 1));
    const expected = new Array<number>(HISTOGRAM_BINS).fill(0);
    for (const code of codes) expected[code]!++;
    const histogram = new Histogram(binGrid(-1, 1));
    histogram.add(codes);
    expect(Array.from(histogram.counts)).toEqual(expected);
    expect(histogram.total).toBe(count);
  });

  it('counts views at any offset, twice the same when called twice, and bytes', () => {
    const buffer = Uint16Array.from({ length: 20_003 }, (_, i) => i % 512).buffer;
    const odd = new Histogram(binGrid(-1, 1, 512));
    odd.add(new Uint16Array(buffer, 2));
    odd.add(new Uint16Array(buffer, 2));
    const expected = new Histogram(binGrid(-1, 1, 512));
    for (let i = 1; i < 20_003; i++) expected.counts[i % 512]! += 2;
    expect(odd.counts).toEqual(expected.counts);
    const bytes = new Histogram(binGrid(-1, 1, 256));
    bytes.add(Uint8Array.of(7, 7, 255));
    expect([bytes.counts[7], bytes.counts[255]]).toEqual([2, 1]);
  });

  it('counts codes past the last bin in it, in short and in long samples', () => {
    for (const length of [10, 10_000]) {
      const histogram = new Histogram(binGrid(0, 1, 256));
      histogram.add(new Uint16Array(length).fill(60_000));
      histogram.add(new Uint16Array(length).fill(5));
      expect([histogram.counts[255], histogram.counts[5], histogram.total]).toEqual([
        length,
        length,
        2 * length,
      ]);
    }
  });

  it('merges to what counting everything at once gives, and refuses another grid', () => {
    const x = samples('bell', 3000);
    const whole = histogramOf(x);
    const parts = [x.subarray(0, 1000), x.subarray(1000)].map((part) => {
      const histogram = new Histogram(whole.grid);
      histogram.add(gridCodes(part, whole.grid));
      return histogram;
    });
    parts[0]!.merge(parts[1]!);
    expect(parts[0]!.counts).toEqual(whole.counts);
    expect(() => whole.merge(histogramOf(samples('relu', 10)))).toThrow('different grids');
  });

  describe.each(SAMPLE_NAMES)('percentiles of %s data', (name) => {
    const x = samples(name, numpy.count);
    const reference = numpy.samples[name];

    it.each([256, 4096, HISTOGRAM_BINS])(
      'agree with numpy.percentile within half of one of %d bins',
      (bins) => {
        expect(extremes(x)).toEqual({ min: reference.min, max: reference.max });
        const histogram = histogramOf(x, bins);
        const half = histogram.grid.scale * (0.5 + bins * 2 ** -22);
        numpy.percentiles.forEach((p, i) => {
          expect(Math.abs(histogram.percentile(p) - reference.values[i]!)).toBeLessThanOrEqual(half);
          expect(Math.abs(histogram.percentileAbs(p) - reference.magnitudes[i]!)).toBeLessThanOrEqual(half);
        });
      },
    );
  });

  it('interpolates between far-apart values as numpy does', () => {
    const histogram = histogramOf(samples('bell', 7));
    const half = histogram.grid.scale * 0.501;
    numpy.percentiles.forEach((p, i) => {
      expect(Math.abs(histogram.percentile(p) - numpy.few.values[i]!)).toBeLessThanOrEqual(half);
      expect(Math.abs(histogram.percentileAbs(p) - numpy.few.magnitudes[i]!)).toBeLessThanOrEqual(half);
    });
  });

  it('folds magnitudes around the bin of zero', () => {
    const histogram = new Histogram(binGrid(-1, 3, 10));
    histogram.add(Uint8Array.of(0, 1, 2, 2, 3, 4, 9));
    expect(histogram.grid.zeroPoint).toBe(2);
    expect(Array.from(histogram.magnitudes())).toEqual([2, 2, 2, 0, 0, 0, 0, 1]);
  });

  it('tells exact zeros from values near zero', () => {
    expect(histogramOf(samples('bell', 20_000)).exactZeros()).toBeLessThan(20);
    const relu = samples('relu', 20_000);
    const zeros = relu.filter((value) => value === 0).length;
    expect(Math.abs(histogramOf(relu).exactZeros() - zeros)).toBeLessThan(20);
  });

  it('refuses percentiles of nothing and outside 0 to 100', () => {
    expect(() => new Histogram(binGrid(0, 1)).percentile(50)).toThrow(RangeError);
    expect(() => histogramOf(samples('bell', 10)).percentile(100.1)).toThrow(RangeError);
    expect(() => histogramOf(samples('bell', 10)).percentileAbs(NaN)).toThrow(RangeError);
  });
});
