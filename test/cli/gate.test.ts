/** `qdbg analyze` and `qdbg compare` as a step of continuous integration: what has to hold, exit codes, and the files left behind. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { expectRefused, qdbg, type Run } from '../support/program.js';
import { junitFaults, sarifFaults } from '../support/schemas.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);

const CALIB = ['--calib', fixture('digits/calib'), '--preset', 'unit', '--threads', '1'];
const DIGITS = ['analyze', fixture('digits/digits.onnx'), ...CALIB];
/** The same network with channels of unlike range, which one scale per tensor breaks. */
const RESCALED = ['analyze', fixture('digits/digits_rescaled.onnx'), ...CALIB];
const EVAL = ['--eval', fixture('digits/eval'), '--samples', '60'];
/** Enough where it is not about accuracy. */
const FEW = ['--samples', '8'];
const TRIAGE = [
  'compare',
  fixture('triage/triage_float.onnx'),
  fixture('triage/triage_qdq.onnx'),
  ...['--data', fixture('triage/images.npy'), '--threads', '1'],
];

/** File by the reporter that writes it. */
const WRITTEN = { json: 'run.json', junit: 'run.xml', sarif: 'run.sarif', md: 'run.md', csv: 'run.csv' };
const REPORTS = Object.entries(WRITTEN).flatMap(([name, file]) => ['--report', `${name}=${file}`]);

interface Job extends Run {
  readonly report: Report;
  readonly text: Readonly<Record<keyof typeof WRITTEN, string>>;
}

/** A run in a folder of its own, with all documents but the annotations, which go to standard output. */
async function job(folder: string, args: readonly string[]): Promise<Job> {
  const cwd = join(files.folder, folder);
  mkdirSync(cwd);
  const run = await qdbg([...args, ...REPORTS, '--report', 'github'], cwd);
  expect(run.err).toBe('');
  expect(readdirSync(cwd).sort()).toEqual(Object.values(WRITTEN).sort());
  const read = (name: keyof typeof WRITTEN): string => readFileSync(join(cwd, WRITTEN[name]), 'utf8');
  const text = {
    json: read('json'),
    junit: read('junit'),
    sarif: read('sarif'),
    md: read('md'),
    csv: read('csv'),
  };
  return { ...run, report: JSON.parse(text.json) as Report, text };
}

const NOT_HELD = { pass: 0, fail: 1, inconclusive: 3 } as const;
const LEVELS = { pass: 'notice', fail: 'error', inconclusive: 'warning' } as const;

/** That every document says how the gate went, in its own way, and that each is valid. */
async function expectTold(
  { code, out, report, text }: Job,
  verdict: keyof typeof NOT_HELD,
  check: string,
  source = 'command line',
): Promise<void> {
  expect([code, report.gate?.verdict]).toEqual([NOT_HELD[verdict], verdict]);
  const found = report.gate?.checks.find(({ name }) => name === check);
  expect(found).toMatchObject({ name: check, source, verdict });

  expect(await junitFaults(text.junit)).toEqual([]);
  const testcase = text.junit.split('<testcase ').find((part) => part.includes(`name="${check}"`)) ?? '';
  expect(testcase).toContain(`(${source})`);
  expect(testcase.includes('<failure')).toBe(verdict === 'fail');
  expect(testcase.includes('<skipped')).toBe(verdict === 'inconclusive');

  expect(sarifFaults(text.sarif)).toEqual([]);
  expect(text.sarif.includes(check)).toBe(verdict !== 'pass');

  const annotations = out.trimEnd().split('\n');
  for (const line of annotations) expect(line).toMatch(/^::(error|warning|notice) [^:]*::\S/);
  const ofCheck = annotations.filter((line) => line.includes(check));
  if (verdict !== 'pass') expect(ofCheck[0]).toMatch(new RegExp(`^::${LEVELS[verdict]} `));
  expect(annotations[0]).toMatch(verdict === 'pass' ? /gate: pass/ : new RegExp(`gate: ${verdict}`));

  expect(text.md.split('\n')[0]).toMatch(
    verdict === 'pass' ? /gate passed$/i : verdict === 'fail' ? /gate failed$/i : /inconclusive/i,
  );
  expect(text.md.replaceAll('\\', '')).toContain(source);
  expect(text.csv.trimEnd().split('\n').length).toBe(1 + report.tensors.length);
}

