import { describe, expect, it } from 'vitest';
import { binsOf, countHeight, countTicks } from '../../../src/page/layers/histogram-bins.js';

describe('binsOf', () => {
  it('keeps the bins where there is room', () => {
    expect(binsOf({ lo: -1, hi: 1, counts: [1, 2] }, 10)).toEqual([
      { from: -1, to: 0, count: 1 },
      { from: 0, to: 1, count: 2 },
    ]);
  });

  it('puts neighbours together and loses no value', () => {
    const bins = binsOf({ lo: 0, hi: 10, counts: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }, 4);
    expect(bins.map(({ count }) => count)).toEqual([6, 15, 24, 10]);
    expect(bins.at(-1)).toEqual({ from: 9, to: 10, count: 10 });
  });
});

describe('countHeight', () => {
  it('is 0 for none and 1 for the largest on every axis', () => {
    for (const axis of ['log', 'square root', 'linear'] as const) {
      expect(countHeight(0, 100, axis)).toBe(0);
      expect(countHeight(100, 100, axis)).toBe(1);
    }
  });

  it('shows a single value among a million on a log axis', () => {
    expect(countHeight(1, 1e6, 'log')).toBeGreaterThan(0.04);
    expect(countHeight(25, 100, 'square root')).toBe(0.5);
    expect(countHeight(25, 100, 'linear')).toBe(0.25);
  });

  it('is 0 where nothing was counted', () => {
    expect(countHeight(0, 0, 'log')).toBe(0);
  });
});

describe('countTicks', () => {
  it('are round counts up to the largest', () => {
    expect(countTicks(4800, 'log')).toEqual([0, 1, 10, 100, 1000]);
    expect(countTicks(480, 'linear')).toEqual([0, 100, 200, 300, 400]);
    expect(countTicks(150, 'linear')).toEqual([0, 50, 100, 150]);
    expect(countTicks(0, 'log')).toEqual([]);
  });
});
