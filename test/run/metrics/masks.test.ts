import { describe, expect, it } from 'vitest';
import { IGNORED } from '../../../src/run/labels/truth.js';
import { maskMetric } from '../../../src/run/metrics/masks.js';
import { fixture, maskOf, scored, truthMask, type Given } from './scored.js';

type Rows = readonly (readonly number[])[];

const { masks } = fixture<{
  masks: {
    samples: readonly { grid: Rows; truth: Rows }[];
    iou: readonly number[];
    miou: number;
    accuracy: number;
    support: readonly number[];
  };
}>('numbers');

const SAMPLES: readonly Given[] = masks.samples.map(({ grid, truth }) => ({
  truth: truthMask(truth),
  predictions: [maskOf(grid)],
}));

describe('miou', () => {
  it("equals scikit-learn's Jaccard score of grids that PyTorch enlarges with nearest-exact", async () => {
    const result = await scored(maskMetric('miou'), SAMPLES);
    const [network] = result.networks;
    expect(network!.value).toBeCloseTo(100 * masks.miou, 10);
    expect(network!.perClass!.map(({ value, support }) => [value! / 100, support])).toEqual(
      masks.iou.map((iou, label) => [expect.closeTo(iou, 12) as number, masks.support[label]]),
    );
    expect(network!.also).toEqual([
      { metric: 'pixel-accuracy', value: expect.closeTo(100 * masks.accuracy, 10) as number },
    ]);
    const accuracy = await scored(maskMetric('pixel-accuracy'), SAMPLES);
    expect(accuracy.networks[0]!.value).toBeCloseTo(100 * masks.accuracy, 10);
  });

  it('leaves out classes that neither labels nor prediction have, and counts those only one has as 0', async () => {
    const result = await scored(maskMetric('miou'), [
      { truth: truthMask([[0, 0, 7, 7]]), predictions: [maskOf([[0, 0, 7, 9]])] },
    ]);
    expect(result.networks[0]!.perClass).toEqual([
      { label: 0, value: 100, support: 2 },
      { label: 7, value: 50, support: 2 },
      { label: 9, value: 0, support: 0 },
    ]);
    expect(result.networks[0]!.value).toBe(50);
  });

  it('leaves out pixels to be ignored, and samples with nothing else', async () => {
    const result = await scored(maskMetric('miou'), [
      { truth: truthMask([[1, IGNORED, IGNORED, 0]]), predictions: [maskOf([[1, 1, 0, 0]])] },
      { truth: truthMask([[IGNORED, IGNORED]]), predictions: [maskOf([[1, 0]])] },
    ]);
    expect(result).toMatchObject({ samples: 1, leftOut: 1, networks: [{ value: 100 }] });
  });

  it('takes the placement into account: an image of half the height of its letterbox', async () => {
    // Rows 0 and 3 of the grid are padding; they would be wrong.
    const grid = maskOf([
      [9, 9],
      [0, 1],
      [2, 3],
      [9, 9],
    ]);
    const truth = truthMask([
      [0, 0, 1, 1],
      [2, 2, 3, 3],
    ]);
    const placement = { scaleX: 1, offsetX: 0, scaleY: 0.5, offsetY: 0.25 };
    const result = await scored(maskMetric('miou'), [{ truth, predictions: [grid], placement }]);
    expect(result.networks[0]!.value).toBe(100);
  });

  it('leaves out and counts pixels that the model does not see', async () => {
    const placement = { scaleX: 2, offsetX: -0.5, scaleY: 1, offsetY: 0 };
    const result = await scored(maskMetric('miou'), [
      { truth: truthMask([[5, 0, 1, 5]]), predictions: [maskOf([[0, 1]])], placement },
    ]);
    expect(result.networks[0]).toMatchObject({ value: 100 });
    expect(result.networks[0]!.perClass!.map(({ support }) => support)).toEqual([1, 1]);
    expect(result.description).toContain('50.0 % of the labelled pixels lie outside of what the model sees');
  });

  it('says what a network confuses that the reference tells apart', async () => {
    const result = await scored(maskMetric('miou'), [
      {
        truth: truthMask([[0, 0, 0, 0, 1, 1]]),
        predictions: [maskOf([[0, 0, 0, 0, 1, 1]]), maskOf([[0, 2, 2, 0, 2, 1]])],
      },
    ]);
    expect(result.networks[1]!.confusions).toEqual([
      { from: 0, to: 2, count: 2, share: 0.5 },
      { from: 1, to: 2, count: 1, share: 0.5 },
    ]);
    expect(result.networks[0]).not.toHaveProperty('confusions');
  });

  it('counts cells that were not told, ties and values that are not finite', async () => {
    const prediction = { ...maskOf([[0, IGNORED]]), ties: 3, nonFinite: 1 };
    const result = await scored(maskMetric('miou'), [
      { truth: truthMask([[0, 1]]), predictions: [prediction] },
    ]);
    expect(result.networks[0]).toMatchObject({ value: 50, ties: 3, nonFinite: 1 });
  });

  it('reads masks of two megapixels in a fraction of a second', async () => {
    const data = Uint16Array.from({ length: 2048 * 1024 }, (_, i) => (i >> 8) % 19);
    const truth = { kind: 'mask' as const, width: 2048, height: 1024, data };
    const prediction = {
      ...maskOf([[0]]),
      width: 512,
      height: 256,
      data: new Uint16Array(512 * 256).fill(3),
    };
    const scorer = maskMetric('miou').scorer({ networks: 2 });
    const placement = { scaleX: 1, offsetX: 0, scaleY: 1, offsetY: 0 };
    const start = performance.now();
    for (let index = 0; index < 5; index++)
      await scorer.add({ id: 'big', index, truth, predictions: [prediction, prediction], placement });
    expect((performance.now() - start) / 5).toBeLessThan(1000);
  });
});
