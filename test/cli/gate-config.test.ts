/** The gate as the configuration file has it: every flag by its key, where thresholds come from, and accepted findings. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { digitFolders } from '../support/labelled.js';
import { expectRefused, qdbg, type Run } from '../support/program.js';
import { junitFaults, sarifFaults } from '../support/schemas.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';
import { parsed } from './parsed.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);

const FEW = ['--calib', fixture('digits/calib'), '--samples', '8', '--preset', 'unit', '--threads', '1'];
const DIGITS = ['analyze', fixture('digits/digits.onnx'), ...FEW];
/** Has two findings of severity error: w.per-tensor-spread and act.outlier-channel at block1/depthwise. */
const RESCALED = ['analyze', fixture('digits/digits_rescaled.onnx'), ...FEW];

/** A folder with this configuration. */
function configured(name: string, config: object): string {
  const folder = join(files.folder, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'qdbg.config.json'), JSON.stringify(config));
  return folder;
}

describe.concurrent('keys of the configuration file', () => {
  it('there is one for every flag of accuracy and gate, with the checks of the flag', async () => {
    const config = {
      labels: 'labels.csv',
      metric: ['top1', './m.js'],
      decode: './d.js',
      classes: 'names.txt',
      classMap: 'cat=1,*=0',
      ignoreLabel: 255,
      labelOffset: -1,
      skipUnlabelled: true,
      expectAccuracy: 76.1,
      maxDrop: '1pt',
      minSqnr: ['20', 'head/*=12'],
      minSamples: 100,
      inconclusive: 'fail',
      baseline: 'b.json',
      failOn: 'error',
      ladder: true,
    };
    const folder = configured('keys', config);
    const { options } = await parsed(['analyze', 'm.onnx', '--config', join(folder, 'qdbg.config.json')]);
    expect(options).toMatchObject({
      ...config,
      // Paths are relative to the file.
      labels: join(folder, 'labels.csv'),
      metric: ['top1', join(folder, 'm.js')],
      decode: join(folder, 'd.js'),
      classes: join(folder, 'names.txt'),
      baseline: join(folder, 'b.json'),
    });
  });

  it('names of metrics, decoders and lists of classes are no paths', async () => {
    const folder = configured('names', {
      metric: 'miou',
      decode: 'yolov8',
      classes: 'coco80',
      labels: 'none',
    });
    const { options } = await parsed(['analyze', 'm.onnx', '--config', join(folder, 'qdbg.config.json')]);
    expect(options).toMatchObject({ metric: ['miou'], decode: 'yolov8', classes: 'coco80', labels: 'none' });
  });

  it('patterns of file names are no paths', async () => {
    const folder = configured('pattern', { labels: 'name:^(\\d)_' });
    const { options } = await parsed(['analyze', 'm.onnx', '--config', join(folder, 'qdbg.config.json')]);
    expect(options).toMatchObject({ labels: 'name:^(\\d)_' });
  });

  it.each([
    [{ inconclusive: 'maybe' }, /inconclusive: maybe is none of fail, pass/],
    [{ failOn: 'note' }, /failOn: note is none of error, warning, never/],
    [{ minSamples: 0 }, /minSamples: /],
    [{ ignoreLabel: -1 }, /ignoreLabel: /],
    [{ labelOffset: 0.5 }, /labelOffset: /],
    [{ expectAccuracy: 101 }, /expectAccuracy: /],
    [{ skipUnlabelled: 'yes' }, /skipUnlabelled: it must be true or false/],
    [{ 'max-drop': '1pt' }, /max-drop: analyze has no such flag/],
    [{ maxDrop: { pt: 1 } }, /maxDrop: it must be text or a number/],
    [{ maxDrop: 3 }, /--max-drop 3 has no unit[^]*qdbg\.config\.json/],
    [{ minSqnr: ['low'] }, /--min-sqnr low[^]*qdbg\.config\.json/],
  ])('are refused with what is wrong: %j', async (config, says) => {
    const folder = configured(`wrong ${JSON.stringify(config).replaceAll(/\W/g, '')}`, config);
    expectRefused(await qdbg(DIGITS, folder), says);
  });
});

