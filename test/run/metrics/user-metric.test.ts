import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { DataError, UsageError } from '../../../src/errors.js';
import { METRIC_NAMES, metricNamed } from '../../../src/run/metrics/index.js';
import { METRIC_TEMPLATE } from '../../../src/run/metrics/metric-template.js';
import { topMetric } from '../../../src/run/metrics/top.js';
import { label, scored, scores, values, type Given } from './scored.js';

const folder = mkdtempSync(join(tmpdir(), 'qdbg-metric-'));
let files = 0;

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.useRealTimers());

function moduleOf(text: string): string {
  const path = join(folder, `metric-${files++}.mjs`);
  writeFileSync(path, text);
  return path;
}

const SAMPLES: readonly Given[] = [
  { truth: label(0), predictions: [scores(3, 2, 1, 0), scores(0, 1, 2, 3)] },
  { truth: label(2), predictions: [scores(1, 1, 1, 1), scores(0, 1, 2, 3)] },
  { truth: label(3), predictions: [scores(1, 1, 1, 1), scores(0, 1, 2, 3)] },
];

async function scoredBy(body: string, samples = SAMPLES): ReturnType<typeof scored> {
  return scored(await metricNamed(moduleOf(`export default { name: 'own', ${body} };`)), samples);
}

async function failure(body: string): Promise<string> {
  const error = await scoredBy(body).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(DataError);
  return (error as DataError).message.replace(/\S*metric-\d+\.mjs/, 'FILE');
}

