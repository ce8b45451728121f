import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { LostError } from '../../../src/commands/sweep/trials/chunked-runner.js';
import { ProcessPool } from '../../../src/commands/sweep/trials/pool.js';
import { workspace } from '../../support/workspace.js';

interface Asked {
  readonly act: string;
  readonly with?: unknown;
}

const space = workspace();
const entry = pathToFileURL(
  space.file(
    'entry.mjs',
    `import { existsSync, rmSync } from 'node:fs';
     const flag = new URL('die', import.meta.url);
     if (existsSync(flag)) { rmSync(flag); process.kill(process.pid, 'SIGKILL'); for (;;); }
     process.on('message', ({ act, with: given }) => {
       process.send({ kind: 'begun' });
       if (act === 'abort') process.abort();
       if (act === 'kill') process.kill(process.pid, 'SIGKILL');
       if (act === 'hang') for (;;);
       if (act === 'throw') throw new TypeError('of the worker');
       if (act === 'refuse') {
         process.send({ kind: 'failed', error: { name: 'DataError', message: 'bad', places: ['here'], hint: 'do' } });
         return;
       }
       for (let i = 0; i < 3; i++) process.send({ kind: 'sample' });
       process.send({ kind: 'answer', answer: { pid: process.pid, given } });
     });`,
  ),
);

type Answer = { readonly pid: number; readonly given: unknown };
const open: ProcessPool<Asked, Answer>[] = [];
const pool = (patienceMs = 30_000): ProcessPool<Asked, Answer> => {
  const made = new ProcessPool<Asked, Answer>({ processes: 2, patienceMs, entry });
  open.push(made);
  return made;
};
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

const silent = (): void => undefined;
const isAlive = (pid: number): boolean => {
  try {
    // A zombie answers signals, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a pool of processes', () => {
  it('keeps a process for the next task, and typed arrays as what they are', async () => {
    const own = pool();
    let samples = 0;
    const values = Float32Array.of(1, 2);
    const first = await own.run({ act: 'ok', with: [values, values] }, () => {
      samples++;
    });
    const second = await own.run({ act: 'ok' }, silent);
    expect(second.pid).toBe(first.pid);
    expect(samples).toBe(3);
    const [a, b] = first.given as [Float32Array, Float32Array];
    expect(a).toEqual(values);
    expect(a).toBe(b);
  });

  it.each([
    ['aborts', 'abort', 'ONNX Runtime crashed: SIGABRT'],
    ['is killed', 'kill', 'its process was killed, as a system out of memory does: SIGKILL'],
    ['throws', 'throw', 'its process ended with exit code 1 (TypeError: of the worker)'],
  ])('says how a process ended that %s, and has another one for the next task', async (_, act, message) => {
    const own = pool();
    const before = await own.run({ act: 'ok' }, silent);
    const lost = own.run({ act }, silent);
    await expect(lost).rejects.toThrow(LostError);
    await expect(lost).rejects.toMatchObject({ message, hadBegun: true });
    expect((await own.run({ act: 'ok' }, silent)).pid).not.toBe(before.pid);
  });

  it('ends a process that says nothing any more', async () => {
    const own = pool(3000);
    const { pid } = await own.run({ act: 'ok' }, silent);
    await expect(own.run({ act: 'hang' }, silent)).rejects.toThrow('ONNX Runtime did not answer within 3 s');
    expect(isAlive(pid)).toBe(false);
    expect((await own.run({ act: 'ok' }, silent)).pid).not.toBe(pid);
  });

  it('does not wait for a process that is killed while it starts', async () => {
    const own = pool();
    space.file('die', '');
    await expect(own.run({ act: 'ok' }, silent)).rejects.toMatchObject({ hadBegun: false });
    expect((await own.run({ act: 'ok' }, silent)).pid).toBeGreaterThan(0);
  });

  it('has another process for one that was killed while it waited', async () => {
    const own = pool();
    const { pid } = await own.run({ act: 'ok' }, silent);
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    const next = await own.run({ act: 'ok' }, silent).catch((error: unknown) => error);
    // Whether this process has heard of it by now is chance.
    const answer = next instanceof LostError ? await own.run({ act: 'ok' }, silent) : (next as Answer);
    expect(answer.pid).not.toBe(pid);
  });

  it('passes the error of a task on, with its places and hint, and keeps the process', async () => {
    const own = pool();
    const { pid } = await own.run({ act: 'ok' }, silent);
    await expect(own.run({ act: 'refuse' }, silent)).rejects.toMatchObject({
      name: 'DataError',
      message: 'bad',
      places: ['here'],
      hint: 'do',
    });
    expect((await own.run({ act: 'ok' }, silent)).pid).toBe(pid);
  });

  it('leaves no process behind', async () => {
    const own = pool();
    const answers = await Promise.all([own.run({ act: 'ok' }, silent), own.run({ act: 'ok' }, silent)]);
    await own.close();
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
    expect(answers.filter(({ pid }) => isAlive(pid))).toEqual([]);
  });
});
