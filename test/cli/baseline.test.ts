/** A committed baseline: written, held against, and refused, through the command line. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Baseline } from '../../src/report/baseline.js';
import type { Report } from '../../src/report/report.js';
import { expectRefused, qdbg } from '../support/program.js';
import { junitFaults, sarifFaults } from '../support/schemas.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);

const DATA = [
  ...['--calib', fixture('digits/calib'), '--eval', fixture('digits/eval')],
  ...['--samples', '40', '--preset', 'unit', '--threads', '1'],
];
const DIGITS = ['analyze', fixture('digits/digits.onnx'), ...DATA];
const RESCALED = ['analyze', fixture('digits/digits_rescaled.onnx'), ...DATA];
const UNLABELLED = ['analyze', fixture('digits/digits.onnx'), '--calib', fixture('digits/calib')];

function folderOf(name: string): string {
  const folder = join(files.folder, name);
  mkdirSync(folder);
  return folder;
}

const path = (name: string): string => join(files.folder, name);
const text = (name: string): string => readFileSync(path(name), 'utf8');

/** Of the network as it should be, and of the same one broken by one scale per tensor but with one per channel. */
beforeAll(async () => {
  const runs = await Promise.all([
    qdbg([...DIGITS, '--baseline', 'healthy.json', '--update-baseline'], files.folder),
    qdbg([...RESCALED, '--per-axis', '--baseline', 'rescaled.json', '--update-baseline'], files.folder),
  ]);
  expect(runs.map(({ code, err }) => [code, err])).toEqual([
    [0, 'qdbg: healthy.json holds this run as the baseline\n'],
    [0, 'qdbg: rescaled.json holds this run as the baseline\n'],
  ]);
});

