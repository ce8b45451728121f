import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  classScale,
  LEVELS_SCALE,
  linearScale,
  logScale,
  SHARE_SCALE,
  SQNR_SCALE,
  stepOf,
  STEPS,
} from '../../src/page/graph/ramp.js';
import { compact, decibelReading, shareOfAll } from '../../src/page/graph/reading.js';

const text = (value: number): string => String(value);

describe('the scale of SQNR', () => {
  it('is strongest at 0 dB and below, weakest at 40 dB and above', () => {
    expect([60, 40, 20, 0, -30].map(SQNR_SCALE.position)).toEqual([0, 0, 0.5, 1, 1]);
  });

  it('takes what is exact for as good as can be', () => {
    expect(SQNR_SCALE.position(Infinity)).toBe(0);
  });
});

describe('other scales', () => {
  it('of shares count powers of ten, and 0 as nothing', () => {
    expect(SHARE_SCALE.position(0)).toBe(0);
    expect(SHARE_SCALE.position(0.001)).toBeCloseTo(1 / 3, 10);
    expect(SHARE_SCALE.position(0.5)).toBe(1);
  });

  it('of levels are strongest where one level is left or less', () => {
    expect([4096, 256, 16, 1, 2.8e-6].map(LEVELS_SCALE.position)).toEqual([0, 0, 0.5, 1, 1]);
  });

  it('that are linear reach from 0 to the largest; what is below 0 is 0', () => {
    const { position, marks } = linearScale([-3, 2, 8], text);
    expect([-3, 0, 4, 8].map(position)).toEqual([0, 0, 0.5, 1]);
    expect(marks.map((mark) => mark.text)).toEqual(['0', '4', '8']);
  });

  it('that are linear give no colour where nothing is above 0', () => {
    expect(linearScale([-3, 0], text).position(-3)).toBe(0);
  });

  it('that are logarithmic lie between the extremes, their mark in the middle at the geometric mean', () => {
    const { position, marks } = logScale([0, 0.01, 100], text);
    expect([0, 0.01, 1, 100].map(position)).toEqual([0, 0, 0.5, 1]);
    const [lowest, middle, highest] = marks.map((mark) => Number(mark.text));
    expect(lowest).toBe(0.01);
    expect(middle).toBeCloseTo(1, 10);
    expect(highest).toBe(100);
  });

  it('that are logarithmic do not fail on one value, on none, and on those that are not finite', () => {
    expect(logScale([5, 5], text).position(5)).toBe(0);
    expect(logScale([0], text).position(0)).toBe(0);
    expect(logScale([1, 10, Infinity], text).position(Infinity)).toBe(1);
  });

  it('of kinds put the first at one end and the last at the other', () => {
    expect([0, 1, 2, 3].map(classScale(['a', 'b', 'c', 'd']).position)).toEqual([0, 1 / 3, 2 / 3, 1]);
  });
});

describe('steps of colour', () => {
  it('cover 0..1', () => {
    expect([-1, 0, 0.5, 0.999, 1, 2].map(stepOf)).toEqual([0, 0, 4, 8, 8, 8]);
  });

  it('have text that can be read on them, in every theme', () => {
    const css = readFileSync(new URL('../../src/page/graph/graph.css', import.meta.url), 'utf8');
    const pairs = [...css.matchAll(/--ramp-(\d): (#\w{6});\s+--on-ramp-\1: (#\w{6});/g)];
    // Light, dark of the system, dark chosen, print.
    expect(pairs).toHaveLength(4 * STEPS);
    for (const [, , fill = '', ink = ''] of pairs) expect(contrast(fill, ink)).toBeGreaterThanOrEqual(4.5);
  });

  it('get ever lighter or ever darker, so that they are told apart without hues', () => {
    const css = readFileSync(new URL('../../src/page/graph/graph.css', import.meta.url), 'utf8');
    const lights = [...css.matchAll(/--ramp-\d: (#\w{6});/g)].map(([, colour = '']) => luminance(colour));
    for (let theme = 0; theme < 4; theme++) {
      const its = lights.slice(theme * STEPS, (theme + 1) * STEPS);
      const sorted = [...its].sort((a, b) => a - b);
      expect([sorted, sorted.toReversed()]).toContainEqual(its);
    }
  });
});

/** WCAG 2.2. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const channel = Number.parseInt(colour.slice(i, i + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

describe('numbers in boxes', () => {
  it('are short', () => {
    expect([0, 0.12345, 141.2, 999.6, 12345, 4.56e6, 1e-5].map(compact)).toEqual([
      '0',
      '0.123',
      '141',
      '1k',
      '12.3k',
      '4.56M',
      '1.0e-5',
    ]);
  });

  it('say exact where nothing differs, and nothing where there is no number', () => {
    expect(decibelReading({ exact: true })).toEqual({ value: Infinity, text: 'exact' });
    expect(decibelReading({ sqnrDb: -0.76 })).toEqual({ value: -0.76, text: '-0.8 dB' });
    expect(decibelReading({})).toBeUndefined();
  });

  it('do not round a share to nothing', () => {
    expect([0, 0.0004, 0.282].map(shareOfAll)).toEqual(['0 %', '< 0.1 %', '28.2 %']);
  });
});
