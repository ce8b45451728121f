/** Everything that can be wrong with what users give: one clear message each, exit code 2, nothing on standard output. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError, type Command } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyConfig } from '../../src/cli/config.js';
import { failure, usageFailure } from '../../src/cli/failure.js';
import { programWith } from '../../src/cli/program.js';
import { analyzeRequest } from '../../src/cli/requests.js';
import { checkTargets, parseTargets } from '../../src/cli/targets.js';
import { analyze } from '../../src/commands/analyze.js';
import { planSimulation } from '../../src/commands/simulation.js';
import { rangeProgram } from '../../src/compile/calibration-program.js';
import { measurementProgram } from '../../src/compile/measurement-program.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { loadModel } from '../../src/loader/index.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { renderJson } from '../../src/report/json.js';
import type { Report } from '../../src/report/report.js';
import { renderTerminal } from '../../src/report/terminal.js';
import { TYPED } from '../support/requests.js';
import { workspace } from '../support/workspace.js';
import { dataRows } from './bad-input/data.js';
import { flagRows } from './bad-input/flags.js';
import { imageRows } from './bad-input/images.js';
import { modelRows } from './bad-input/models.js';
import { networkRows } from './bad-input/networks.js';
import { convolution, INPUT, nestedModel, node, value } from './bad-input/proto-models.js';
import type { Row } from './bad-input/row.js';
import { tfliteRows } from './bad-input/tflite.js';

const BIN = fileURLToPath(new URL('../../bin/qdbg.js', import.meta.url));

const files = workspace();
files.file('good.onnx', convolution());

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** What `main` does with a command line, in this process: starting another takes longer than all the rest. */
async function inProcess(args: readonly string[]): Promise<Outcome & { readonly report?: Report }> {
  let report: Report | undefined;
  const program = programWith({
    analyze: async ([model = ''], options) => {
      const request = await analyzeRequest(model, options, TYPED);
      checkTargets(parseTargets(options.report ?? []), [model, ...request.calib, ...request.eval]);
      report = await analyze(request, () => undefined);
    },
    compare: () => Promise.reject(new Error('not tested here')),
    inspect: () => Promise.reject(new Error('not tested here')),
    doctor: () => Promise.reject(new Error('not tested here')),
    sweep: () => Promise.reject(new Error('not tested here')),
    explain: () => Promise.reject(new Error('not tested here')),
    report: () => Promise.reject(new Error('not tested here')),
    template: () => Promise.reject(new Error('not tested here')),
  });
  let printed = '';
  for (const command of [program, ...program.commands] as Command[]) {
    const path = command === program ? 'qdbg' : `qdbg ${command.name()}`;
    command.exitOverride().configureOutput({ outputError: (text) => (printed += usageFailure(text, path)) });
    command.hook('preAction', async (_, acting) => {
      await applyConfig(acting as Command, (acting.opts() as { config?: string }).config);
    });
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return { code: 0, out: '', err: '', ...(report === undefined ? {} : { report }) };
  } catch (error) {
    if (error instanceof CommanderError) return { code: 2, out: '', err: printed };
    const { text, exitCode } = failure(error);
    return { code: exitCode, out: '', err: text };
  }
}

/** The built program. One that hangs is killed, and its exit code is then null. */
function qdbg(...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [BIN, ...args],
      { cwd: files.folder, timeout: 30_000, killSignal: 'SIGKILL' },
      (_, out, err) => done({ code: child.exitCode, out, err }),
    );
  });
}

function expectRefusal({ code, out, err }: Outcome, says: NonNullable<Row['says']>): void {
  expect(err).not.toMatch(/this is a bug/);
  expect([code, out]).toEqual([2, '']);
  const lines = err.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^qdbg: \S/);
  // Places and the hint are indented; the hint comes last, and once at most.
  for (const line of lines.slice(1)) expect(line).toMatch(/^ {2}\S/);
  expect(lines.slice(0, -1).filter((line) => line.startsWith('  hint: '))).toEqual([]);
  for (const line of lines) expect(line.length).toBeLessThan(650);
  expect(err).not.toMatch(UNPRINTABLE);
  for (const part of says) {
    if (typeof part === 'string') expect(err).toContain(part);
    else expect(err).toMatch(part);
  }
}

