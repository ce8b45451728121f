import { describe, expect, it } from 'vitest';
import { costsOf, frontOf, metText, paretoPoints, targetDrop } from '../../../src/page/commands/pareto.js';
import type { SweepPage } from '../../../src/page/commands/sweep-numbers.js';
import type { ReportedSearch, SearchedPoint } from '../../../src/report/sweep-report.js';

function point(macsShare: number, drop: number | undefined, meetsTarget = false): SearchedPoint {
  return {
    layers: [],
    macsShare,
    extraBytes: 100,
    effect: {},
    ...(drop === undefined ? {} : { drop }),
    meetsTarget,
    isPareto: false,
  };
}

function sweep(target: string, points: readonly SearchedPoint[], labelled = true): SweepPage {
  return {
    search: { to: 'float', target, points, stopped: '' },
    float: { accuracy: 80 },
    basis: { metric: {} },
    ...(labelled ? { accuracy: { reference: 80 } } : {}),
  } as unknown as SweepPage;
}

describe('the plot of a search', () => {
  it('joins the sets that no cheaper one betters', () => {
    const search: ReportedSearch = {
      to: 'float',
      target: '1pt',
      stopped: '',
      points: [
        point(0.5, 1),
        point(0, 10),
        point(0.1, 12),
        point(0.2, 4),
        point(0.6, 1),
        point(0.2, 5),
        point(0.3, undefined),
      ],
    };
    expect(frontOf(paretoPoints(search, 'macs')).map(({ at }) => at)).toEqual([1, 3, 0]);
  });

  it('offers no cost that is the same for all sets', () => {
    expect(costsOf({ to: 'float', target: '1pt', stopped: '', points: [point(0, 1), point(1, 0)] })).toEqual([
      'macs',
    ]);
  });

  it('reads the target: points, percent of what float scores, and dB that are missing', () => {
    expect(targetDrop(sweep('1pt', [point(0, 2), point(1, 0.5, true)]))).toBe(1);
    expect(targetDrop(sweep('1%', [point(0, 2), point(1, 0.5, true)]))).toBeCloseTo(0.8);
    expect(targetDrop(sweep('40dB', [point(0, 12), point(1, -3, true)], false))).toBe(0);
  });

  it('draws no target that was not judged by', () => {
    expect(targetDrop(sweep('1pt', [point(0, 2, true)]))).toBeUndefined();
    expect(targetDrop(sweep('a lot', [point(0, 2)]))).toBeUndefined();
  });

  it('tells a target that is met for sure from one that may be', () => {
    expect(metText(point(0, 2))).toBe('missed');
    expect(metText(point(0, 0.5, true))).toBe('met');
    expect(metText({ ...point(0, 0.5, true), dropInterval: [0, 2] })).toBe('met, unsure');
    expect(metText({ ...point(0, 0.5, true), dropInterval: [0, 0.9], isCertain: true })).toBe('met');
  });
});
