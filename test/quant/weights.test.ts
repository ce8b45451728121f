import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AffineScheme } from '../../src/quant/affine.js';
import { channelRanges, OUTLIER_FENCE_IQRS, weightSqnr, weightStats } from '../../src/quant/weights.js';
import { Random, sqnrDb } from './samples.js';

const { fiveNumbers } = JSON.parse(
  readFileSync(new URL('../../fixtures/quant/observers.json', import.meta.url), 'utf8'),
) as {
  fiveNumbers: { dims: number[]; axis: number; channels: number[][]; q1Absmax: number; q3Absmax: number }[];
};
const INT8: AffineScheme = { dtype: 'int8', symmetric: true, narrowRange: true };

function bell(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.bell());
}

/** A depthwise layer [channels, 1, 3, 3] whose channels are multiplied by `gain`. */
function depthwise(channels: number, gain: (c: number) => number): Float32Array {
  return bell(channels * 9, 21).map((value, i) => value * gain(Math.floor(i / 9)));
}

describe('weightStats', () => {
  it.each(fiveNumbers.map((test) => [test.dims.join('x'), test.axis, test] as const))(
    'summarizes %s along axis %d with the quartiles of numpy.percentile',
    (_, axis, test) => {
      const size = test.dims.reduce((product, dim) => product * dim, 1);
      const stats = weightStats(bell(size, 99), test.dims, axis);
      expect(stats.channels.map((c) => [c!.min, c!.q1, c!.median, c!.q3, c!.max])).toEqual(test.channels);
      expect(stats.channels.map((c) => c!.absmax)).toEqual(
        test.channels.map(([min, , , , max]) => Math.max(-min!, max!)),
      );
      expect(stats.fence).toBeCloseTo(
        test.q3Absmax + OUTLIER_FENCE_IQRS * (test.q3Absmax - test.q1Absmax),
        12,
      );
    },
  );

  it('names the kernels that stand apart and only them', () => {
    const weights = depthwise(32, (c) => (c === 11 || c === 19 ? 6 : 1));
    expect(weightStats(weights, [32, 1, 3, 3], 0).outlierChannels).toEqual([11, 19]);
    expect(
      weightStats(
        depthwise(32, () => 1),
        [32, 1, 3, 3],
        0,
      ).outlierChannels,
    ).toEqual([]);
  });

  it('names hardly any channel of layers whose magnitudes are merely skewed', () => {
    let named = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const gains = Array.from({ length: 64 }, () => 2 ** (random.bell() / 2));
      named += weightStats(
        depthwise(64, (c) => gains[c]!),
        [64, 1, 3, 3],
        0,
      ).outlierChannels.length;
    }
    expect(named / (20 * 64)).toBeLessThan(0.01);
  });

  it('counts NaN and infinities and leaves them out', () => {
    const weights = Float32Array.of(1, NaN, 2, Infinity, -Infinity, NaN, 0, -5);
    const stats = weightStats(weights, [4, 2], 0);
    expect(stats.nonFinite).toBe(4);
    expect(stats.channels[0]).toEqual({ min: 1, q1: 1, median: 1, q3: 1, max: 1, absmax: 1 });
    expect(stats.channels[2]).toBeUndefined();
    expect(stats.channels[3]).toEqual({ min: -5, q1: -3.75, median: -2.5, q3: -1.25, max: 0, absmax: 5 });
  });

  it('takes layers without channels, without elements and of one value per channel', () => {
    expect(weightStats(new Float32Array(0), [0, 3], 0)).toEqual({
      axis: 0,
      channels: [],
      outlierChannels: [],
      fence: 0,
      nonFinite: 0,
    });
    expect(weightStats(new Float32Array(0), [2, 0], 0).channels).toEqual([undefined, undefined]);
    expect(weightStats(Float32Array.of(3, -1), [2], 0).channels.map((c) => c!.median)).toEqual([3, -1]);
    expect(() => weightStats(new Float32Array(6), [2, 3], 2)).toThrow('axis 2 is not in shape [2, 3]');
  });

  it('stays fast on values arranged against quickselect', () => {
    const arrangements: ((i: number, n: number) => number)[] = [
      (i) => i,
      (i, n) => n - i,
      () => 1,
      (i, n) => Math.min(i, n - i),
      (i) => i % 2,
      (i, n) => (i % 2 === 0 ? i : n - i),
    ];
    for (const arrange of arrangements) {
      const weights = Float32Array.from({ length: 300_000 }, (_, i) => arrange(i, 300_000));
      const sorted = weights.slice().sort();
      const started = performance.now();
      const [channel] = weightStats(weights, [1, 300_000], 0).channels;
      expect(performance.now() - started).toBeLessThan(1000);
      expect(channel!.median).toBe((sorted[149_999]! + sorted[150_000]!) / 2);
      expect([channel!.min, channel!.max]).toEqual([sorted[0], sorted[299_999]]);
    }
  });
});

