import { describe, expect, it } from 'vitest';
import { inAscii } from '../../src/report/ascii.js';
import { boxPlot } from '../../src/report/box-plot.js';
import { bucketOf, bucketsOf, leastOf, sparkline } from '../../src/report/sparkline.js';
import { displayWidth } from '../../src/report/text-width.js';

describe('a sparkline', () => {
  it('has a bar of its height for each number, and a blank where there is none', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([-3, undefined, 99])).toBe('▁ █');
  });

  it('keeps the least of what shares a bar, and never takes more room than there is', () => {
    for (let many = 1; many < 400; many += 7)
      for (const room of [1, 2, 9, 24, 60, 100]) {
        const buckets = bucketsOf(many, room);
        expect(buckets.width).toBeLessThanOrEqual(room);
        const values = Array.from({ length: many }, (_, i) => (i * 37) % 101);
        const least = leastOf(values, buckets);
        expect(least).toHaveLength(buckets.width);
        // Each number is shown, or hidden by a lower one only.
        for (const [i, value] of values.entries())
          expect(least[bucketOf(i, buckets)]).toBeLessThanOrEqual(value);
        expect(Math.min(...(least as number[]))).toBe(Math.min(...values));
      }
  });

  it('draws a number several times where there is room, four at most, and gaps where nothing was measured', () => {
    expect(leastOf([1, undefined, 3], bucketsOf(3, 6))).toEqual([1, 1, undefined, undefined, 3, 3]);
    expect(bucketsOf(3, 100)).toEqual({ per: 1, repeat: 4, width: 12 });
    expect(bucketsOf(0, 10).width).toBe(0);
  });
});

describe('plain ASCII', () => {
  it('draws bars, sparklines, plots and shortened names in as many cells, heights told apart', () => {
    const bars = inAscii(sparkline([0, 1, 2, 3, 4, 5, 6, 7]));
    expect(bars).toMatch(/^[!-~]{8}$/);
    expect(new Set(bars).size).toBe(8);
    const plot = boxPlot({ min: -8, q1: -5, median: -4, q3: -2, max: -1 }, { min: -10, max: 10 }, 21);
    expect(inAscii(plot)).toBe('  |--=#==|:          ');
    const drawn = '▏▎▍▌▋▊▉█ a…b';
    expect(inAscii(drawn)).toMatch(/^[ -~]+$/);
    expect(displayWidth(inAscii(drawn))).toBe(displayWidth(drawn));
    expect(inAscii('层/é')).toBe('层/é');
  });
});
