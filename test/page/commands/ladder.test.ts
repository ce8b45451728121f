import { describe, expect, it } from 'vitest';
import { fallAt, fallText, largestFall } from '../../../src/page/commands/ladder.js';
import type { LadderRung } from '../../../src/report/compare-report.js';

function rung(name: LadderRung['rung'], ...outputs: (number | 'exact')[]): LadderRung {
  return {
    rung: name,
    samples: 4,
    outputs: outputs.map((db, at) => ({
      tensor: `out${at}`,
      ...(db === 'exact' ? { exact: true as const } : { sqnrDb: db }),
    })),
  };
}

describe('the ladder of a comparison', () => {
  it('holds weights and activations against the graph, and everything against the worse of the two', () => {
    const ladder = [
      rung('graph', 'exact'),
      rung('weights', 35),
      rung('activations', 22),
      rung('everything', 21),
    ];
    expect(fallAt(ladder, 'weights')).toMatchObject({ toDb: 35 });
    expect(fallAt(ladder, 'activations')).toMatchObject({ toDb: 22 });
    expect(fallAt(ladder, 'everything')).toMatchObject({ fromDb: 22, toDb: 21, by: 1 });
  });

  it('names the step that falls below what is close to float', () => {
    const ladder = [
      rung('graph', 'exact'),
      rung('weights', 35),
      rung('activations', 40),
      rung('everything', 6),
    ];
    expect(largestFall(ladder)).toMatchObject({ rung: 'everything', fromDb: 35, toDb: 6 });
  });

  it('blames the graph where that already computes something else', () => {
    const ladder = [rung('graph', 3), rung('weights', 3), rung('activations', 2.9), rung('everything', 2.8)];
    expect(largestFall(ladder)?.rung).toBe('graph');
  });

  it('takes the output that falls most', () => {
    const fall = largestFall([rung('graph', 'exact', 'exact'), rung('everything', 30, 12)]);
    expect(fall?.tensor).toBe('out1');
    expect(fall === undefined ? '' : fallText(fall)).toBe('from exact to 12.0 dB');
  });

  it('says nothing where every step is exact or better than the one before', () => {
    expect(largestFall([rung('graph', 'exact'), rung('weights', 'exact')])).toBeUndefined();
    expect(fallAt([rung('everything', 10), rung('runtime', 11)], 'runtime')).toBeUndefined();
  });
});