describe.concurrent('a baseline', () => {
  it('is small, sorted, rounded, and says what it was made with', () => {
    const baseline = JSON.parse(text('healthy.json')) as Baseline;
    expect(text('healthy.json').length).toBeLessThan(10_000);
    expect(Object.keys(baseline)).toEqual(Object.keys(baseline).sort());
    expect(baseline.models.map(({ role }) => role)).toEqual(['model']);
    for (const { sha256 } of [...baseline.models, baseline.data]) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(baseline.data.samples).toBe(40);
    expect(baseline.tool.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(baseline.processor).toMatch(/\S/);
    expect(baseline.accuracy).toMatchObject({ metric: 'top1', samples: 40 });
    for (const { cumulativeDb = 0 } of baseline.layers)
      expect(String(cumulativeDb)).toMatch(/^(exact|-?\d+(\.\d{1,2})?)$/);
    // Nothing in it depends on where it was made.
    expect(text('healthy.json')).not.toContain(projectPath(''));
  });

  it('is the same, byte for byte, for the same run', async () => {
    const folder = folderOf('again');
    await qdbg([...DIGITS, '--baseline', 'b.json', '--update-baseline'], folder);
    expect(readFileSync(join(folder, 'b.json'), 'utf8')).toBe(text('healthy.json'));
  });

  it('passes the run that it was made of, and is left as it is', async () => {
    const before = text('healthy.json');
    const { code, out, err } = await qdbg([...DIGITS, '--baseline', 'healthy.json'], files.folder);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/GATE {2}pass {2}4 checks, all passed/);
    for (const check of ['layers', 'worst layer', 'accuracy', 'coverage'])
      expect(out).toMatch(new RegExp(`baseline ${check} .* pass\\n`));
    expect(text('healthy.json')).toBe(before);
  });

  it('fails a run that is worse, with a table of what has drifted, in every document', async () => {
    const folder = folderOf('worse');
    const reports = ['json', 'junit', 'sarif', 'md', 'csv'].flatMap((name) => [
      '--report',
      `${name}=${name}`,
    ]);
    const baseline = ['--baseline', path('rescaled.json')];
    const { code, out } = await qdbg([...RESCALED, '--per-tensor', ...baseline, ...reports], folder);
    expect(code).toBe(1);
    expect(out).toMatch(/DRIFT {2}against .*rescaled\.json: \d+ layers matched/);
    expect(out).toMatch(/new findings \(1\): w\.per-tensor-spread at block1\/depthwise/);
    expect(out).toMatch(/another scheme/);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const { gate, drift } = JSON.parse(read('json')) as Report;
    expect(gate!.checks.map(({ name, verdict, source }) => [name, verdict, source])).toEqual([
      ['baseline layers', 'fail', 'default'],
      ['baseline worst layer', 'pass', 'default'],
      ['baseline accuracy', 'fail', 'default'],
      ['baseline coverage', 'pass', 'default'],
    ]);
    const fallen = drift!.drift.map(({ node }) => node);
    expect(fallen).toContain('block1/depthwise');
    expect(fallen).toContain('head/classifier');
    expect(await junitFaults(read('junit'))).toEqual([]);
    expect(sarifFaults(read('sarif'))).toEqual([]);
    for (const name of ['junit', 'sarif', 'md']) expect(read(name)).toContain('baseline layers');
  });

  it('passes a run that is better, and says that it can be kept', async () => {
    const folder = folderOf('better');
    const written = [...RESCALED, '--per-tensor', '--baseline', 'b.json', '--update-baseline'];
    expect((await qdbg(written, folder)).code).toBe(0);
    const { code, out } = await qdbg([...RESCALED, '--per-axis', '--baseline', 'b.json'], folder);
    expect(code).toBe(0);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('better than the baseline: --update-baseline keeps it');
  });

  it('of the same network in another file is compared, and the other file is said', async () => {
    const { code, out } = await qdbg([...RESCALED, '--baseline', 'healthy.json'], files.folder);
    expect(code).toBe(1);
    expect(out).toContain('the model is another file');
    expect(out).toMatch(/the worst layer by local SQNR is now block1\/pointwise; it was logits\n/);
    expect(out).toMatch(/baseline worst layer .* FAIL\n/);
  });

  it('is written only by --update-baseline, which needs a file', async () => {
    const run = await qdbg([...UNLABELLED, '--samples', '8', '--update-baseline'], files.folder);
    expectRefused(run, /--update-baseline/, /hint: --baseline \S+ --update-baseline/);
    const folder = folderOf('missing');
    const without = await qdbg([...UNLABELLED, '--samples', '8', '--baseline', 'none.json'], folder);
    expectRefused(without, /none\.json: it does not exist/, /hint: .*--update-baseline/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is not replaced by a report, nor by a run that fails', async () => {
    const folder = folderOf('kept');
    writeFileSync(join(folder, 'b.json'), text('healthy.json'));
    const both = ['--baseline', 'b.json', '--report', 'json=b.json'];
    expectRefused(await qdbg([...DIGITS, ...both], folder), /b\.json/);
    expectRefused(await qdbg([...DIGITS, ...both, '--update-baseline'], folder), /b\.json/);
    const unread = [...DIGITS, '--min-sqnr', 'nothing=3', '--baseline', 'b.json', '--update-baseline'];
    expectRefused(await qdbg(unread, folder), /'nothing'/);
    expect(readdirSync(folder)).toEqual(['b.json']);
    expect(readFileSync(join(folder, 'b.json'), 'utf8')).toBe(text('healthy.json'));
  });
});

describe.concurrent('a baseline that cannot be held against the run exits 2', () => {
  const refused = async (args: readonly string[], ...says: readonly RegExp[]): Promise<void> => {
    const reports = ['--report', 'json=never.json', '--report', 'junit=never.xml'];
    expectRefused(await qdbg([...args, ...reports], files.folder), ...says, /hint: /);
    expect(readdirSync(files.folder).filter((name) => name.startsWith('never'))).toEqual([]);
  };

  it('of another model', () =>
    refused(
      [
        ...['analyze', fixture('triage/triage_float.onnx'), '--calib', fixture('triage/images.npy')],
        ...['--baseline', 'healthy.json', '--labels', 'none', '--threads', '1'],
      ],
      /healthy\.json cannot be compared with this run/,
      /of another model: \d+ of \d+ layers match/,
      /of other data: it has 40 samples, this run 16/,
      /holds top1, this run has no accuracy/,
    ));

  it('of other samples, as many or not', async () => {
    const other = ['analyze', fixture('digits/digits.onnx'), '--calib', fixture('digits/calib')];
    await refused(
      [...other, '--samples', '40', '--baseline', 'healthy.json'],
      /it has as many samples, but not the same/,
    );
    await refused([...DIGITS, '--samples', '39', '--baseline', 'healthy.json'], /40 samples, this run 39/);
  });

  it('of another command', () =>
    refused(
      [
        ...['compare', fixture('digits/digits.onnx'), fixture('tflite/digits_int8.tflite')],
        ...['--data', fixture('digits/calib'), '--samples', '8', '--baseline', 'healthy.json'],
      ],
      /of qdbg analyze, not of compare/,
    ));

  it('of another metric', () =>
    refused([...DIGITS, '--metric', 'top5', '--baseline', 'healthy.json'], /holds top1, this run has top5/));

  it.each([
    ['broken', '{ "schemaVersion": 1,', /is no baseline: it is not JSON/],
    ['empty', '', /it is empty/],
    ['merged', '<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n', /conflict markers/],
    ['list', '[]', /is no baseline/],
    ['newer', '{ "schemaVersion": 99 }', /newer qdbg/],
    ['polluting', '{ "__proto__": { "layers": [] }, "schemaVersion": 1 }', /is no baseline/],
  ])('%s', async (name, content, says) => {
    files.file(`${name}.json`, content);
    await refused([...UNLABELLED, '--samples', '8', '--baseline', `${name}.json`], says);
  });

  it('that is a report, or a folder', async () => {
    const report = ['--report', 'json=report.json'];
    await qdbg([...UNLABELLED, '--samples', '8', ...report], files.folder);
    await refused(
      [...UNLABELLED, '--samples', '8', '--baseline', 'report.json'],
      /is a report, not a baseline/,
    );
    mkdirSync(path('folder.json'));
    await refused(
      [...UNLABELLED, '--samples', '8', '--baseline', 'folder.json'],
      /folder\.json: it is no file/,
    );
  });
});
