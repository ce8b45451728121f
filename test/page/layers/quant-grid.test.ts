import { describe, expect, it } from 'vitest';
import { gridOf, gridTicks } from '../../../src/page/layers/quant-grid.js';

const UINT8 = { dtype: 'uint8', scale: [0.5], zeroPoint: [10], qmin: 0, qmax: 255, source: 'file' };

describe('gridOf', () => {
  it('reaches from the value of the lowest code to that of the highest', () => {
    expect(gridOf(UINT8)).toEqual({ lo: -5, hi: 122.5, step: 0.5, codes: 256 });
  });

  it('has no grid without one scale for all that is a number', () => {
    expect(gridOf(undefined)).toBeUndefined();
    expect(gridOf({ ...UINT8, scale: [0.5, 1], zeroPoint: [0, 0] })).toBeUndefined();
    for (const scale of [0, -1, NaN, Infinity, 'NaN' as unknown as number]) {
      expect(gridOf({ ...UINT8, scale: [scale] })).toBeUndefined();
    }
  });
});

describe('gridTicks', () => {
  const grid = { lo: -5, hi: 122.5, step: 0.5, codes: 256 };

  it('marks every code where there is room', () => {
    expect(gridTicks(grid, [-1, 1], 100)).toEqual({ every: 1, values: [-1, -0.5, 0, 0.5, 1] });
  });

  it('marks every 2nd, 4th, ... code where there is not, zero among them', () => {
    const { every, values } = gridTicks(grid, [-10, 130], 280);
    // A code has 1 pixel: 4 are the first power of two that leaves 3 between ticks.
    expect(every).toBe(4);
    expect(values).toContain(0);
    expect(values[0]).toBe(-4);
    expect(values.at(-1)).toBe(122);
  });

  it('is bounded by the pixels, however many codes there are', () => {
    const wide = { lo: -2147483648, hi: 2147483647, step: 1, codes: 2 ** 32 };
    expect(gridTicks(wide, [-2147483648, 2147483647], 300).values.length).toBeLessThanOrEqual(101);
  });

  it('has none where the part that is seen holds no code', () => {
    expect(gridTicks(grid, [200, 300], 100).values).toEqual([]);
  });
});
