import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { GateVerdict } from '../../src/diff/gate/gate.js';
import { renderJson } from '../../src/report/json.js';
import { EVALUATED, MEASURED } from '../support/evaluated-reports.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const FOLDER = mkdtempSync(join(tmpdir(), 'qdbg-report-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function qdbg(...args: readonly string[]): Promise<Ended> {
  const program = ['--import', './test/support/typescript-process.mjs', 'src/cli/main.ts', ...args];
  return new Promise((done) => {
    execFile(process.execPath, program, { cwd: ROOT }, (error, out, err) =>
      done({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

function stored(name: string, text: string): string {
  const file = join(FOLDER, name);
  writeFileSync(file, text);
  return file;
}

it.each<[GateVerdict, number]>([
  ['pass', 0],
  ['fail', 1],
  ['inconclusive', 3],
])('ends as the run did whose gate has the verdict %s', async (verdict, code) => {
  const file = stored(`${verdict}.json`, renderJson({ ...EVALUATED, gate: { ...EVALUATED.gate!, verdict } }));
  const ended = await qdbg('report', file, '--quiet');
  expect(ended.code).toBe(code);
  expect(ended.out).toContain(MEASURED.verdict.summary.slice(0, 20));
});

it('refuses files that are no documents with exit code 2, and never with a stack', async () => {
  const document = renderJson(MEASURED);
  const files = [
    stored('cut.json', document.slice(0, 2000)),
    stored('other.json', '{"a": 1}'),
    stored('changed.json', document.replace('"tensors": [', '"tensors": 3, "was": [')),
  ];
  for (const file of [...files, join(FOLDER, 'missing.json'), FOLDER]) {
    const { code, out, err } = await qdbg('report', file);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^qdbg: .*\n( .*\n)*$/);
    expect(err).not.toContain('bug in qdbg');
  }
});

it('refuses to replace the document that it reads', async () => {
  const file = stored('run.json', renderJson(MEASURED));
  const { code, err } = await qdbg('report', file, '--report', `json=${file}`);
  expect(code).toBe(2);
  expect(err).toContain('this run reads it');
});

it('renders one document at a time', async () => {
  const file = stored('one.json', renderJson(MEASURED));
  const { code, err } = await qdbg('report', file, file);
  expect(code).toBe(2);
  expect(err).toContain('one at a time is rendered');
});
