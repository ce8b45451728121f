import { describe, expect, it } from 'vitest';
import { IGNORED } from '../../../src/run/labels/truth.js';
import { agreement } from '../../../src/run/metrics/agreement.js';
import { maskMetric } from '../../../src/run/metrics/masks.js';
import { topMetric } from '../../../src/run/metrics/top.js';
import { TransitionCounts } from '../../../src/run/metrics/transitions.js';
import { boxes, label, maskOf, scored, scores, truthMask } from './scored.js';

const first = scores(3, 2, 1);
const second = scores(2, 3, 1);
const nothing = scores(NaN, 0, 0);

describe('transitions', () => {
  it('count what the candidate answers where the reference answers what, whatever the label is', async () => {
    const samples = [
      { truth: label(0), predictions: [first, first, second] },
      { truth: label(1), predictions: [first, second, second] },
      { truth: label(2), predictions: [first, second, second] },
      { truth: label(1), predictions: [second, first, second] },
    ];
    const cells = [
      { from: 0, to: 0, count: 1 },
      { from: 0, to: 1, count: 2 },
      { from: 1, to: 0, count: 1 },
    ];
    for (const metric of [topMetric(1), topMetric(5), agreement]) {
      const { transitions } = await scored(metric, samples);
      expect(transitions, metric.name).toEqual({ cells, leftOut: 0 });
    }
  });

  it('leave out samples in which one of the two has no answer', async () => {
    const { transitions } = await scored(agreement, [
      { predictions: [first, nothing] },
      { predictions: [nothing, first] },
      { predictions: [first, { kind: 'class', label: 7 }] },
    ]);
    expect(transitions).toEqual({ cells: [{ from: 0, to: 7, count: 1 }], leftOut: 0 });
  });

  it('are there only when there are two networks, and not of boxes', async () => {
    const alone = await scored(topMetric(1), [{ truth: label(0), predictions: [first] }]);
    expect(alone).not.toHaveProperty('transitions');
    const ofBoxes = await scored(agreement, [{ predictions: [boxes(), boxes()] }]);
    expect(ofBoxes).not.toHaveProperty('transitions');
  });

  it('of masks count pixels of the output, with and without labels; those without a class not', async () => {
    const was = maskOf([[0, 0, 1, 1, 2, IGNORED]]);
    const is = maskOf([[0, 1, 1, 0, IGNORED, 2]]);
    const cells = [
      { from: 0, to: 0, count: 2 },
      { from: 0, to: 1, count: 2 },
      { from: 1, to: 0, count: 2 },
      { from: 1, to: 1, count: 2 },
    ];
    const sample = { truth: truthMask([[0, 0, 0, 0, 0, 0]]), predictions: [was, is, was] };
    for (const metric of [maskMetric('miou'), maskMetric('pixel-accuracy'), agreement]) {
      const { transitions } = await scored(metric, [sample, sample]);
      expect(transitions, metric.name).toEqual({ cells, leftOut: 0, counted: 'pixels' });
    }
  });

  it('keep the 2000 most frequent cells on the diagonal and beside it, and count what they leave out', () => {
    const counts = new TransitionCounts();
    for (let i = 0; i < 2500; i++) {
      const times = i >= 600 ? 2 : 1;
      for (let k = 0; k < times; k++) {
        counts.add(i, i + 1);
        counts.add(i, i);
      }
    }
    const { cells, leftOut } = counts.result;
    const apart = cells.filter(({ from, to }) => from !== to);
    expect(apart).toHaveLength(2000);
    expect(cells).toHaveLength(4000);
    // 1900 that come twice, and the first 100 of those that come once.
    expect(apart.filter(({ count }) => count === 2)).toHaveLength(1900);
    expect(apart.filter(({ count }) => count === 1).map(({ from }) => from)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    expect(leftOut).toBe(2 * 500);
    expect(
      cells.every(({ from, to }, i) => i === 0 || from > cells[i - 1]!.from || to > cells[i - 1]!.to),
    ).toBe(true);
  });

  it('hold a bounded number of pairs, and lose no sample', () => {
    const counts = new TransitionCounts();
    const pairs = 70_000;
    for (let i = 0; i < pairs; i++) counts.add(i, i + 1);
    counts.add(0, 1);
    counts.add(2 ** 30, 1);
    const { cells, leftOut } = counts.result;
    expect(cells.reduce((sum, { count }) => sum + count, leftOut)).toBe(pairs + 2);
    expect(cells).toHaveLength(2000);
    expect(cells[0]).toEqual({ from: 0, to: 1, count: 2 });
  });
});
