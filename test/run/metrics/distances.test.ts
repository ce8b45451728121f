import { describe, expect, it } from 'vitest';
import { cosine, mae, psnr, rmse } from '../../../src/run/metrics/distances.js';
import { kl } from '../../../src/run/metrics/kl.js';
import type { Metric } from '../../../src/run/metrics/metric.js';
import type { Truth } from '../../../src/run/labels/truth.js';
import { fixture, scored, scores, values, type Given } from './scored.js';

type Rows = readonly (readonly number[])[];

const { distances, kl: divergence } = fixture<{
  distances: { truth: Rows; values: Rows; rmse: number; mae: number; cosine: number; psnr: number };
  kl: {
    reference: Rows;
    candidate: Rows;
    logits: number;
    scipy: number;
    p: Rows;
    q: Rows;
    probabilities: number;
  };
}>('numbers');

const METRICS: readonly (readonly [Metric, number])[] = [
  [rmse, distances.rmse],
  [mae, distances.mae],
  [cosine, distances.cosine],
  [psnr, distances.psnr],
];

function wanted(...data: readonly number[]): Truth {
  return { kind: 'values', data: Float64Array.from(data) };
}

describe.each(METRICS)('$name', (metric, expected) => {
  it('equals numpy, PyTorch and scikit-learn against labels', async () => {
    const samples = distances.truth.map((row, i): Given => ({
      truth: wanted(...row),
      predictions: [values(...distances.values[i]!)],
    }));
    const result = await scored(metric, samples);
    expect(result.networks[0]!.value).toBeCloseTo(expected, 10);
    expect(result.networks[0]!.replicates).toHaveLength(1000);
  });

  it('compares with the reference where there are no labels', async () => {
    const samples = distances.truth.map((row, i): Given => ({
      predictions: [values(...row), scores(...distances.values[i]!)],
    }));
    const result = await scored(metric, samples);
    expect(result.networks[1]!.value).toBeCloseTo(expected, 10);
  });

  it('leaves out samples with outputs that are not finite, of that network, and counts them', async () => {
    const result = await scored(metric, [
      { truth: wanted(1, 2), predictions: [values(1, 3), values(1, 3)] },
      { truth: wanted(1, 2), predictions: [values(1, 4), values(1, Infinity)] },
    ]);
    const alone = await scored(metric, [{ truth: wanted(1, 2), predictions: [values(1, 3)] }]);
    expect(result.networks.map(({ nonFinite }) => nonFinite)).toEqual([0, 1]);
    expect(result.networks[1]!.value).toBeCloseTo(alone.networks[0]!.value!, 12);
  });

  it('leaves out values that the labels do not know, and samples without any other', async () => {
    const result = await scored(metric, [
      { truth: wanted(1, NaN, 2), predictions: [values(1, 1000, 3)] },
      { truth: wanted(NaN, NaN, NaN), predictions: [values(1, 2, 3)] },
    ]);
    const alone = await scored(metric, [{ truth: wanted(1, 2), predictions: [values(1, 3)] }]);
    expect(result).toMatchObject({ samples: 1, leftOut: 1 });
    expect(result.networks[0]!.value).toBeCloseTo(alone.networks[0]!.value!, 12);
  });

  it('refuses labels of another length', async () => {
    await expect(scored(metric, [{ truth: wanted(1, 2, 3), predictions: [values(1, 2)] }])).rejects.toThrow(
      'sample s0 has 3 values in the labels, but the outputs have 2',
    );
  });
});

describe('samples for which a metric is not defined', () => {
  it('are vectors of zeros for the cosine similarity', async () => {
    const result = await scored(cosine, [
      { truth: wanted(1, 2), predictions: [values(2, 4), values(0, 0)] },
      { truth: wanted(1, 2), predictions: [values(-2, -4), values(1, 2)] },
    ]);
    expect(result.networks.map(({ value }) => value)).toEqual(
      [0, 1].map((v) => expect.closeTo(v, 12) as number),
    );
    expect(result.description).toContain('left out, by network: 0, 1 samples with nothing but zeros');
  });

  it('are those without any error for PSNR, so that the reference against itself has none', async () => {
    const result = await scored(psnr, [{ predictions: [values(0, 1), values(0.1, 1)] }]);
    expect(result.networks[0]).not.toHaveProperty('value');
    expect(result.networks[1]!.value).toBeCloseTo(10 * Math.log10(1 / 0.005), 10);
    expect(result.description).toContain('left out, by network: 1, 0 samples without any error');
  });
});

describe('kl', () => {
  const pairs = (reference: Rows, candidate: Rows): Given[] =>
    reference.map((row, i) => ({ predictions: [scores(...row), scores(...candidate[i]!)] }));

  it('equals PyTorch and SciPy on logits, and is 0 for the reference itself', async () => {
    const result = await scored(kl, pairs(divergence.reference, divergence.candidate));
    expect(result.networks[1]!.value).toBeCloseTo(divergence.logits, 12);
    expect(result.networks[1]!.value).toBeCloseTo(divergence.scipy, 12);
    expect(result.networks[0]!.value).toBe(0);
    expect(result.description).toContain('softmax');
  });

  it('equals SciPy on outputs that are probabilities already', async () => {
    const result = await scored(kl, pairs(divergence.p, divergence.q));
    expect(result.networks[1]!.value).toBeCloseTo(divergence.probabilities, 10);
  });

  it('stays finite where the candidate gives a probability of 0', async () => {
    const result = await scored(kl, [{ predictions: [scores(0.5, 0.5), scores(1, 0)] }]);
    expect(result.networks[1]!.value).toBeCloseTo(0.5 * Math.log(0.5) + 0.5 * Math.log(0.5 / 1e-7), 5);
  });

  it('counts samples that are not finite', async () => {
    const result = await scored(kl, [{ predictions: [scores(1, 2), scores(NaN, 2)] }]);
    expect(result.networks[1]).toMatchObject({ nonFinite: 1 });
    expect(result.networks[1]).not.toHaveProperty('value');
  });
});
