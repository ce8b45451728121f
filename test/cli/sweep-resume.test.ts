/** Sweeps that are interrupted: what is kept, what goes on from it, and which processes are left. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { digitFolders } from '../support/labelled.js';
import { expectRefused, PROGRAM, qdbg, type Run } from '../support/program.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const path = (name: string): string => join(files.folder, name);
const MODEL = projectPath('fixtures/digits/digits_rescaled.onnx');
const OTHER = projectPath('fixtures/digits/digits.onnx');

digitFolders(path('val'), [0, 1, 2], 4);

const DATA = ['--calib', 'val', '--eval', 'val', '--preset', 'unit', '--processes', '2'];
const argsOf = (...more: readonly string[]): string[] => ['sweep', MODEL, ...DATA, ...more];
const PARTS = ['--run', 'alone,restored,fixes'];
const swept = (...more: readonly string[]): Promise<Run> =>
  qdbg(argsOf(...more, '--report', 'json'), files.folder);

const linesOf = (journal: string): string[] =>
  existsSync(path(journal)) ? readFileSync(path(journal), 'utf8').split('\n').slice(0, -1) : [];

/** Of the process itself, and still running. */
function childrenOf(pid: number): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === pid)
    .map(([child = 0]) => child);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What has ended and was not waited for, as in a container without an init, still has its number.
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 3000) throw new Error(`${what} did not come about`);
    await setTimeout(20);
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly workers: readonly number[];
  readonly ended: Promise<unknown>;
}

/** A sweep in the middle of its work, with results in its journal. */
async function begun(journal: string): Promise<Started> {
  const child = spawn(process.execPath, [PROGRAM, ...argsOf(...PARTS, '--resume', journal)], {
    cwd: files.folder,
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await until(() => linesOf(journal).length > 2 || child.exitCode !== null, 'a result in the journal');
  return { process: child, workers: childrenOf(child.pid!), ended };
}

describe('a sweep that goes on', () => {
  it('from one of its parts has the report of all of them at once, and keeps what was there', async () => {
    const whole = await swept('--run', 'alone,restored');
    expect([whole.code, whole.err]).toEqual([0, '']);
    expect((await swept('--run', 'alone', '--resume', 'parts.jsonl')).code).toBe(0);
    const before = linesOf('parts.jsonl');
    expect(before.length).toBeGreaterThan(5);
    const resumed = await swept('--run', 'alone,restored', '--resume', 'parts.jsonl');
    expect([resumed.code, resumed.err, resumed.out]).toEqual([0, '', whole.out]);
    const after = linesOf('parts.jsonl');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.length).toBeGreaterThan(before.length);
    // All is known by now.
    const again = await swept('--run', 'alone,restored', '--resume', 'parts.jsonl');
    expect(again.out).toBe(whole.out);
    expect(linesOf('parts.jsonl')).toEqual(after);
  });

  it.skipIf(process.platform === 'win32')(
    'after it was killed has the report of one that was not, and leaves no process',
    async () => {
      const { process: killed, workers, ended } = await begun('killed.jsonl');
      killed.kill('SIGKILL');
      await ended;
      await until(() => !workers.some(isRunning), 'the end of all processes');
      expect(workers.length).toBeGreaterThan(0);
      const kept = linesOf('killed.jsonl');
      const [resumed, whole] = [await swept(...PARTS, '--resume', 'killed.jsonl'), await swept(...PARTS)];
      expect([resumed.code, resumed.err, whole.code]).toEqual([0, '', 0]);
      expect(JSON.parse(resumed.out)).toEqual(JSON.parse(whole.out));
      expect(linesOf('killed.jsonl').slice(0, kept.length)).toEqual(kept);
    },
  );
});

describe.skipIf(process.platform === 'win32')('the processes of a sweep', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('end with it at %s', async (signal) => {
    const { process: stopped, workers, ended } = await begun(`${signal}.jsonl`);
    expect(workers.length).toBeGreaterThan(0);
    stopped.kill(signal);
    await ended;
    expect(stopped.exitCode).not.toBe(0);
    await until(() => !workers.some(isRunning), 'the end of all processes');
  });
});

describe('a journal of another sweep', () => {
  it.each([
    ['model', ['sweep', OTHER, ...DATA]],
    ['scheme', argsOf('--per-axis')],
    ['selection', argsOf('--skip', 'op:Gemm')],
    ['data', argsOf('--samples', '6')],
    ['metric', argsOf('--metric', 'top5')],
  ])('is refused and left as it is: %s', async (fact, args) => {
    if (!existsSync(path('first.jsonl')))
      expect((await swept('--run', 'alone', '--resume', 'first.jsonl')).code).toBe(0);
    const own = `${fact}.jsonl`;
    copyFileSync(path('first.jsonl'), path(own));
    const run = await qdbg([...args, '--run', 'alone', '--resume', own], files.folder);
    expectRefused(run, new RegExp(`${fact}\\.jsonl is of another sweep: .*${fact}`));
    expect(readFileSync(path(own)).equals(readFileSync(path('first.jsonl')))).toBe(true);
  });
});
