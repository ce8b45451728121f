import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROGRAM } from '../support/program.js';

const MODEL = resolve('fixtures/digits/digits.onnx');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qdbg-html-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function inspected(...flags: readonly string[]): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  const env = { ...process.env, BROWSER: join(folder, 'browser.sh') };
  return spawnSync(process.execPath, [PROGRAM, 'inspect', MODEL, ...flags], {
    cwd: folder,
    env,
    encoding: 'utf8',
  });
}

/** A browser that notes down what it is asked to show. */
function noteTaker(): void {
  const file = join(folder, 'browser.sh');
  writeFileSync(
    file,
    `#!/bin/sh\necho "$1" > '${join(folder, 'shown.tmp')}'\nmv '${join(folder, 'shown.tmp')}' '${join(folder, 'shown')}'\n`,
  );
  chmodSync(file, 0o755);
}

/** The browser outlives qdbg. */
async function shown(): Promise<string> {
  const file = join(folder, 'shown');
  for (let waited = 0; waited < 100 && !existsSync(file); waited++) await setTimeout(100);
  return readFileSync(file, 'utf8').trim();
}

describe('--report html', () => {
  it('without a name writes qdbg-report.html, says so, and leaves the terminal report where it was', () => {
    const { status, stdout, stderr } = inspected('--report', 'html');
    expect(status).toBe(0);
    expect(readFileSync(join(folder, 'qdbg-report.html'), 'utf8')).toMatch(
      /^<!doctype html>[\s\S]*<\/html>\s*$/,
    );
    expect(stdout).toContain('MODEL  ');
    expect(stderr).toContain('qdbg: the report is in qdbg-report.html\n');
  });

  it('to standard output is the page alone', () => {
    const { status, stdout } = inspected('--report', 'html=-');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^<!doctype html>/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('under --quiet says nothing of the file', () => {
    expect(inspected('--report', 'html', '--quiet').stderr).toBe('');
  });
});

describe.skipIf(process.platform !== 'linux')('--open', () => {
  it('shows the HTML report in the browser', async () => {
    noteTaker();
    const { status, stderr } = inspected('--report', 'html=page.html', '--open');
    expect([status, stderr]).toEqual([0, 'qdbg: the report is in page.html\n']);
    expect(await shown()).toBe(join(folder, 'page.html'));
  });

  it('makes one where none was asked for', async () => {
    noteTaker();
    expect(inspected('--open').status).toBe(0);
    expect(await shown()).toBe(join(folder, 'qdbg-report.html'));
  });

  it('ends well on a machine without a browser', () => {
    const { status, stderr } = inspected('--open');
    expect([status, stderr]).toEqual([0, 'qdbg: the report is in qdbg-report.html\n']);
  });
});
