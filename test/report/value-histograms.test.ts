import { describe, expect, it } from 'vitest';
import type { ReportedTensor } from '../../src/report/report.js';
import { plot, valuesSection } from '../../src/report/value-histograms.js';
import { displayWidth } from '../../src/report/text-width.js';
import { errorOf } from '../support/evidence.js';

const QUANT = { dtype: 'uint8', scale: [0.0625], zeroPoint: [64], qmin: 0, qmax: 255, source: 'observer' };

function tensor(rest: Partial<ReportedTensor> = {}): ReportedTensor {
  return {
    tensor: 'stem:out',
    node: 'stem',
    op: 'Conv',
    role: 'activation',
    order: 1,
    shape: [1],
    self: errorOf(30, { clippedShare: 0.02 }),
    // Codes reach -4 to 11.9375.
    quant: QUANT,
    histogram: { lo: -8, hi: 8, counts: [1, 10, 1000, 100] },
    ...rest,
  };
}

describe('a histogram', () => {
  it('has a bar for each bin by the logarithm of its count, between the ends of its quantizer', () => {
    const histogram = { lo: 0, hi: 4, counts: [0, 1, 1000, 30] };
    expect(plot(histogram, histogram, undefined, 4)).toBe(' ▁█▄');
    expect(plot(histogram, histogram, { lo: 1, hi: 3 }, 4)).toBe(' [▁█]▄');
    expect(plot(histogram, { lo: -2, hi: 6 }, { lo: -2, hi: 6 }, 8)).toBe('[   ▁█▄  ]');
  });

  it('loses no count: bins share columns, or columns bins', () => {
    for (const room of [1, 3, 7, 16, 64]) {
      const histogram = { lo: -1, hi: 1, counts: Array.from({ length: 16 }, (_, i) => (i === 13 ? 1 : 0)) };
      const bars = plot(histogram, histogram, undefined, room);
      expect(bars).toHaveLength(room);
      // The only bin lies from 0.625 to 0.75.
      expect(bars[Math.min(Math.floor(0.84 * room), room - 1)]).toBe('█');
    }
  });
});

describe('values of the worst layers', () => {
  const lines = (tensors: readonly ReportedTensor[], width = 110, top = 5): string[] =>
    valuesSection(tensors, { width, top });

  it('say where they reach, where the quantizer does, and what it clips', () => {
    const [title, head, row] = lines([tensor()]);
    expect(title).toBe('VALUES of the worst layers, float, and what their quantizers reach');
    expect(head!.trim().split(/ +/)).toEqual(['layer', 'from', 'to', 'clipped']);
    expect(row).toMatch(/^ {2}stem +-8 {2}▁+.*\[.*█.*\] +11\.94 +2 %$/);
  });

  it('have a second line where outliers leave most of them few bins', () => {
    const bulk = { lo: 0, hi: 2, counts: [5, 6, 7] };
    expect(lines([tensor({ bulk })])[3]).toMatch(/^ {4}98 % of them +0 +[▁-█]+ +2$/);
  });

  it('are left out where there is no histogram, or none that can be drawn, and end with --top', () => {
    const broken = [
      undefined,
      { lo: 1, hi: 1, counts: [3] },
      { lo: 0, hi: 1, counts: [] },
      { lo: 0, hi: 1, counts: [0, 0] },
    ];
    for (const histogram of broken) {
      const without: { histogram?: ReportedTensor['histogram'] } & ReportedTensor = { ...tensor() };
      delete without.histogram;
      expect(lines([histogram === undefined ? without : { ...without, histogram }])).toEqual([]);
    }
    expect(
      lines([tensor(), tensor(), tensor()], 110, 2).filter((line) => line.startsWith('  stem')),
    ).toHaveLength(2);
  });

  it('fit any width, with any parameters of a file', () => {
    const odd = [
      { ...QUANT, scale: [Number.NaN] },
      { ...QUANT, scale: ['NaN' as unknown as number] },
      { ...QUANT, scale: [1e-38], zeroPoint: [] },
      { ...QUANT, scale: [1e38] },
      { ...QUANT, scale: [1, 2] },
    ];
    for (let width = 40; width <= 160; width += 3)
      for (const quant of odd)
        for (const node of ['n', '层'.repeat(90)])
          expect(
            lines([tensor({ quant, node })], width).filter((line) => displayWidth(line) > width),
          ).toEqual([]);
  });
});
