import { describe, expect, it } from 'vitest';
import { boxPlot, plotAxis } from '../../src/report/box-plot.js';

const SCALE = { min: -10, max: 10 };

describe('a box plot', () => {
  it('has whiskers from min to max, a box from q1 to q3, the median in it and zero where it is', () => {
    // 21 columns: column of x is x + 10.
    expect(boxPlot({ min: -8, q1: -5, median: -4, q3: -2, max: -1 }, SCALE, 21)).toBe(
      '  ├──▒┃▒▒┤┊          ',
    );
    expect(boxPlot({ min: -10, q1: -1, median: 0, q3: 2, max: 10 }, SCALE, 21)).toBe('├────────▒┃▒▒───────┤');
  });

  it('is its median where all five numbers fall into one column', () => {
    expect(boxPlot({ min: 0.1, q1: 0.1, median: 0.2, q3: 0.3, max: 0.3 }, SCALE, 21)).toBe(
      '          ┃          ',
    );
  });

  it('is as wide as asked for whatever the scale', () => {
    const point = { min: 0, q1: 0, median: 0, q3: 0, max: 0 };
    expect(boxPlot(point, { min: 0, max: 0 }, 5)).toBe('┃    ');
    expect(boxPlot({ ...point, max: 3.4e38 }, { min: -3.4e38, max: 3.4e38 }, 7)).toBe('   ┃──┤');
  });
});

describe('the axis above box plots', () => {
  it('names the ends of the scale, and zero where there is room', () => {
    expect(plotAxis(SCALE, 21, String)).toBe('-10       0        10');
    expect(plotAxis({ min: -0.5, max: 100 }, 21, String)).toBe('-0.5              100');
    expect(plotAxis({ min: 0, max: 1 }, 5, String)).toBe('0   1');
  });
});