describe.concurrent('the gate', () => {
  it('passes with exit code 0 when the whole interval of the drop is within what is allowed', async () => {
    const done = await job('passes', [...DIGITS, ...EVAL, '--max-drop', '10pt']);
    await expectTold(done, 'pass', 'max-drop');
    const [check] = done.report.gate!.checks;
    expect(check).toMatchObject({ threshold: 10, observed: 0, margin: 10, unit: 'pt', where: 'top1' });
  });

  it('fails with exit code 1 when the accuracy has dropped by more, surely', async () => {
    const done = await job('drops', [...RESCALED, ...EVAL, '--max-drop', '1pt']);
    await expectTold(done, 'fail', 'max-drop');
    const { accuracy, gate } = done.report;
    const [low] = accuracy!.interval!.map((end) => -end).sort((a, b) => a - b);
    expect(low).toBeGreaterThan(1);
    expect(gate!.checks[0]!.observed).toBeCloseTo(accuracy!.reference! - accuracy!.candidate!, 3);
  });

  it("fails with exit code 1 on the SQNR of one layer's glob, and names the layer", async () => {
    const args = ['--min-sqnr', '10', '--min-sqnr', 'local:block1/pointwise*=60'];
    const done = await job('layer', [...DIGITS, ...FEW, ...args]);
    await expectTold(done, 'fail', 'min-sqnr local:block1/pointwise*');
    expect(done.report.gate!.checks.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['min-sqnr', 'pass'],
      ['min-sqnr local:block1/pointwise*', 'fail'],
    ]);
    const { where, observed, layers } = done.report.gate!.checks[1]!;
    const row = done.report.tensors.find(({ tensor }) => tensor === where)!;
    expect(row.node).toMatch(/^block1\/pointwise/);
    expect(observed).toBeCloseTo(row.local!.sqnrDb!, 1);
    for (const { tensor } of layers!) expect(done.text.junit).toContain(tensor);
  });

  it('is inconclusive with exit code 3 when the interval spans the threshold, and says how many samples would decide', async () => {
    const done = await job('undecided', [...DIGITS, ...EVAL, '--max-drop', '1pt']);
    await expectTold(done, 'inconclusive', 'max-drop');
    expect(done.report.gate!.checks[0]!.note).toMatch(/spans the threshold; about \d+ samples would decide/);
  });

  it('counts that as failed or passed where it is told to', async () => {
    const folder = join(files.folder, 'told');
    mkdirSync(folder);
    for (const [verdict, wanted] of [
      ['fail', 1],
      ['pass', 0],
    ] as const) {
      const args = [...DIGITS, ...EVAL, '--max-drop', '1pt', '--inconclusive', verdict];
      const { code, out, err } = await qdbg(args, folder);
      expect([code, err]).toEqual([wanted, '']);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(`inconclusive counts as ${verdict}`);
    }
  });

  it('never makes too few samples decide', async () => {
    const done = await job('few', [...DIGITS, ...FEW, '--min-samples', '9', '--min-sqnr', '10']);
    await expectTold(done, 'inconclusive', 'min-samples');
    const enough = await qdbg([...DIGITS, ...FEW, '--min-samples', '8', '--min-sqnr', '10'], files.folder);
    expect(enough.code).toBe(0);
  });

  it('fails before it is inconclusive', async () => {
    const args = ['--min-samples', '9', '--min-sqnr', '90', '--inconclusive', 'pass'];
    const { code, out } = await qdbg([...DIGITS, ...FEW, ...args], files.folder);
    expect(code).toBe(1);
    expect(out).toMatch(/GATE {2}FAIL {2}of 2 checks 1 failed/);
  });

  it('fails on findings as severe as it is told, and on none with never', async () => {
    const broken = await job('severe', [...RESCALED, ...FEW, '--fail-on', 'error']);
    await expectTold(broken, 'fail', 'fail-on error');
    expect(broken.report.findings[0]).toMatchObject({ rule: 'w.per-tensor-spread', severity: 'error' });
    const results = (JSON.parse(broken.text.sarif) as { runs: { results: { ruleId: string }[] }[] }).runs[0]!
      .results;
    expect(results.map(({ ruleId }) => ruleId)).toContain('w.per-tensor-spread');
    const never = await qdbg([...RESCALED, ...FEW, '--fail-on', 'never'], files.folder);
    expect([never.code, never.err]).toEqual([0, '']);
    const healthy = await qdbg([...DIGITS, ...FEW, '--fail-on', 'error'], files.folder);
    expect(healthy.code).toBe(0);
  });

  it('holds compare as it holds analyze', async () => {
    const done = await job('compared', [...TRIAGE, '--min-sqnr', '20', '--min-sqnr', 'op:Conv=60']);
    await expectTold(done, 'fail', 'min-sqnr op:Conv');
    expect(done.report.gate!.checks[0]).toMatchObject({ name: 'min-sqnr', verdict: 'pass' });
  });

  it('holds what a detector and a segmentation network lose against boxes and masks', async () => {
    const [detector, segmenter] = await Promise.all([
      job('boxes', [
        ...['analyze', fixture('detection/detection.onnx'), '--calib', fixture('detection/calib')],
        ...['--eval', fixture('detection'), '--max-drop', '1pt', '--threads', '1'],
      ]),
      job('masks', [
        ...['analyze', fixture('segmentation/segmentation.onnx'), '--calib', fixture('segmentation/calib')],
        ...['--eval', fixture('segmentation'), '--max-drop', '1pt', '--threads', '1'],
      ]),
    ]);
    await expectTold(detector, 'fail', 'max-drop');
    expect(detector.report.accuracy).toMatchObject({ metric: 'map', samples: 24 });
    await expectTold(segmenter, 'inconclusive', 'max-drop');
    // As ONNX Runtime's own quantizer and numpy have it, in the fixture.
    const { reference, candidate } = segmenter.report.accuracy!;
    expect(reference).toBeCloseTo(89.8365, 2);
    expect(candidate).toBeCloseTo(89.3164, 1);
  });

  it('is not there when nothing was asked for', async () => {
    const { code, out } = await qdbg([...DIGITS, ...FEW], files.folder);
    expect(code).toBe(0);
    expect(out).not.toContain('GATE');
  });
});