describe('a metric of the user', () => {
  it('is made of sums, and gets intervals', async () => {
    const result = await scoredBy(
      `unit: '%', better: 'lower',
       measure: ({ prediction, truth }) => [prediction.scores[truth.label], 2],
       value: (sums, samples) => sums[0] / sums[1] / samples`,
    );
    expect(result).toMatchObject({ metric: 'own', unit: '%', better: 'lower', samples: 3 });
    expect(result.networks[0]!.value).toBeCloseTo((100 * 5) / 6 / 3, 12);
    expect(result.networks[0]!.replicates).toHaveLength(1000);
    expect(new Set(result.networks[0]!.replicates).size).toBeGreaterThan(5);
  });

  it('may measure later, and is the mean of the first number without value', async () => {
    const result = await scoredBy(
      'async measure({ id, reference, prediction }) { return Number(reference === prediction); }',
    );
    expect(result.networks.map(({ value }) => value)).toEqual([1, 0]);
    expect(result).toMatchObject({ unit: '', better: 'higher' });
  });

  it('leaves samples out with an empty array, which are counted', async () => {
    const result = await scoredBy(`measure: ({ id }) => (id === 's1' ? [] : 4)`);
    expect(result.networks[0]!.value).toBe(4);
    expect(result.description).toContain('left out, by network: 1, 1 samples by the metric');
  });

  it('sees the outputs and does without labels', async () => {
    const metric = await metricNamed(
      moduleOf(
        `export default { name: 'own', measure: ({ outputs, truth }) => outputs[0].data[0] + (truth === undefined ? 0 : 9) };`,
      ),
    );
    const scorer = metric.scorer({ networks: 1 });
    const outputs = [[{ name: 'y', dims: [1], data: Float32Array.of(5) }]];
    await scorer.add({
      id: 'a',
      index: 0,
      predictions: [values(1)],
      placement: { scaleX: 1, offsetX: 0, scaleY: 1, offsetY: 0 },
      outputs,
    });
    expect(scorer.result().networks[0]!.value).toBe(5);
    expect(metric.labelFree).toBe(true);
  });

  it('has no value where value says NaN', async () => {
    expect((await scoredBy('measure: () => 1, value: () => NaN')).networks[0]).not.toHaveProperty('value');
  });

  it.each([
    ['throws', `measure() { throw new RangeError('no\\nway') }`, 'measure threw RangeError: no'],
    ['throws no error', `measure() { throw Object.create(null) }`, 'measure threw an object'],
    ['rejects', `measure: () => Promise.reject(new Error('later'))`, 'measure rejected: Error: later'],
    ['gives NaN', 'measure: () => NaN', 'measure gave NaN; wanted is a finite number'],
    ['gives a text', `measure: () => 'good'`, 'measure gave "good"; wanted'],
    ['gives nothing', 'measure() {}', 'measure gave undefined; wanted'],
    [
      'gives a wrong number among others',
      'measure: () => [1, Infinity]',
      'measure gave Infinity at 1; wanted',
    ],
    ['gives too many', 'measure: () => new Array(1001).fill(1)', 'measure gave 1001 numbers; up to 1000'],
  ])('that %s is told from the sample', async (_, body, message) => {
    expect(await failure(body)).toContain(`metric FILE, sample s0, reference: ${message}`);
  });

  it('that gives another count of numbers is told from the network', async () => {
    expect(
      await failure(`measure: ({ prediction, reference }) => (prediction === reference ? [1] : [1, 2])`),
    ).toBe(
      'metric FILE, sample s0, candidate: measure gave 2 numbers, but 1 for the samples before; wanted are always as many',
    );
  });

  it('is told from its value', async () => {
    expect(await failure('measure: () => 1, value: async () => 1')).toBe(
      'metric FILE: value gave a promise; wanted is a number, NaN for none',
    );
    expect(await failure('measure: () => 1, value() { null.x }')).toContain(
      'metric FILE: value threw TypeError',
    );
  });

  it('that throws is told with the line', async () => {
    const path = moduleOf(
      `export default {\n  name: 'own',\n  measure() {\n    throw new Error('no');\n  },\n};\n`,
    );
    await expect(scored(await metricNamed(path), SAMPLES)).rejects.toMatchObject({ places: [`${path}:4`] });
  });

  it('that never answers is given up after a minute', async () => {
    const metric = await metricNamed(
      moduleOf(`export default { name: 'own', measure: () => new Promise(() => {}) };`),
    );
    vi.useFakeTimers();
    const outcome = scored(metric, SAMPLES).catch((cause: unknown) => cause);
    await vi.advanceTimersByTimeAsync(59_000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toMatchObject({
      message: expect.stringContaining(
        'sample s0, reference: measure has not answered in 60 seconds',
      ) as string,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['no default export', 'export const name = 1;', 'has no default export'],
    ['another default export', 'export default () => 1;', 'has a default export that is a function'],
    ['an error of syntax', 'export default {', 'cannot be loaded: '],
    ['an error on loading', `throw new Error('boom');`, 'cannot be loaded: Error: boom'],
  ])('with %s is refused', async (_, text, message) => {
    const error = await metricNamed(moduleOf(text)).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toContain(message);
  });

  it('is told everything that is wrong with its form at once', async () => {
    const path = moduleOf(`export default { name: '', unit: 'm', better: 'up', value: 3 };`);
    await expect(metricNamed(path)).rejects.toMatchObject({
      places: [
        'name is ""; wanted is one line of up to 40 characters',
        `unit is "m"; wanted is '%', 'dB' or ''`,
        `better is "up"; wanted is 'higher' or 'lower'`,
        'measure is undefined; wanted is a function',
        'value is 3; wanted is a function, or nothing',
      ],
    });
  });

  it('that is not there is a mistake of usage', async () => {
    const error = await metricNamed('./no-such-metric.js').catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      message: '--metric ./no-such-metric.js: there is no such file',
      exitCode: 2,
    });
  });
});

describe('the template', () => {
  it('works as it stands: top-3, of equal scores the first', async () => {
    const metric = await metricNamed(moduleOf(METRIC_TEMPLATE));
    const result = await scored(metric, SAMPLES);
    expect(result.networks.map(({ value }) => value)).toEqual([
      expect.closeTo(200 / 3, 10) as number,
      expect.closeTo(200 / 3, 10) as number,
    ]);
    const hits = SAMPLES.map(({ predictions, ...rest }) => ({
      ...rest,
      predictions: predictions.map((one) => (one.kind === 'scores' ? scores(...one.scores, -9) : one)),
    }));
    expect((await scored(topMetric(5), hits)).networks[0]!.value).toBe(100);
  });
});

describe('metrics by name', () => {
  it('are found by what they call themselves', async () => {
    for (const name of METRIC_NAMES) expect((await metricNamed(name)).name).toBe(name);
    expect(METRIC_NAMES).toEqual(
      expect.arrayContaining(['top1', 'miou', 'map', 'map50', 'auc', 'agreement', 'kl']),
    );
  });

  it.each([
    ['top-1', '--metric top1'],
    ['mAP@.5', '--metric map50'],
    ['accuracy', '--metric top1'],
    ['__proto__', `--metric ${METRIC_NAMES.join('|')}`],
  ])('hint at what %s may mean', async (name, hint) => {
    const error = await metricNamed(name).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ hint });
  });
});
