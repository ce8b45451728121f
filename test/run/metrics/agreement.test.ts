import { describe, expect, it } from 'vitest';
import { agreement } from '../../../src/run/metrics/agreement.js';
import { boxes, maskOf, scored, scores, type Given } from './scored.js';

describe('agreement', () => {
  it('of classes is the share of samples with the same answer', async () => {
    const [a, b] = [scores(0, 1, 0), scores(1, 0, 0)];
    const result = await scored(agreement, [
      { predictions: [a, a, b] },
      { predictions: [a, a, { kind: 'class', label: 1 }] },
      { predictions: [a, b, b] },
      { predictions: [b, b, scores(1, 1, 0)] },
    ]);
    expect(result.networks.map(({ value }) => value)).toEqual([100, 75, 50]);
    expect(result.networks[1]).toMatchObject({
      paired: { both: 3, onlyReference: 1, onlyCandidate: 0, neither: 0 },
      confusions: [{ from: 1, to: 0, count: 1 }],
    });
    expect(result.networks[2]!.ties).toBe(1);
    expect(result.disagreements).toContainEqual({ sample: 's2', network: 1, reference: 1, candidate: 0 });
    expect(result.disagreements.every((parted) => !('truth' in parted))).toBe(true);
  });

  it('does not take NaN for NaN', async () => {
    const result = await scored(agreement, [{ predictions: [scores(NaN, 1), scores(NaN, 1)] }]);
    expect(result.networks[1]).toMatchObject({ value: 0, nonFinite: 1 });
  });

  it('of masks is the share of pixels', async () => {
    const result = await scored(agreement, [
      { predictions: [maskOf([[0, 1, 2, 3]]), maskOf([[0, 1, 2, 0]])] },
      { predictions: [maskOf([[0, 1]]), { ...maskOf([[0, 1]]), ties: 2, nonFinite: 1 }] },
    ]);
    expect(result.networks[1]!.value).toBeCloseTo((100 * 5) / 6, 12);
    expect(result.networks[1]).toMatchObject({ ties: 2, nonFinite: 1 });
    expect(result.networks[1]!.replicates).toHaveLength(1000);
  });

  it('of boxes is the F1 of those with a score of 0.3 that share class and half of their area', async () => {
    const sample: Given = {
      predictions: [
        boxes([0, 0, 0.4, 0.4, 1, 0.9], [0.5, 0.5, 0.9, 0.9, 2, 0.8], [0, 0, 1, 1, 3, 0.29]),
        boxes(
          [0, 0, 0.4, 0.41, 1, 0.5], // the first
          [0, 0, 0.4, 0.4, 1, 0.4], // the first again
          [0.5, 0.5, 0.9, 0.9, 1, 0.8], // the second, of another class
          [0, 0, 1, 1, 3, 0.1], // not shown
        ),
      ],
    };
    const result = await scored(agreement, [sample]);
    expect(result.networks[0]!.value).toBe(100);
    expect(result.networks[1]!.value).toBeCloseTo((100 * 2) / (2 + 3), 12);
  });

  it('of boxes has no value where neither shows any', async () => {
    const result = await scored(agreement, [{ predictions: [boxes(), boxes([0, 0, 1, 1, 0, 0.2])] }]);
    expect(result.networks[1]).not.toHaveProperty('value');
  });
});