describe.concurrent('two runs', () => {
  it('give the same bytes in every document', async () => {
    const args = [
      ...RESCALED,
      ...EVAL,
      '--max-drop',
      '1pt',
      '--min-sqnr',
      'op:Conv=20',
      '--fail-on',
      'warning',
    ];
    const [one, other] = await Promise.all([job('first', args), job('second', args)]);
    expect(other.text).toEqual(one.text);
    expect(other.out).toBe(one.out);
  });
});

describe.concurrent('what cannot be gated exits 2 and leaves nothing behind', () => {
  const CASES: readonly (readonly [what: string, args: readonly string[], ...says: RegExp[]])[] = [
    [
      'a bare number',
      [...DIGITS, ...FEW, '--max-drop', '3'],
      /--max-drop 3 has no unit: 3pt allows .* 3% allows/,
      /hint: --max-drop 3pt or --max-drop 3%/,
    ],
    ['a negative drop', [...DIGITS, ...FEW, '--max-drop=-1pt'], /--max-drop -1pt is negative/],
    ['a unit that there is not', [...DIGITS, ...FEW, '--max-drop', '1px'], /--max-drop 1px/],
    [
      'a drop without labels',
      [...DIGITS, ...FEW, '--max-drop', '1pt'],
      /--max-drop 1pt: .*no /,
      /hint: --labels/,
    ],
    ['a drop of an array without labels', [...TRIAGE, '--max-drop', '1pt'], /--max-drop 1pt: .*no /],
    [
      'labels that are not to be used',
      [...DIGITS, ...EVAL, '--labels', 'none', '--max-drop', '1pt'],
      /--max-drop 1pt/,
    ],
    [
      'a glob that matches nothing',
      [...DIGITS, ...FEW, '--min-sqnr', 'block1/pointwize*=20'],
      /a pattern of --min-sqnr names nothing that was measured/,
      /'block1\/pointwize\*'/,
    ],
    [
      'several at once, all of them',
      [...DIGITS, ...FEW, '--min-sqnr', 'nothing=20', '--min-sqnr', 'never=off', '--max-drop', '1pt'],
      /2 gates cannot be evaluated/,
      /--max-drop 1pt/,
      /'nothing'/,
      /'never'/,
    ],
    [
      'thresholds that are no numbers',
      [...DIGITS, ...FEW, '--min-sqnr', 'high', '--max-drop', 'low'],
      /high/,
      /low/,
    ],
    ['a verdict that there is not', [...DIGITS, '--inconclusive', 'maybe'], /--inconclusive/],
    ['a severity that there is not', [...DIGITS, '--fail-on', 'note'], /--fail-on/],
    [
      'models that have nothing in common',
      [
        ...['compare', fixture('digits/digits.onnx'), fixture('triage/triage_qdq.onnx')],
        ...['--data', fixture('digits/calib'), '--samples', '8', '--min-sqnr', '20'],
      ],
      /./,
    ],
  ];

  it.each(CASES.map(([what, args, ...says]) => ({ what, args, says })))(
    '$what',
    async ({ what, args, says }) => {
      const folder = join(files.folder, `refused ${what}`);
      mkdirSync(folder);
      expectRefused(await qdbg([...args, ...REPORTS], folder), ...says);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('no samples', async () => {
    const folder = join(files.folder, 'without');
    mkdirSync(join(folder, 'empty'), { recursive: true });
    const args = [...DIGITS, '--eval', 'empty', '--max-drop', '1pt', ...REPORTS];
    expectRefused(await qdbg(args, folder), /empty holds no data/, /hint: --eval/);
    expect(existsSync(join(folder, 'run.json'))).toBe(false);
  });
});
