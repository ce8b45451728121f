import { describe, expect, it } from 'vitest';
import { boxMetric } from '../../../src/run/metrics/boxes.js';
import type { MetricResult } from '../../../src/run/metrics/metric.js';
import { boxes, fixture, scored, truthBoxes, type Given } from './scored.js';

interface CocoCase {
  readonly name: string;
  readonly images: readonly {
    readonly truth: readonly (readonly number[])[];
    readonly detections: readonly (readonly number[])[];
  }[];
  readonly expected: {
    readonly map: number;
    readonly map50: number;
    readonly map75: number;
    readonly perClass: Readonly<Record<string, { readonly ap: number; readonly recall50: number }>>;
  };
}

const CASES = fixture<readonly CocoCase[]>('coco');

/** Pixels of 640x480 as shares. */
function share([x0, y0, x1, y1, ...rest]: readonly number[]): number[] {
  return [x0! / 640, y0! / 480, x1! / 640, y1! / 480, ...rest];
}

function samplesOf({ images }: CocoCase): Given[] {
  return images.map(({ truth, detections }) => ({
    truth: truthBoxes(...truth.map(share)),
    predictions: [boxes(...detections.map(share))],
  }));
}

/** pycocotools says -1 for no value. */
function expectValue(value: number | undefined, expected: number): void {
  if (expected === -1) expect(value).toBeUndefined();
  else expect(value! / 100).toBeCloseTo(expected, 12);
}

function valueOf(result: MetricResult, metric: string): number | undefined {
  return result.networks[0]!.also?.find((other) => other.metric === metric)?.value;
}

describe('map', () => {
  it.each(CASES)('equals pycocotools: $name', async (given) => {
    const { expected } = given;
    const result = await scored(boxMetric('map'), samplesOf(given), { replicates: 2 });
    expectValue(result.networks[0]!.value, expected.map);
    expectValue(valueOf(result, 'map50'), expected.map50);
    expectValue(valueOf(result, 'map75'), expected.map75);
    expect(
      Object.fromEntries(
        result.networks[0]!.perClass!.map(({ label, value, recall }) => [
          label,
          { ap: value! / 100, recall50: recall! / 100 },
        ]),
      ),
    ).toEqual(
      Object.fromEntries(
        Object.entries(expected.perClass).map(([label, { ap, recall50 }]) => [
          label,
          { ap: expect.closeTo(ap, 12) as number, recall50: expect.closeTo(recall50, 12) as number },
        ]),
      ),
    );
    const half = await scored(boxMetric('map50'), samplesOf(given), { replicates: 2 });
    expectValue(half.networks[0]!.value, expected.map50);
    const high = await scored(boxMetric('map75'), samplesOf(given), { replicates: 2 });
    expectValue(high.networks[0]!.value, expected.map75);
  });

  it('resamples images, not boxes: a replicate is the metric of the images it draws', async () => {
    const [first, second] = [[0.1, 0.1, 0.4, 0.4, 0] as const, [0.5, 0.5, 0.9, 0.9, 0] as const];
    const samples: Given[] = [
      { truth: truthBoxes([...first, 0]), predictions: [boxes([...first, 0.9])] },
      { truth: truthBoxes([...second, 0]), predictions: [boxes([...first, 0.8])] },
    ];
    const { replicates } = (await scored(boxMetric('map50'), samples)).networks[0]!;
    const possible = new Set<string>();
    for (const value of replicates) possible.add(Number.isNaN(value) ? 'none' : String(Math.round(value)));
    // Only the first image: 100. Only the second: 0. As many of both: recall 1/2, that is 51 of 101 recalls.
    expect(possible.has('100') && possible.has('0') && possible.has('50') && possible.has('none')).toBe(true);
  });

  it('counts samples with values that are not finite, and leaves those boxes out', async () => {
    const box = [0.1, 0.1, 0.4, 0.4, 0] as const;
    const result = await scored(boxMetric('map50'), [
      { truth: truthBoxes([...box, 0]), predictions: [boxes([NaN, 0, 1, 1, 0, 0.95], [...box, 0.9])] },
      { truth: truthBoxes([...box, 0]), predictions: [{ ...boxes([...box, 0.9]), nonFinite: 2 }] },
    ]);
    expect(result.networks[0]!.nonFinite).toBe(2);
    expect(result.networks[0]!.value).toBeCloseTo(100, 9);
  });

  it('takes no more than some seconds for many detections, with fewer resamplings, and says so', async () => {
    const samples = Array.from({ length: 250 }, (_, i): Given => {
      const rows = Array.from({ length: 100 }, (_, k) => [
        k / 100,
        0.1,
        (k + 1) / 100,
        0.5 + ((i * k) % 7) / 100,
        0,
      ]);
      return {
        truth: truthBoxes(...rows.map((row) => [...row, 0])),
        predictions: [0.01, 0.02].map((slack) =>
          boxes(
            ...rows.map(([x0, y0, x1, y1], k) => [x0!, y0!, x1! + slack / 5, y1!, 0, ((i + k) % 97) / 97]),
          ),
        ),
      };
    });
    const start = performance.now();
    const result = await scored(boxMetric('map'), samples);
    const { length } = result.networks[0]!.replicates;
    expect(performance.now() - start).toBeLessThan(30_000);
    expect(length).toBeLessThan(1000);
    expect(length).toBeGreaterThanOrEqual(50);
    expect(result.description).toContain(`interval from ${length} resamplings`);
  });
});
