/** The built program as its users run it: exit codes, and what goes where. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { VERSION } from '../../src/version.js';
import { workspace } from '../support/workspace.js';

const BIN = fileURLToPath(new URL('../../bin/qdbg.js', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const MODEL = join(FIXTURES, 'worked-example/model.onnx');
const X = join(FIXTURES, 'worked-example/x.npy');
const DIGITS = [join(FIXTURES, 'digits/digits.onnx'), '--calib', join(FIXTURES, 'digits/calib')];
const ANALYZE = ['analyze', MODEL, '--calib', X];

const files = workspace();

interface Run {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

function execute(program: string, args: readonly string[], cwd: string): Promise<Run> {
  const env = { ...process.env, NO_COLOR: '1' };
  return new Promise((done) =>
    execFile(program, args, { cwd, env, maxBuffer: 2 ** 28 }, (error, out, err) =>
      done({ code: error === null ? 0 : (error.code ?? 'killed'), out, err }),
    ),
  );
}

function qdbg(args: readonly string[], cwd = files.folder): Promise<Run> {
  return execute(process.execPath, [BIN, ...args], cwd);
}

async function reportOf(args: readonly string[], cwd?: string): Promise<Report> {
  const { code, out, err } = await qdbg([...args, '--report', 'json'], cwd);
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Report;
}

describe.concurrent('what the program says of itself', () => {
  it('prints its version', async () => {
    expect(await qdbg(['--version'])).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
  });

  it.each([[['--help']], [['help', 'analyze']]])('prints help on standard output: %s', async (args) => {
    const { code, out, err } = await qdbg(args);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: qdbg/);
  });
});

describe.concurrent('what cannot be run exits 2, says why on standard error and prints nothing', () => {
  const CASES: readonly (readonly [args: readonly string[], said: RegExp])[] = [
    [[], /Usage: qdbg/],
    [['nonsense'], /unknown command 'nonsense'/],
    [['analyze', MODEL], /analyze needs calibration data[^]*hint: --calib/],
    [[...ANALYZE, '--nonsense'], /unknown option '--nonsense'/],
    [[...ANALYZE, '--samples', '0'], /--samples/],
    [
      [...ANALYZE, '--scheme', 'gemmlowp'],
      /gemmlowp is neither a scheme's name nor a file[^]*hint: --scheme ort/,
    ],
    [[...ANALYZE, '--scheme', 'tensorrt', '--activations', 'uint8'], /tensorrt has no uint8 activations/],
    [[...ANALYZE, '--only', 'conv*'], /a pattern matches no node and no tensor[^]*--only 'conv\*'/],
    [
      [...ANALYZE, '--skip', 'op:Conv', '--skip', 'pas'],
      /2 patterns match[^]*op:Conv[^]*pas[^]*hint: qdbg inspect/,
    ],
    [[...ANALYZE, '--channels', 'zz'], /--channels zz matches no measured/],
    [[...ANALYZE, '--report', 'pdf=x'], /there is no reporter "pdf"[^]*terminal\|json/],
    [
      [...ANALYZE, '--report', 'json=/dev/null/x.json'],
      /cannot write the report[^]*its folder does not exist/,
    ],
    [['analyze', 'no-such.onnx', '--calib', X], /no-such\.onnx/],
    [['analyze', MODEL, '--calib', 'no-such'], /no-such/],
  ];

  it.each(CASES)('%j', async (args, said) => {
    const { code, out, err } = await qdbg(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(said);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe.concurrent('reports', () => {
  it('go to standard output as text when nothing else is asked for', async () => {
    const { code, out, err } = await qdbg(ANALYZE);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^VERDICT {2}/);
    expect(out).not.toContain('\u001b');
  });

  it('are nothing but JSON on standard output when that is asked for', async () => {
    for (const target of ['json', 'json=-']) {
      const { code, out, err } = await qdbg([...ANALYZE, '--report', target]);
      expect([code, err]).toEqual([0, '']);
      expect((JSON.parse(out) as Report).command).toBe('analyze');
    }
  });

  it('are byte for byte the same for the same input', async () => {
    const [one, other] = await Promise.all(
      [1, 2].map(() => qdbg(['analyze', ...DIGITS, '--report', 'json'])),
    );
    expect(other!.out).toBe(one!.out);
    expect(one!.out.length).toBeGreaterThan(10_000);
  });

  it('go to files beside the text on standard output, whole and without leftovers', async () => {
    const folder = join(files.folder, 'targets');
    mkdirSync(folder);
    const args = [
      ...ANALYZE,
      '--report',
      'json=a.json',
      '--report',
      'terminal=b.txt',
      '--report',
      'json=c=d.json',
    ];
    const { code, out } = await qdbg(args, folder);
    expect(code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['a.json', 'b.txt', 'c=d.json']);
    expect(readFileSync(join(folder, 'b.txt'), 'utf8')).toBe(out);
    const text = readFileSync(join(folder, 'a.json'), 'utf8');
    expect(readFileSync(join(folder, 'c=d.json'), 'utf8')).toBe(text);
    expect((JSON.parse(text) as Report).verdict.cause).toBe('act.outlier-range');
  });

  it('are shorter with --quiet and --top', async () => {
    const { out } = await qdbg([...ANALYZE, '--quiet']);
    expect(out).toContain('VERDICT');
    expect(out).toContain('FINDINGS');
    expect(out).not.toContain('WORST LAYERS');
    expect((await qdbg([...ANALYZE, '--top', '1'])).out).toContain('WORST LAYERS  1 of 2');
  });

  it('bear the time only with --timestamp', async () => {
    expect(await reportOf(ANALYZE)).not.toHaveProperty('createdAt');
    expect(await reportOf([...ANALYZE, '--timestamp'])).toHaveProperty('createdAt');
  });

  it('do not mind a reader that goes away', async () => {
    const command = `"${process.execPath}" "${BIN}" analyze "${DIGITS[0]}" --calib "${DIGITS[2]}" --report json | head -c 10; echo " \${PIPESTATUS[0]}"`;
    const { out, err } = await execute('bash', ['-c', command], files.folder);
    expect(out.split(' ').at(-1)).toBe('0\n');
    expect(err).toBe('');
  });

  it('that standard output cannot take are an error of the user, not a bug', async () => {
    const command = `"${process.execPath}" "${BIN}" analyze "${MODEL}" --calib "${X}" > /dev/full`;
    const { code, err } = await execute('bash', ['-c', command], files.folder);
    expect(code).toBe(2);
    expect(err).toMatch(/^qdbg: cannot write to standard output: .*no space left/);
  });
});

describe.concurrent('a configuration file', () => {
  it('is found from folders below it, and loses to the command line', async () => {
    const folder = join(files.folder, 'configured');
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    writeFileSync(
      join(folder, 'qdbg.config.json'),
      JSON.stringify({ calib: 'x.npy', scheme: 'tflite', report: ['json=r.json'], perTensor: true }),
    );
    writeFileSync(join(folder, 'x.npy'), readFileSync(X));
    const { code, err } = await qdbg(['analyze', MODEL, '--per-axis', '--verbose'], join(folder, 'a/b'));
    expect(code).toBe(0);
    expect(err).toContain(`settings of ${join(realpathSync(folder), 'qdbg.config.json')}`);
    const report = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8')) as Report;
    expect(report.scheme).toMatchObject({ name: 'tflite', weights: { granularity: 'per-axis' } });
    expect(report.data.calib!.path).toBe(join(realpathSync(folder), 'x.npy'));
  });
});
