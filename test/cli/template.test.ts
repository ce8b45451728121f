/** `qdbg template`: files to start from, which work as they stand. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { digitFolders } from '../support/labelled.js';
import { expectRefused, qdbg } from '../support/program.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);

function folderOf(name: string): string {
  const folder = join(files.folder, name);
  mkdirSync(folder);
  return folder;
}

const DIGITS = [
  ...['analyze', fixture('digits/digits.onnx'), '--calib', fixture('digits/calib')],
  ...['--eval', fixture('digits/eval'), '--samples', '40', '--preset', 'unit', '--threads', '1'],
];

describe.concurrent('qdbg template', () => {
  it.each([
    ['decode', 'decode.js'],
    ['metric', 'metric.js'],
    ['config', 'qdbg.config.mjs'],
  ])('%s writes %s, or the file that is named, and never over another', async (kind, name) => {
    const folder = folderOf(kind);
    expect(await qdbg(['template', kind], folder)).toEqual({ code: 0, out: `${name}\n`, err: '' });
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text).toMatch(/^\/\/ .*\n/);
    writeFileSync(join(folder, name), 'mine');
    expectRefused(await qdbg(['template', kind], folder), new RegExp(`${name} exists, and is left as it is`));
    expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
    expect((await qdbg(['template', kind, 'other.mjs'], folder)).out).toBe('other.mjs\n');
    expect(readFileSync(join(folder, 'other.mjs'), 'utf8')).toBe(text);
    expect(readdirSync(folder).sort()).toEqual([name, 'other.mjs'].sort());
  });

  it('says what it cannot write, and where', async () => {
    const folder = folderOf('nowhere');
    expectRefused(await qdbg(['template', 'html'], folder), /html/, /decode, metric, config/);
    const missing = await qdbg(['template', 'metric', 'no/such/m.js'], folder);
    expectRefused(missing, /no\/such\/m\.js: its folder does not exist/);
    expect(missing.err).not.toContain('--report');
    expectRefused(await qdbg(['template'], folder), /KIND/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('needs no configuration, not even one that is broken', async () => {
    const folder = folderOf('configured');
    writeFileSync(join(folder, 'qdbg.config.json'), '{');
    expect((await qdbg(['template', 'metric'], folder)).code).toBe(0);
  });
});

describe.concurrent('what it writes works as it stands', () => {
  it('the decoder reads classifiers as the built-in one does', async () => {
    const folder = folderOf('decoded');
    await qdbg(['template', 'decode'], folder);
    const [own, built] = await Promise.all(
      ['./decode.js', 'classes'].map(async (decode) => {
        const { code, out, err } = await qdbg([...DIGITS, '--decode', decode, '--report', 'json'], folder);
        expect([code, err]).toEqual([0, '']);
        return (JSON.parse(out) as Report).accuracy!;
      }),
    );
    expect(own!.samples).toBe(40);
    expect([own!.reference, own!.candidate, own!.delta]).toEqual([
      built!.reference,
      built!.candidate,
      built!.delta,
    ]);
    expect(own!.decoder).toContain('decode.js');
  });

  it('the metric is top-3: right where the label is among the three best', async () => {
    const folder = folderOf('metered');
    await qdbg(['template', 'metric'], folder);
    digitFolders(join(folder, 'val'), [1, 2, 3], 4);
    // Best first: 0, 1, 2, 3. Labels 1 and 2 are among three, 3 is not.
    writeFileSync(
      join(folder, 'decode.mjs'),
      `export const kind = 'scores';
       export default () => ({ kind: 'scores', scores: Array.from({ length: 10 }, (_, label) => -label) });`,
    );
    const args = [
      'analyze',
      fixture('digits/digits.onnx'),
      '--calib',
      fixture('digits/calib'),
      '--eval',
      'val',
    ];
    const flags = ['--decode', './decode.mjs', '--metric', './metric.js', '--report', 'json'];
    const { code, out, err } = await qdbg([...args, ...flags], folder);
    expect([code, err]).toEqual([0, '']);
    const { accuracy } = JSON.parse(out) as Report;
    expect(accuracy).toMatchObject({ metric: 'top3', unit: '%', samples: 12 });
    expect(accuracy!.reference).toBeCloseTo(100 * (8 / 12), 6);
    expect(accuracy!.candidate).toBeCloseTo(100 * (8 / 12), 6);
  });

  it('the configuration gates a drop of one point', async () => {
    const folder = folderOf('gated');
    await qdbg(['template', 'config'], folder);
    const { code, out, err } = await qdbg([...DIGITS, '--report', 'json'], folder);
    expect(err).toBe('');
    const { gate } = JSON.parse(out) as Report;
    expect(gate!.checks).toMatchObject([
      { name: 'max-drop', threshold: 1, unit: 'pt', source: 'qdbg.config.mjs', verdict: 'inconclusive' },
    ]);
    expect(code).toBe(3);
  });
});
