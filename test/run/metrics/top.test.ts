import { describe, expect, it } from 'vitest';
import { topMetric } from '../../../src/run/metrics/top.js';
import { fixture, label, scored, scores, type Given } from './scored.js';

interface Top {
  readonly scores: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly top1: number;
  readonly top5: number;
  readonly recall: readonly number[];
  readonly ties1: number;
  readonly ties5: number;
}

const { top, topDistinct } = fixture<{ top: Top; topDistinct: Top }>('numbers');

function samplesOf({ scores: rows, labels }: Top): Given[] {
  return rows.map((row, i) => ({ truth: label(labels[i]!), predictions: [scores(...row)] }));
}

/** One-hot answers: `right[i]` says whether sample i of `classes` classes is answered with its label. */
function answers(labels: readonly number[], classes: number, shift: number): Given[] {
  return labels.map((of) => ({
    truth: label(of),
    predictions: [scores(...Array.from({ length: classes }, (_, i) => Number(i === of + shift)))],
  }));
}

describe('top1 and top5', () => {
  it('equal numpy and scikit-learn on scores of which many are equal', async () => {
    const first = await scored(topMetric(1), samplesOf(top));
    const five = await scored(topMetric(5), samplesOf(top));
    expect(first.networks[0]!.value).toBeCloseTo(100 * top.top1, 10);
    expect(five.networks[0]!.value).toBeCloseTo(100 * top.top5, 10);
    expect(first.networks[0]!.ties).toBe(top.ties1);
    expect(five.networks[0]!.ties).toBe(top.ties5);
    expect(first.networks[0]!.perClass!.map(({ value }) => value! / 100)).toEqual(
      top.recall.map((recall) => expect.closeTo(recall, 12) as number),
    );
  });

  it('equal scikit-learn where no scores are equal', async () => {
    const [network] = (await scored(topMetric(1), samplesOf(topDistinct))).networks;
    expect(network!.value).toBeCloseTo(100 * topDistinct.top1, 10);
    expect(network!.ties).toBe(0);
    expect((await scored(topMetric(5), samplesOf(topDistinct))).networks[0]!.value).toBeCloseTo(
      100 * topDistinct.top5,
      10,
    );
  });

  it('count who is right in pairs, and keep no resamplings', async () => {
    const [right, wrong] = [scores(0, 1, 0), scores(1, 0, 0)];
    const result = await scored(topMetric(1), [
      { truth: label(1), predictions: [right, right] },
      { truth: label(1), predictions: [right, wrong] },
      { truth: label(1), predictions: [right, wrong] },
      { truth: label(1), predictions: [wrong, right] },
      { truth: label(1), predictions: [wrong, wrong] },
    ]);
    expect(result.networks[0]!.paired).toBeUndefined();
    expect(result.networks[1]).toMatchObject({
      value: 40,
      hits: 2,
      paired: { both: 1, onlyReference: 2, onlyCandidate: 1, neither: 1 },
      confusions: [{ from: 1, to: 0, count: 1, share: 0.2 }],
    });
    expect(result.networks[1]!.replicates).toHaveLength(0);
    expect(result.disagreements).toEqual([
      { sample: 's1', network: 1, truth: 1, reference: 1, candidate: 0 },
      { sample: 's2', network: 1, truth: 1, reference: 1, candidate: 0 },
      { sample: 's3', network: 1, truth: 1, reference: 0, candidate: 1 },
    ]);
  });

  it('take NaN and +Infinity for wrong and count them, but not the logarithm of a probability of 0', async () => {
    const result = await scored(topMetric(1), [
      { truth: label(1), predictions: [scores(0, 5, NaN)] },
      { truth: label(1), predictions: [scores(0, Infinity, 0)] },
      { truth: label(1), predictions: [scores(-Infinity, -1, -2)] },
      { truth: label(0), predictions: [scores(-Infinity, -Infinity, -Infinity)] },
    ]);
    expect(result.networks[0]).toMatchObject({ hits: 1, nonFinite: 3, value: 25 });
  });

  it('take the class of networks that end in ArgMax', async () => {
    const result = await scored(topMetric(1), [
      { truth: label(3), predictions: [{ kind: 'class', label: 3 }] },
      { truth: label(2), predictions: [{ kind: 'class', label: 3 }] },
      { truth: label(2), predictions: [{ kind: 'class', label: NaN }] },
    ]);
    expect(result.networks[0]).toMatchObject({ hits: 1, ties: 0, nonFinite: 1 });
  });

  it('say what guessing scores: the most frequent class, or one of all', async () => {
    const labels = [0, 0, 0, 1];
    expect((await scored(topMetric(1), answers(labels, 10, 0))).chance).toBe(75);
    expect((await scored(topMetric(1), answers([0, 1, 2, 3, 4, 5, 6, 7], 4000, 0))).chance).toBe(12.5);
    expect((await scored(topMetric(5), answers([0, 1, 2, 3], 3, 0))).chance).toBe(100);
  });

  it('have no value without samples', () => {
    const result = topMetric(1).scorer({ networks: 1 }).result();
    expect(result.networks[0]).not.toHaveProperty('value');
    expect(result).not.toHaveProperty('chance');
  });

  it('refuse outputs with one score', async () => {
    await expect(scored(topMetric(1), [{ truth: label(1), predictions: [scores(0.7)] }])).rejects.toThrow(
      'top1 compares the scores of classes; the outputs give 1 for sample s0',
    );
  });
});

describe('label offset', () => {
  const labels = Array.from({ length: 40 }, (_, i) => i % 10);

  it('is applied when the model has one class more than the labels', async () => {
    const result = await scored(topMetric(1), answers(labels, 11, 1), { classes: 11, labelCount: 10 });
    expect(result.labelOffset).toEqual({ offset: 1, value: 100, isApplied: true });
    expect(result.networks[0]).toMatchObject({ value: 100, hits: 40 });
    expect(result.networks[0]!.perClass!.map((score) => score.label)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  it('is only reported when the counts of classes do not explain it', async () => {
    const above = await scored(topMetric(1), answers(labels, 12, 1), { labelCount: 10 });
    expect(above.labelOffset).toEqual({ offset: 1, value: 100, isApplied: false });
    expect(above.networks[0]!.value).toBe(0);
    const below = await scored(
      topMetric(1),
      answers(
        labels.map((of) => of + 1),
        10,
        -1,
      ),
    );
    expect(below.labelOffset).toEqual({ offset: -1, value: 100, isApplied: false });
  });

  it('is not seen where the labels fit, in few samples, or between two classes', async () => {
    expect(await scored(topMetric(1), answers(labels, 11, 0), { labelCount: 10 })).not.toHaveProperty(
      'labelOffset',
    );
    const few = answers([0, 1, 2, 3, 4], 6, 1);
    expect(await scored(topMetric(1), few, { labelCount: 5 })).not.toHaveProperty('labelOffset');
    const swapped = Array.from({ length: 40 }, (_, i) => ({
      truth: label(i % 2),
      predictions: [i % 2 === 0 ? scores(0, 1) : scores(1, 0)],
    }));
    expect(await scored(topMetric(1), swapped)).not.toHaveProperty('labelOffset');
  });
});
