import { describe, expect, it } from 'vitest';
import { ResampledSums, weightsOfReplicate, weightsOfSample } from '../../../src/run/metrics/bootstrap.js';
import { mae, rmse } from '../../../src/run/metrics/distances.js';
import { auc } from '../../../src/run/metrics/auc.js';
import { boxMetric } from '../../../src/run/metrics/boxes.js';
import { maskMetric } from '../../../src/run/metrics/masks.js';
import { boxes, label, maskOf, scored, scores, truthBoxes, truthMask, values, type Given } from './scored.js';

const SAMPLES = 400;
const REPLICATES = 2000;

function mean(of: Float64Array): number {
  return of.reduce((sum, value) => sum + value, 0) / of.length;
}

function deviation(of: Float64Array): number {
  const centre = mean(of);
  return Math.sqrt(of.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (of.length - 1));
}

/** Numbers without any order that are the same in every run. */
const NUMBERS = Float64Array.from({ length: SAMPLES }, (_, i) => Math.abs(Math.sin(i * i + 1)) ** 3);

describe('weights', () => {
  const all = Array.from({ length: SAMPLES }, (_, i) => weightsOfSample(i, new Uint8Array(REPLICATES)));

  it('are drawn from Poisson(1)', () => {
    const seen = new Float64Array(13);
    for (const weights of all) for (const weight of weights) seen[weight]!++;
    const draws = SAMPLES * REPLICATES;
    let probability = Math.exp(-1);
    for (let k = 0; k <= 6; k++) {
      const error = Math.sqrt(draws * probability * (1 - probability));
      expect(Math.abs(seen[k]! - draws * probability)).toBeLessThan(4.5 * error);
      probability /= k + 1;
    }
  });

  it('of different samples, and of different replicates, are not correlated', () => {
    const limit = 4.5 / Math.sqrt(REPLICATES);
    for (let i = 1; i < 50; i++) {
      let sum = 0;
      for (let r = 0; r < REPLICATES; r++) sum += (all[i]![r]! - 1) * (all[i - 1]![r]! - 1);
      expect(Math.abs(sum / REPLICATES)).toBeLessThan(limit);
      let shifted = 0;
      for (let r = 1; r < REPLICATES; r++) shifted += (all[i]![r]! - 1) * (all[i - 1]![r - 1]! - 1);
      expect(Math.abs(shifted / REPLICATES)).toBeLessThan(limit);
    }
  });

  it('are the same sample by sample and replicate by replicate', () => {
    const indices = Int32Array.from({ length: SAMPLES }, (_, i) => i);
    for (const replicate of [0, 1, 999, 1999])
      expect([...weightsOfReplicate(indices, replicate, new Uint8Array(SAMPLES))]).toEqual(
        all.map((weights) => weights[replicate]),
      );
  });
});

describe('the bootstrap', () => {
  it('has the standard error of a mean', () => {
    const sums = new ResampledSums(REPLICATES);
    const weights = new Uint8Array(REPLICATES);
    for (const [i, number] of NUMBERS.entries()) {
      weightsOfSample(i, weights);
      sums.add(0, number, weights);
      sums.add(1, 1, weights);
    }
    const found = sums.replicates((sum) => sum(0) / sum(1));
    const expected = deviation(NUMBERS) / Math.sqrt(SAMPLES);
    // A deviation from 2000 replicates has itself an error of 1 / sqrt(4000) = 1.6 %.
    expect(deviation(found) / expected).toBeGreaterThan(0.94);
    expect(deviation(found) / expected).toBeLessThan(1.06);
    expect(Math.abs(mean(found) - mean(NUMBERS))).toBeLessThan(
      (4 * expected) / Math.sqrt(REPLICATES) + expected / 20,
    );
  });

  it('resamples all networks alike, so that equal networks differ in no replicate', async () => {
    const grid = (i: number): readonly (readonly number[])[] => [[i % 3, (i + 1) % 3]];
    const families: [Parameters<typeof scored>[0], (i: number) => Given][] = [
      [
        rmse,
        (i) => ({ truth: { kind: 'values', data: NUMBERS.slice(i, i + 1) }, predictions: twice(values(0)) }),
      ],
      [auc, (i) => ({ truth: label(i % 2), predictions: twice(scores(NUMBERS[i]!)) })],
      [maskMetric('miou'), (i) => ({ truth: truthMask([[0, 1]]), predictions: twice(maskOf(grid(i))) })],
      [
        boxMetric('map'),
        (i) => ({
          truth: truthBoxes([0, 0, 1, 1, i % 2, 0]),
          predictions: twice(boxes([0, 0, 1, 0.5 + NUMBERS[i]! / 2, 0, NUMBERS[i]!])),
        }),
      ],
    ];
    for (const [metric, sample] of families) {
      const samples = Array.from({ length: 60 }, (_, i) => sample(i));
      const [reference, candidate] = (await scored(metric, samples)).networks;
      expect(reference!.replicates.length).toBe(1000);
      expect(new Set(reference!.replicates).size).toBeGreaterThan(20);
      expect(candidate!.replicates).toEqual(reference!.replicates);
    }
  });

  it('gives the same numbers in every run, whatever else is scored, and others for other samples', async () => {
    const samples = (from: number): Given[] =>
      Array.from(NUMBERS.subarray(from, from + 50), (number) => ({
        truth: { kind: 'values', data: Float64Array.of(number) },
        predictions: [values(0)],
      }));
    const first = (await scored(mae, samples(0))).networks[0]!.replicates;
    const wider = samples(0).map(({ truth, predictions }): Given => ({
      truth: truth!,
      predictions: [...predictions, values(7)],
    }));
    expect((await scored(mae, wider)).networks[0]!.replicates).toEqual(first);
    expect((await scored(mae, samples(0), { replicates: 10 })).networks[0]!.replicates).toEqual(
      first.slice(0, 10),
    );
    expect((await scored(mae, samples(50))).networks[0]!.replicates).not.toEqual(first);
  });
});

function twice<T>(prediction: T): readonly [T, T] {
  return [prediction, prediction];
}
