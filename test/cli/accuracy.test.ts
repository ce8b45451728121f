/** Labels, metrics and decoders that are wrong: one clear message each, or a remark with a count where the run can go on. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode, encode } from 'fast-png';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { digitFolders, imagesOf } from '../support/labelled.js';
import { expectRefused, qdbg, type Run } from '../support/program.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);
const path = (name: string): string => join(files.folder, name);

const CALIB = ['--calib', fixture('digits/calib'), '--preset', 'unit', '--threads', '1'];
const DIGITS = ['analyze', fixture('digits/digits.onnx'), ...CALIB];

digitFolders(path('val'), [0, 1, 2], 4);
/** The same images without class folders. */
digitFolders(path('flat'), [0, 1, 2], 4, () => '.');
const SAMPLES = [0, 1, 2].flatMap((digit) =>
  imagesOf(digit)
    .slice(0, 4)
    .map((name) => ({ name, digit })),
);

function labels(name: string, rows: readonly (readonly [string, string | number])[]): string {
  files.file(name, `file,label\n${rows.map((row) => row.join(',')).join('\n')}\n`);
  return name;
}

const run = (...args: readonly string[]): Promise<Run> => qdbg([...DIGITS, ...args], files.folder);

async function reported(...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await run(...args, '--report', 'json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Report;
}

const assumedOf = ({ data }: Report): string =>
  (data.eval?.assumed ?? []).map(({ what, value }) => `${what}: ${value}`).join('\n');

/** Refused, and no report of it is written. */
async function refuses(args: readonly string[], ...says: readonly RegExp[]): Promise<void> {
  const before = readdirSync(files.folder).sort();
  const reports = [
    '--report',
    'json=left.json',
    '--report',
    'junit=left.xml',
    '--report',
    'sarif=left.sarif',
  ];
  expectRefused(await run(...args, ...reports), ...says);
  expect(readdirSync(files.folder).filter((name) => name.includes('left'))).toEqual([]);
  expect(before.length).toBeGreaterThan(0);
}

describe.concurrent('labels', () => {
  it('found as class folders score as they do from a list', async () => {
    const list = labels(
      'all.csv',
      SAMPLES.map(({ name, digit }) => [name, digit]),
    );
    const [folders, listed] = await Promise.all([
      reported('--eval', 'val'),
      reported('--eval', 'flat', '--labels', list),
    ]);
    expect(folders.accuracy).toMatchObject({ metric: 'top1', samples: 12, leftOut: 0 });
    expect(listed.accuracy!.reference).toBe(folders.accuracy!.reference);
    expect(folders.accuracy!.labels!.source).toBe('3 class folders');
    expect(listed.accuracy!.labels!.source).toContain('all.csv');
  });

  it('missing for some samples are counted and named, and left out only with --skip-unlabelled', async () => {
    const list = labels(
      'some.csv',
      SAMPLES.slice(0, 8).map(({ name, digit }) => [name, digit]),
    );
    const missing = SAMPLES.slice(8).map(({ name }) => new RegExp(name));
    const args = ['--eval', 'flat', '--labels', list];
    await refuses(args, /4 of 12 samples have no label in some\.csv/, ...missing, /hint: --skip-unlabelled/);
    const { accuracy } = await reported(...args, '--skip-unlabelled');
    expect(accuracy).toMatchObject({ samples: 8, leftOut: 4 });
  });

  it('missing for all samples are no labels', async () => {
    const list = labels('none.csv', [['other.png', 3]]);
    await refuses(['--eval', 'flat', '--labels', list], /none\.csv/);
    await refuses(['--eval', 'flat', '--labels', list, '--skip-unlabelled'], /none\.csv/);
  });

  it('of classes that the model does not have are named with their places', async () => {
    const list = labels(
      'unknown.csv',
      SAMPLES.map(({ name, digit }) => [name, digit + 9]),
    );
    await refuses(
      ['--eval', 'flat', '--labels', list],
      /2 classes that the model does not have: 10, 11; it has classes 0 to 9/,
      /unknown\.csv:6/,
      /hint: --class-map/,
    );
  });

  it('of one name that stands for no class of the model are not taken for class 0', async () => {
    const list = labels(
      'zebra.csv',
      SAMPLES.map(({ name }) => [name, 'zebra']),
    );
    await refuses(['--eval', 'flat', '--labels', list], /zebra/, /hint: .*--class/);
    const { accuracy } = await reported('--eval', 'flat', '--labels', list, '--class-map', 'zebra=2');
    expect(accuracy!.perClass!.map(({ label, support }) => [label, support])).toEqual([[2, 12]]);
  });

  it('from more folders than the model has classes are refused', async () => {
    const folder = digitFolders(path('many'), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1);
    mkdirSync(join(folder, 'other'));
    cpSync(join(fixture('digits/eval/0'), imagesOf(0)[0]!), join(folder, 'other/x.png'));
    await refuses(
      ['--eval', 'many', '--max-drop', '1pt'],
      /11 class folders; the model tells 10 classes apart/,
    );
  });

  it('with an empty class folder keep their numbers, and the folder is told', async () => {
    const folder = digitFolders(path('gap'), [0, 2], 4);
    mkdirSync(join(folder, '1'));
    const report = await reported('--eval', 'gap');
    expect(assumedOf(report)).toMatch(/empty class folders: 1/);
    expect(report.accuracy!.perClass!.map(({ label, support }) => [label, support])).toEqual([
      [0, 4],
      [2, 4],
    ]);
  });

  it('of one class only say that this says little', async () => {
    const zeros = imagesOf(0).slice(0, 8);
    digitFolders(path('zeros'), [0], 8, () => '.');
    const list = labels(
      'zeros.csv',
      zeros.map((name) => [name, 0]),
    );
    const report = await reported('--eval', 'zeros', '--labels', list);
    expect(assumedOf(report)).toMatch(/one class only: accuracy on samples of a single class says little/);
    digitFolders(path('one'), [0], 8);
    await refuses(['--eval', 'one', '--max-drop', '1pt'], /--max-drop 1pt/, /a folder for each class/);
  });

  it('that do not exist, are no labels, or are broken', async () => {
    await refuses(['--eval', 'flat', '--labels', 'nowhere.csv'], /nowhere\.csv: it does not exist/);
    files.file('broken.json', '{');
    await refuses(['--eval', 'flat', '--labels', 'broken.json'], /broken\.json/);
    files.file('empty.csv', '');
    await refuses(['--eval', 'flat', '--labels', 'empty.csv'], /empty\.csv/);
    await refuses(['--eval', 'flat', '--labels', 'name:('], /name:\(/);
  });

  it('that are masks of another shape than their images are not stretched over them', async () => {
    for (const part of ['images', 'masks'])
      cpSync(fixture(`segmentation/${part}`), path(`seg/${part}`), { recursive: true });
    cpSync(fixture('segmentation/dataset.yaml'), path('seg/dataset.yaml'));
    const mask = decode(readFileSync(path('seg/masks/03.png')));
    const half = { ...mask, height: mask.height / 2, data: mask.data.slice(0, mask.data.length / 2) };
    writeFileSync(path('seg/masks/03.png'), encode(half));
    const args = [
      'analyze',
      fixture('segmentation/segmentation.onnx'),
      '--calib',
      fixture('segmentation/calib'),
    ];
    const done = await qdbg([...args, '--eval', 'seg', '--max-drop', '1pt'], files.folder);
    expectRefused(done, /03\.png/, /its mask is 48x24, the image 48x48/, /hint: --labels/);
  });
});

describe.concurrent('a metric', () => {
  const metric = (name: string, code: string): readonly string[] => {
    files.file(name, code);
    return ['--eval', 'val', '--metric', `./${name}`];
  };
  const measured = (body: string): string =>
    `export default { name: 'm', unit: '%', measure: (sample) => ${body} };`;

  it('of the user that works is gated, in the unit that it says', async () => {
    const flags = metric(
      'hits.mjs',
      measured(
        '+(sample.prediction.scores.indexOf(Math.max(...sample.prediction.scores)) === sample.truth.label)',
      ),
    );
    const [own, top1] = await Promise.all([
      reported(...flags),
      reported('--eval', 'val', '--metric', 'top1'),
    ]);
    expect(own.accuracy!.metric).toBe('m');
    expect(own.accuracy!.reference).toBeCloseTo(top1.accuracy!.reference!, 6);
    expect(own.accuracy!.candidate).toBeCloseTo(top1.accuracy!.candidate!, 6);
  });

  it('on which no sample differs decides nothing with few samples', async () => {
    const flags = metric('always.mjs', measured('1'));
    const { code, out } = await run(...flags, '--max-drop', '1pt');
    expect(out).toMatch(/GATE {2}INCONCLUSIVE/);
    expect(code).toBe(3);
  });

  it.each([
    ['throws.mjs', measured("{ throw new Error('boom'); }").replace('=> {', '=> {'), /throws\.mjs.*boom/],
    ['nan.mjs', measured('NaN'), /nan\.mjs.*measure gave NaN; wanted is a finite number/],
    ['text.mjs', measured("'much'"), /text\.mjs.*much/],
    ['lengths.mjs', 'let n = 0;\n' + measured('Array.from({ length: ++n }, () => 1)'), /lengths\.mjs/],
    ['named.mjs', 'export const metric = 1;', /named\.mjs has no default export/],
    ['form.mjs', 'export default { name: 3 };', /form\.mjs is not of the form that is wanted[^]*measure/],
    ['syntax.mjs', 'export default {', /syntax\.mjs cannot be loaded: SyntaxError/],
    ['import.mjs', "import './not-there.mjs';", /import\.mjs cannot be loaded.*not-there/],
  ])('of the user that is wrong is refused: %s', async (name, code, says) => {
    await refuses(metric(name, code), says);
  });

  it('of the user without a value cannot be gated', async () => {
    const code = "export default { name: 'm', unit: '%', measure: () => 1, value: () => NaN };";
    const flags = metric('worthless.mjs', code);
    await refuses([...flags, '--max-drop', '1pt'], /--max-drop 1pt: nothing to gate, m .*no value/);
  });

  it('that there is not, that has no file, or that does not fit', async () => {
    await refuses(['--eval', 'val', '--metric', 'top2'], /--metric top2/, /top1, top5/);
    await refuses(['--eval', 'val', '--metric', './missing.mjs'], /missing\.mjs/);
    await refuses(['--eval', 'val', '--metric', 'miou'], /miou/);
    await refuses(['--eval', 'flat', '--metric', 'top1'], /top1 needs labels/, /hint: --labels/);
  });
});

describe.concurrent('a decoder', () => {
  const decoder = (name: string, body: string): readonly string[] => {
    files.file(name, `export const kind = 'scores';\n${body}`);
    return ['--eval', 'val', '--decode', `./${name}`];
  };

  it.each([
    ['throw.mjs', "export default () => { throw new Error('bang'); };", /throw\.mjs.*bang/],
    [
      'word.mjs',
      "export default () => 'nonsense';",
      /it returned 'nonsense'; an object with kind 'scores' is wanted/,
    ],
    ['null.mjs', 'export default () => null;', /null\.mjs.*null/],
    ['other.mjs', "export default () => ({ kind: 'class', label: 1 });", /other\.mjs.*class/],
    ['texts.mjs', "export default () => ({ kind: 'scores', scores: ['a', 'b'] });", /texts\.mjs/],
    ['none.mjs', "export default () => ({ kind: 'scores', scores: [] });", /none\.mjs/],
    ['nothing.mjs', 'export const decode = 1;', /nothing\.mjs has no default export/],
    ['rejects.mjs', "export default () => Promise.reject(new Error('later'));", /rejects\.mjs.*later/],
  ])('of the user that is wrong is refused with the sample, once: %s', async (name, body, says) => {
    const flags = decoder(name, body);
    await refuses(flags, says);
    const { err } = await run(...flags);
    expect(err.match(/0\/\d{4}\.png/g) ?? []).toHaveLength(name === 'nothing.mjs' ? 0 : 1);
  });

  it('that there is not, or that does not fit the outputs', async () => {
    await refuses(['--eval', 'val', '--decode', 'yolov99'], /--decode yolov99/, /yolov8/);
    await refuses(['--eval', 'val', '--decode', 'ssd'], /--decode ssd: the outputs are logits \[1, 10\]/);
  });

  it('that gives NaN everywhere has shown nothing: no gate passes', async () => {
    const body = "export default () => ({ kind: 'scores', scores: new Array(10).fill(NaN) });";
    files.file('hollow.mjs', `export const kind = 'scores';\n${body}`);
    const args = [...DIGITS, '--eval', fixture('digits/eval'), '--samples', '60', '--max-drop', '10pt'];
    const { code, out, err } = await qdbg([...args, '--decode', './hollow.mjs'], files.folder);
    expect(code, out).not.toBe(0);
    expect(`${out}${err}`).toMatch(/NaN/);
  });

  it('that gives NaN now and then has its samples counted', async () => {
    const body = `export default ([{ data }], { sample }) => ({ kind: 'scores',
      scores: sample.includes('0/') ? new Array(10).fill(NaN) : [...data] });`;
    const { accuracy } = await reported(...decoder('patchy.mjs', body));
    expect(accuracy!.networks.map(({ nonFinite }) => nonFinite)).toEqual([4, 4]);
    expect(accuracy!.reference).toBeLessThan(70);
  });
});

describe.concurrent('the report', () => {
  it('says of every network only what the contract has, and nothing of the graph', async () => {
    const compared = await qdbg(
      [
        ...['compare', fixture('digits/digits.onnx'), fixture('tflite/digits_int8.tflite')],
        ...['--data', 'val', '--preset', 'unit', '--threads', '1', '--report', 'json'],
      ],
      files.folder,
    );
    expect([compared.code, compared.err]).toEqual([0, '']);
    for (const { accuracy } of [await reported('--eval', 'val'), JSON.parse(compared.out) as Report]) {
      expect(accuracy!.networks.map(({ network }) => network)).toEqual(['reference', 'candidate']);
      for (const network of accuracy!.networks) {
        expect(Object.keys(network)).not.toContain('graph');
        expect(Object.keys(network)).not.toContain('lane');
        expect(JSON.stringify(network).length).toBeLessThan(5000);
      }
    }
  });

  it('tells a float network that is far below what is expected, and does not blame the integers', async () => {
    const { findings, accuracy } = await reported(
      '--eval',
      'val',
      '--preset',
      'raw',
      '--expect-accuracy',
      '99',
    );
    expect(accuracy!.reference).toBeLessThan(99);
    expect(findings[0]).toMatchObject({ rule: 'base.float-broken', severity: 'error' });
    expect(findings[0]!.message).toMatch(/not a quantization problem/i);
  });
});
