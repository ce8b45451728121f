import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { storedRun } from '../../../src/commands/report.js';
import { UsageError } from '../../../src/errors.js';
import type { AnyReport } from '../../../src/report/any-report.js';
import { renderJson } from '../../../src/report/json.js';
import { reportOf } from '../../support/evaluated-runs.js';
import { UNWATCHED } from '../../support/measured-networks.js';

const FIXTURES = new URL('../../../fixtures/', import.meta.url).pathname;
const FOLDER = mkdtempSync(join(tmpdir(), 'qdbg-shards-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

const TODAY = { today: '2026-01-01' };
let made = 0;

async function shard(args: readonly string[], part: string): Promise<string> {
  const file = join(FOLDER, `${made++}.json`);
  writeFileSync(file, renderJson(await reportOf(...args, '--shard', part, '--report', 'json=unused')));
  return file;
}

async function merged(files: readonly string[], options = {}): Promise<AnyReport> {
  return (await storedRun(files, { ...TODAY, ...options })).report(UNWATCHED);
}

/** Numbers within the rounding of sums in another order; all else the same. */
function expectSame(actual: unknown, wanted: unknown, place = ''): void {
  if (typeof wanted === 'number' && typeof actual === 'number') {
    const slack = 1e-9 * Math.max(1e-6, Math.abs(wanted));
    if (!(Math.abs(actual - wanted) <= slack)) expect.fail(`${place}: ${actual}, wanted ${wanted}`);
  } else if (typeof wanted === 'object' && wanted !== null) {
    expect(typeof actual, place).toBe('object');
    expect(Object.keys(actual as object), place).toEqual(Object.keys(wanted));
    for (const [key, value] of Object.entries(wanted))
      expectSame((actual as Record<string, unknown>)[key], value, `${place}.${key}`);
  } else expect(actual, place).toBe(wanted);
}

/** Few of the samples: the same many times over. */
const DIGITS = [
  'analyze',
  `${FIXTURES}digits/digits.onnx`,
  '--calib',
  `${FIXTURES}digits/calib`,
  '--eval',
  `${FIXTURES}digits/eval`,
];

const RESCALED = ['analyze', `${FIXTURES}digits/digits_rescaled.onnx`, '--calib', `${FIXTURES}digits/calib`];

describe('all shards of a run', () => {
  const segmentation = `${FIXTURES}segmentation/`;
  const detection = `${FIXTURES}detection/`;

  it.each<[string, number, readonly string[]]>([
    [
      'classes, held against a gate',
      3,
      [...DIGITS, '--samples', '100', '--max-drop', '1pt', '--min-sqnr', '20'],
    ],
    ['samples that are calibrated on', 2, [...DIGITS.slice(0, 4), '--ladder']],
    [
      'a part of the samples, other metrics',
      4,
      [
        ...DIGITS,
        '--samples',
        '30',
        '--metric',
        'top1',
        '--metric',
        'auc',
        '--metric',
        'kl',
        '--metric',
        'top5',
      ],
    ],
    [
      'rescaled, which findings and fixes are told of',
      3,
      [...RESCALED, ...DIGITS.slice(4), '--samples', '40'],
    ],
    [
      'masks',
      3,
      [
        'analyze',
        `${segmentation}segmentation.onnx`,
        '--calib',
        `${segmentation}calib`,
        '--eval',
        `${segmentation}images`,
      ],
    ],
    [
      'boxes',
      2,
      [
        'analyze',
        `${detection}detection.onnx`,
        '--calib',
        `${detection}calib`,
        '--eval',
        `${detection}images`,
      ],
    ],
    [
      'numbers',
      2,
      [
        ...DIGITS.slice(0, 4),
        '--metric',
        'psnr',
        '--metric',
        'rmse',
        '--metric',
        'cosine',
        '--decode',
        'values',
      ],
    ],
  ])('make the document of one run: %s', async (_, count, args) => {
    const whole = await reportOf(...args);
    const files: string[] = [];
    for (let index = 1; index <= count; index++) files.push(await shard(args, `${index}/${count}`));
    expectSame(await merged(files.reverse()), whole);
  });

  it('make it without the samples, too, but for what fixes would give', async () => {
    const samples = join(FOLDER, 'eval');
    cpSync(`${FIXTURES}digits/eval`, samples, { recursive: true });
    const args = [...RESCALED, '--eval', samples, '--samples', '12'];
    const whole = await reportOf(...args);
    const files = [await shard(args, '1/2'), await shard(args, '2/2')];
    const moved = join(FOLDER, 'moved');
    renameSync(samples, moved);
    const without = (await merged(files)) as typeof whole;
    for (const part of ['tensors', 'accuracy', 'jumps', 'data'] as const)
      expectSame(without[part], whole[part], part);
    expect(without.findings.map(({ rule }) => rule)).toEqual(whole.findings.map(({ rule }) => rule));
    const subjects = without.notMeasured.map(({ subject }) => subject);
    expect(subjects).toContain('what fixes would give');
    await expect(merged(files, { eval: [`${FIXTURES}digits/calib`] })).rejects.toThrow(
      'not the samples that were measured',
    );
    expectSame(((await merged(files, { eval: [moved] })) as typeof whole).findings, whole.findings);
  });
});

describe('a shard by itself', () => {
  it('says in every report that it is one, and has no gate', async () => {
    const report = await reportOf(
      ...DIGITS,
      '--max-drop',
      '1pt',
      '--shard',
      '2/3',
      '--report',
      'json=unused',
    );
    expect(report).not.toHaveProperty('gate');
    expect(report.verdict.summary).toMatch(/^shard 2 of 3, \d+ of \d+ samples, which decides nothing: /);
    expect(report.notMeasured).toContainEqual({
      subject: 'the gate',
      reason: expect.stringContaining('all shards') as string,
    });
    expect(report).toMatchObject({ shard: { index: 2, count: 3 } });
  });

  it('is rendered, not put together', async () => {
    const file = await shard(DIGITS, '2/3');
    expect(await merged([file])).toMatchObject({ shard: { index: 2, count: 3 } });
  });
});

describe('shards that are not all of one run', () => {
  it('are refused with what is wrong', async () => {
    const args = [...DIGITS, '--samples', '12'];
    const [one, two, three] = [await shard(args, '1/3'), await shard(args, '2/3'), await shard(args, '3/3')];
    await expect(merged([one, three])).rejects.toThrow('shard 2 of 3 is missing');
    await expect(merged([three, two])).rejects.toThrow('shard 1 of 3 is missing');
    await expect(merged([one, two, two])).rejects.toThrow('the same shard is there twice');
    const flags = await shard([...args, '--per-axis'], '2/3');
    await expect(merged([one, flags, three])).rejects.toMatchObject({
      message: 'these are not the shards of one run',
      places: [expect.stringContaining('--weights, --activations and their like')],
    });
    const samples = await shard([...DIGITS, '--samples', '15'], '2/3');
    await expect(merged([one, samples, three])).rejects.toMatchObject({
      places: expect.arrayContaining([expect.stringContaining('evaluation data is 15 samples')]) as string[],
    });
    const whole = join(FOLDER, 'whole.json');
    writeFileSync(whole, renderJson(await reportOf(...args)));
    await expect(merged([one, whole])).rejects.toThrow('shards of a run, and documents that are none');
    await expect(merged([whole, whole])).rejects.toThrow('no shards');
    await expect(
      merged([one, two, three], { model: `${FIXTURES}digits/digits_rescaled.onnx` }),
    ).rejects.toThrow('is not the model of these shards');
  });

  it('are refused when there are fewer samples than shards', async () => {
    await expect(shard([...DIGITS, '--samples', '3'], '1/4')).rejects.toThrow(
      'there are 3 samples to measure',
    );
  });
});

it('refuses states that somebody has changed', async () => {
  const file = await shard([...DIGITS, '--samples', '4'], '1/2');
  const second = await shard([...DIGITS, '--samples', '4'], '2/2');
  const document = JSON.parse(renderJson(await merged([file]))) as { shard: { state: string } };
  const { state } = document.shard;
  for (const other of ['', 'x', state.slice(0, 5000), state.slice(100)]) {
    document.shard.state = other;
    const changed = join(FOLDER, 'changed.json');
    writeFileSync(changed, JSON.stringify(document));
    await expect(merged([changed, second])).rejects.toThrow(UsageError);
  }
});