describe.concurrent('a threshold', () => {
  it('of the configuration file is told with the file, and loses to the command line', async () => {
    const folder = configured('sources', {
      maxDrop: '10pt',
      minSqnr: ['90'],
      eval: 'val',
      report: 'json=r.json',
    });
    digitFolders(join(folder, 'val'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 6);
    const below = join(folder, 'below');
    mkdirSync(below);
    const args = ['analyze', fixture('digits/digits.onnx'), '--calib', fixture('digits/calib')];
    const { code, out, err } = await qdbg([...args, '--min-sqnr', '5'], below);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/max-drop +10 pt .* \.\.\/qdbg\.config\.json +pass/);
    expect(out).toMatch(/min-sqnr +5 dB .* command line +pass/);
    const { gate } = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')) as Report;
    expect(gate!.checks.map(({ name, source }) => [name, source])).toEqual([
      ['max-drop', '../qdbg.config.json'],
      ['min-sqnr', 'command line'],
    ]);
  });

  it('in a module works as in JSON, with labels and modules beside it', async () => {
    const folder = join(files.folder, 'module');
    mkdirSync(join(folder, 'below'), { recursive: true });
    digitFolders(join(folder, 'val/images'), [0, 1, 2], 3, () => 'images');
    cpSync(fixture('digits/digits.onnx'), join(folder, 'below/m.onnx'));
    const names = readdirSync(join(folder, 'val/images/images'));
    const rows = names.map((name) => {
      const digit = [0, 1, 2].find((of) => readdirSync(fixture(`digits/eval/${of}`)).includes(name));
      return `${name},${digit}`;
    });
    writeFileSync(join(folder, 'labels.csv'), `file,label\n${rows.join('\n')}\n`);
    writeFileSync(
      join(folder, 'qdbg.config.mjs'),
      `export default { calib: ${JSON.stringify(fixture('digits/calib'))}, eval: './val', labels: './labels.csv',
        metric: ['./hits.mjs'], decode: './scores.mjs', minSamples: 9, maxDrop: '5%' };`,
    );
    writeFileSync(
      join(folder, 'hits.mjs'),
      `export default { name: 'hits', unit: '%', better: 'higher', measure: ({ prediction, truth }) =>
        prediction.scores.indexOf(Math.max(...prediction.scores)) === truth.label ? 1 : 0 };`,
    );
    writeFileSync(
      join(folder, 'scores.mjs'),
      `export const kind = 'scores'; export default ([output]) => ({ kind: 'scores', scores: [...output.data] });`,
    );
    const { out, err } = await qdbg(['analyze', 'm.onnx', '--report', 'json'], join(folder, 'below'));
    expect(err).toBe('');
    const { accuracy, gate } = JSON.parse(out) as Report;
    expect(accuracy).toMatchObject({ metric: 'hits', samples: 9, unit: '%' });
    expect(accuracy!.labels!.source).toContain('labels.csv');
    expect(gate!.checks.map(({ name, source }) => [name, source])).toEqual([
      ['max-drop', '../qdbg.config.mjs'],
      ['min-samples', '../qdbg.config.mjs'],
    ]);
  });
});

describe.concurrent('accepted findings', () => {
  const SPREAD = {
    rule: 'w.per-tensor-spread',
    subject: 'block1/*',
    reason: 'shipped as it is, see the notes',
  };
  const OUTLIERS = {
    rule: 'act.outlier-channel',
    subject: 'block1/*',
    reason: 'follows from the weights',
  };
  const GATED = [...RESCALED, '--fail-on', 'error'];
  const run = (name: string, suppress: unknown, ...args: readonly string[]): Promise<Run> =>
    qdbg([...GATED, ...args], configured(name, { suppress }));

  it('do not fail the gate, and are told with their reason', async () => {
    const folder = configured('accepted', { suppress: [SPREAD, OUTLIERS] });
    const reports = ['json', 'junit', 'sarif', 'md'].flatMap((name) => ['--report', `${name}=${name}`]);
    const { code, out, err } = await qdbg([...GATED, ...reports], folder);
    expect([code, err]).toEqual([0, '']);
    expect(out.replaceAll(/\s+/g, ' ')).toContain(SPREAD.reason);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const report = JSON.parse(read('json')) as Report;
    expect(report.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(report.findings.map(({ rule }) => rule)).not.toContain(SPREAD.rule);
    expect(report.gate!.checks).toMatchObject([{ name: 'fail-on error', observed: 0, verdict: 'pass' }]);
    expect(await junitFaults(read('junit'))).toEqual([]);
    expect(sarifFaults(read('sarif'))).toEqual([]);
    for (const name of ['json', 'sarif', 'md']) expect(read(name)).toContain(SPREAD.reason);
  });

  it('hold on their last day and count again after it, which is said', async () => {
    const holds = await run('holds', [{ ...SPREAD, expires: '9999-12-31' }, OUTLIERS]);
    expect([holds.code, holds.err]).toEqual([0, '']);
    expect(holds.out).toContain('9999-12-31');
    const expired = await run('expired', [{ ...SPREAD, expires: '2020-02-29' }, OUTLIERS]);
    expect(expired.code).toBe(1);
    expect(expired.out.replaceAll(/\s+/g, ' ')).toContain('its suppression expired on 2020-02-29');
  });

  it('that match nothing any more are an error', async () => {
    const unused = [SPREAD, { rule: 'act.dead', reason: 'was there once' }, { ...SPREAD, subject: 'head/*' }];
    const both = await run('unused', unused);
    expectRefused(both, /2 suppressions match no finding/, /act\.dead/, /w\.per-tensor-spread at head\/\*/);
  });

  it.each([
    ['reason', [{ rule: 'act.clipped' }], /suppress\[0\]: reason: it is missing/],
    ['empty', [{ rule: 'act.clipped', reason: ' ' }], /reason: it must be text/],
    ['day', [{ ...SPREAD, expires: '2027-02-30' }], /expires: '2027-02-30' is no day/],
    ['key', [{ ...SPREAD, until: '2027-02-03' }], /until: no such key/],
    ['list', SPREAD, /suppress: it must be a list/],
    ['texts', ['act.clipped'], /suppress\[0\]: it must be an object/],
  ])('that are not of the form are refused: %s', async (name, suppress, says) => {
    expectRefused(await run(`form ${name}`, suppress), says);
  });

  it('all that is wrong is said at once', async () => {
    const wrong = await run('several', [{ rule: 'a' }, { reason: 'b' }, 3]);
    expectRefused(wrong, /suppress\[0\]: reason/, /suppress\[1\]: rule/, /suppress\[2\]/);
  });
});