describe('channelRanges', () => {
  it.each([0, 1, 2, 3])('finds the extremes of every channel along axis %d', (axis) => {
    const dims = [3, 4, 2, 5];
    const weights = bell(120, 7);
    const channels = Array.from({ length: dims[axis]! }, (): number[] => []);
    const strides = [40, 10, 5, 1];
    weights.forEach((value, i) => channels[Math.floor(i / strides[axis]!) % dims[axis]!]!.push(value));
    const { min, max, nonFinite } = channelRanges(weights, dims, axis);
    expect(Array.from(min)).toEqual(channels.map((values) => Math.min(...values)));
    expect(Array.from(max)).toEqual(channels.map((values) => Math.max(...values)));
    expect(nonFinite).toBe(0);
  });

  it.each([1, 63, 64, 65, 200])('finds the extremes of the columns of a matrix with %d rows', (rows) => {
    const weights = bell(3 * rows, rows);
    weights[3 * (rows - 1) + 1] = NaN;
    const columns = [0, 1, 2].map((c) => [...weights.filter((x, i) => i % 3 === c && !Number.isNaN(x))]);
    const { min, max, nonFinite } = channelRanges(weights, [rows, 3], 1);
    expect(Array.from(min)).toEqual(columns.map((values) => (values.length === 0 ? 0 : Math.min(...values))));
    expect(Array.from(max)).toEqual(columns.map((values) => (values.length === 0 ? 0 : Math.max(...values))));
    expect(nonFinite).toBe(1);
  });

  it('ignores and counts what is not finite, wherever it stands', () => {
    const weights = Float32Array.of(Infinity, 2, -1, NaN, -Infinity, 3, NaN, Infinity, -Infinity);
    const { min, max, nonFinite } = channelRanges(weights, [3, 3], 0);
    expect(Array.from(min)).toEqual([-1, 3, 0]);
    expect(Array.from(max)).toEqual([2, 3, 0]);
    expect(nonFinite).toBe(6);
  });
});

describe('weightSqnr', () => {
  /** Symmetric int8 by the book, one channel at a time, in float64. */
  function quantizedByTheBook(values: readonly number[]): number[] {
    const scale = Math.fround(Math.max(...values.map(Math.abs)) / 127);
    return values.map((value) => Math.round(Math.fround(value / scale)) * scale);
  }

  it('measures one scale for all beside one per channel', () => {
    const dims = [16, 1, 3, 3];
    const weights = depthwise(16, (c) => 2 ** (c % 7));
    const result = weightSqnr(weights, dims, 0, INT8);
    const all = Array.from(weights);
    const rows = Array.from({ length: 16 }, (_, c) => all.slice(9 * c, 9 * c + 9));
    expect(result.perTensorDb).toBeCloseTo(sqnrDb(all, quantizedByTheBook(all)), 3);
    expect(result.perAxisDb).toBeCloseTo(sqnrDb(all, rows.flatMap(quantizedByTheBook)), 3);
    expect([result.perTensorExact, result.perAxisExact]).toEqual([false, false]);
  });

  it('finds the channels that one scale turns into zeros, and the steps the others have left', () => {
    const weights = Float32Array.of(127, -127, 0.5, -0.5, 0.51, 0, 0, 0, 12.7, -1);
    const { deadChannels, levels } = weightSqnr(weights, [5, 2], 0, INT8);
    expect(deadChannels).toEqual([1]);
    expect(levels.map((steps) => Number(steps.toFixed(3)))).toEqual([254, 1, 1.02, 0, 25.4]);
  });

  it('calls weights exact that already lie on the grid, without a dB number', () => {
    const weights = Float32Array.of(127, -3, 254, 8);
    const result = weightSqnr(weights, [2, 2], 0, INT8);
    expect(result.perTensorExact).toBe(false);
    expect(result.perAxisExact).toBe(true);
    expect(result).not.toHaveProperty('perAxisDb');
    const zeros = weightSqnr(new Float32Array(4), [2, 2], 0, INT8);
    expect(zeros).toEqual({ perTensorExact: true, perAxisExact: true, deadChannels: [], levels: [0, 0] });
  });

  it('measures finite values only', () => {
    const clean = bell(8, 4);
    const dirty = Float32Array.of(...clean, NaN, Infinity);
    const { perTensorDb } = weightSqnr(dirty, [1, 10], 0, INT8);
    expect(perTensorDb).toBe(weightSqnr(clean, [1, 8], 0, INT8).perTensorDb);
  });
});
