/** The built program, run as its users run it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

/** To be run with Node.js. */
export const PROGRAM = fileURLToPath(new URL('../../bin/qdbg.js', import.meta.url));

export interface Run {
  readonly code: number | string;
  readonly out: string;
  readonly err: string;
}

export function qdbg(args: readonly string[], cwd: string): Promise<Run> {
  const env = { ...process.env, NO_COLOR: '1' };
  return new Promise((done) =>
    execFile(process.execPath, [PROGRAM, ...args], { cwd, env, maxBuffer: 2 ** 28 }, (error, out, err) =>
      done({ code: error === null ? 0 : (error.code ?? 'killed'), out, err }),
    ),
  );
}

/** Exit code 2, nothing on standard output, one message with a hint at its end, and no stack. */
export function expectRefused({ code, out, err }: Run, ...says: readonly RegExp[]): void {
  expect([code, out], err).toEqual([2, '']);
  const lines = err.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^qdbg: \S/);
  expect(lines.filter((line) => line.startsWith('qdbg: '))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/^ {2}hint: \S/);
  expect(err).not.toMatch(/\n\s+at /);
  for (const text of says) expect(err).toMatch(text);
}
