import { describe, expect, it } from 'vitest';
import { auc } from '../../../src/run/metrics/auc.js';
import { fixture, label, scored, scores, type Given } from './scored.js';

type Rows = readonly (readonly number[])[];

const expected = fixture<{
  auc: {
    labels: readonly number[];
    one: readonly number[];
    binary: number;
    classes: readonly number[];
    logits: Rows;
    multi: number;
    perClass: readonly number[];
    codes: Rows;
    multiCodes: number;
    absent: readonly number[];
    multiAbsent: number;
  };
}>('numbers').auc;

function samplesOf(labels: readonly number[], rows: Rows): Given[] {
  return labels.map((of, i) => ({ truth: label(of), predictions: [scores(...rows[i]!)] }));
}

describe('auc', () => {
  it('equals scikit-learn for one score, with ties', async () => {
    const result = await scored(
      auc,
      samplesOf(
        expected.labels,
        expected.one.map((score) => [score]),
      ),
    );
    expect(result.networks[0]!.value).toBeCloseTo(expected.binary, 12);
    expect(result.networks[0]!.replicates).toHaveLength(1000);
  });

  it('equals it for two scores of which the difference is that score', async () => {
    const rows = expected.one.map((score) => [1, 1 + score]);
    const result = await scored(auc, samplesOf(expected.labels, rows));
    expect(result.networks[0]!.value).toBeCloseTo(expected.binary, 12);
  });

  it('equals its macro average of one class against the rest, from logits', async () => {
    const result = await scored(auc, samplesOf(expected.classes, expected.logits));
    expect(result.networks[0]!.value).toBeCloseTo(expected.multi, 10);
    expect(result.networks[0]!.perClass!.map(({ value }) => value)).toEqual(
      expected.perClass.map((area) => expect.closeTo(area, 10) as number),
    );
    expect(result.description).toContain('softmax');
  });

  it('equals it from probabilities of eight bits, which have many ties', async () => {
    const result = await scored(auc, samplesOf(expected.classes, expected.codes));
    expect(result.networks[0]!.value).toBeCloseTo(expected.multiCodes, 12);
    expect(result.description).toContain('which are probabilities');
  });

  it('leaves classes out that no sample has', async () => {
    const result = await scored(auc, samplesOf(expected.absent, expected.logits));
    expect(result.networks[0]!.value).toBeCloseTo(expected.multiAbsent, 10);
  });

  it('has no value when all labels are of one class, and says why', async () => {
    const result = await scored(auc, samplesOf([1, 1, 1], [[0.2], [0.4], [0.6]]));
    expect(result.networks[0]).not.toHaveProperty('value');
    expect(result.networks[0]!.replicates.every(Number.isNaN)).toBe(true);
    expect(result.description).toContain('no value, since all labels are of one class');
  });

  it('leaves out samples with NaN of the network that has it', async () => {
    const result = await scored(auc, [
      { truth: label(0), predictions: [scores(0.1), scores(0.1)] },
      { truth: label(1), predictions: [scores(0.2), scores(0.2)] },
      { truth: label(1), predictions: [scores(0), scores(NaN)] },
    ]);
    expect(result.networks.map(({ value, nonFinite }) => [value, nonFinite])).toEqual([
      [0.5, 0],
      [1, 1],
    ]);
  });

  it('refuses a label that the outputs do not have', async () => {
    await expect(scored(auc, samplesOf([0, 2], [[0.1], [0.2]]))).rejects.toThrow(
      'auc: sample s1 has the label 2, but the outputs tell 2 classes apart',
    );
  });
});