/** Control characters but the end of a line, and those that turn text around. */
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const before = process.cwd();
beforeAll(() => process.chdir(files.folder));
afterAll(() => process.chdir(before));

const ROWS = {
  'model files': modelRows(files),
  'TFLite files': tfliteRows(files),
  networks: networkRows(files),
  images: imageRows(files),
  data: dataRows(files),
  flags: flagRows(files),
};

describe.each(Object.entries(ROWS))('bad %s', (_, rows) => {
  it.each(rows.filter(({ says }) => says !== undefined))('$name', async ({ args, says = [] }) => {
    expectRefusal(await inProcess(args), says);
  });
});

describe.each(Object.entries(ROWS))('odd but good %s', (_, rows) => {
  it.each(rows.filter(({ says }) => says === undefined))('$name', async ({ args }) => {
    const { code, err, report } = await inProcess(args);
    expect([code, err]).toEqual([0, '']);
    const text = renderTerminal(report!, { width: 110, color: false, top: undefined, quiet: false });
    expect(text).toMatch(/^VERDICT {2}\S/);
    expect(text).not.toMatch(UNPRINTABLE);
    expect(text).not.toMatch(/\bInfinity\b|undefined|\[object/);
    // The document refuses numbers that are none.
    expect((JSON.parse(renderJson(report!)) as Report).tensors.length).toBeGreaterThan(0);
  });
});

describe('samples that are left out', () => {
  it('are in the report, with the reason', async () => {
    const { report } = await inProcess(
      'analyze good.onnx --calib some-unreadable --skip-unreadable'.split(' '),
    );
    expect(report!.data.calib).toMatchObject({
      samples: 4,
      excluded: [
        { sample: '2.jpg', reason: expect.stringContaining('damaged or truncated') as string },
        { sample: '5.png', reason: expect.stringContaining('it is not a') as string },
      ],
    });
    const text = renderTerminal(report!, { width: 110, color: false, top: undefined, quiet: false });
    expect(text).toMatch(/4 samples/);
    expect(text).toMatch(/excluded 2\.jpg: [^]*excluded 5\.png: /);
  });
});

describe('a network of 20,000 nodes', () => {
  it('is loaded, planned and compiled without running out of stack', async () => {
    const count = 20_000;
    const nodes = Array.from({ length: count }, (_, i) =>
      node('Relu', [i === 0 ? 'x' : `t${i}`], [`t${i + 1}`]),
    );
    // Backwards: sorting it goes all the way down.
    files.file('chain.onnx', convolution({ node: nodes.reverse(), output: [value(`t${count}`, INPUT)] }));
    const graph = inferShapes((await loadModel('chain.onnx')).graph);
    const { edges, plan } = planSimulation(graph, SCHEMES['tflite']!, { only: [], skip: [] });
    expect([graph.nodes.length, plan.quantizedNodes.length]).toEqual([count, count]);
    expect(rangeProgram(graph, edges, false).model.nodeCount).toBeGreaterThan(4 * count);
    const options = { kinds: ['local'] as const, clipping: new Set<never>(), guarded: false };
    const measured = measurementProgram(graph, FLOAT_LANE, edges, new Set(), options);
    expect(measured.model.nodeCount).toBeGreaterThan(count);
  });
});

describe.concurrent('the built program', () => {
  const RUN = ['analyze', 'good.onnx', '--calib', 'x.npy'] as const;

  it('says what is wrong on standard error alone, and exits 2', async () => {
    expectRefusal(await qdbg('analyze', 'none.onnx', '--calib', 'x.npy'), ['none.onnx does not exist']);
    expectRefusal(await qdbg(...RUN, '--\u001b[31mfoo'), ["unknown option '--\\u001b[31mfoo'"]);
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe that nobody writes to', async () => {
    const names = 'pipe pipe.npy pipe.json pipes.png pipes/a.png';
    execFileSync('sh', ['-c', `mkdir pipes && mkfifo ${names}`], { cwd: files.folder });
    files.file('pipes.txt', 'pipes.png\n');
    const rows: [string[], string][] = [
      [['analyze', 'pipe', '--calib', 'x.npy'], 'pipe is not a regular file'],
      [['analyze', 'good.onnx', '--calib', 'pipe.npy'], 'neither a file nor a folder'],
      [['analyze', 'good.onnx', '--calib', 'pipes'], '1 that are no regular files'],
      [['analyze', 'good.onnx', '--calib', 'pipes.txt'], 'it is not a file'],
      [[...RUN, '--config', 'pipe.json'], 'it is not a file'],
      [[...RUN, '--scheme', 'pipe'], 'neither'],
    ];
    for (const [args, says] of rows) expectRefusal(await qdbg(...args), [says]);
  });

  it.skipIf(!existsSync('/dev/zero'))('does not read a device to its end', async () => {
    expectRefusal(await qdbg('analyze', '/dev/zero', '--calib', 'x.npy'), ['not a regular file']);
    expectRefusal(await qdbg('analyze', 'good.onnx', '--calib', '/dev/zero'), [
      'neither a file nor a folder',
    ]);
  });

  it('refuses 3000 graphs within each other', async () => {
    files.file('deep.onnx', nestedModel(3000));
    expectRefusal(await qdbg('analyze', 'deep.onnx', '--calib', 'random'), ['nested too deeply']);
  });

  it.skipIf(!existsSync('/dev/full'))(
    'says when there is no room for a report, and leaves a device in place',
    async () => {
      expectRefusal({ ...(await qdbg(...RUN, '--report', 'json=/dev/full')), out: '' }, [
        'no space left on the device',
      ]);
      expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
    },
  );

  it.skipIf(!existsSync('/dev/full'))('says when there is no room for standard output', async () => {
    const shell = (command: string): Promise<Outcome> =>
      new Promise((done) => {
        const child = execFile(
          'sh',
          ['-c', command, process.execPath, BIN, ...RUN],
          { cwd: files.folder },
          (_, out, err) => done({ code: child.exitCode, out, err }),
        );
      });
    expectRefusal(await shell('"$0" "$@" > /dev/full'), ['cannot write to standard output', 'no space left']);
    expect((await shell('"$0" "$@" nonsense 2> /dev/full')).code).toBe(2);
  });

  it('is content when the reader of its output goes away', async () => {
    const child = spawn(process.execPath, [BIN, ...RUN, '--report', 'json'], { cwd: files.folder });
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    const code = await new Promise((done) => child.on('close', done));
    expect([code, err]).toEqual([0, '']);
  });

  it('keeps a report that is there when the run fails, and when it is interrupted', async () => {
    const old = files.file('kept/report.json', 'old');
    const target = ['--report', `json=${old}`];
    expectRefusal(await qdbg('analyze', 'good.onnx', '--calib', 'nan.npy', ...target), ['NaN']);
    expect(readdirSync(join(files.folder, 'kept'))).toEqual(['report.json']);
    const args = [BIN, 'analyze', 'good.onnx', '--calib', 'random', '--samples', '1000000', ...target];
    const child = spawn(process.execPath, args, { cwd: files.folder });
    const ended = new Promise((done) => child.on('close', (code, signal) => done(signal ?? code)));
    setTimeout(() => child.kill('SIGINT'), 1000);
    expect(['SIGINT', 130]).toContain(await ended);
    expect(readdirSync(join(files.folder, 'kept'))).toEqual(['report.json']);
    expect(readFileSync(old, 'utf8')).toBe('old');
  });
});
