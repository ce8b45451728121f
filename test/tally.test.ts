import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'qdbg-tally-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Runs scripts/tally.js on a report of these files, in the form of vitest's JSON reporter. */
function tally(...files: { status: string; tests: string[] }[]): { line: string; exitCode: number | null } {
  const path = join(folder, 'report.json');
  const testResults = files.map(({ status, tests }) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  }));
  writeFileSync(path, JSON.stringify({ testResults }));
  return run(path);
}

function run(path: string): ReturnType<typeof tally> {
  const script = fileURLToPath(new URL('../scripts/tally.js', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [script, path], { encoding: 'utf8' });
  return { line: stdout, exitCode: status };
}

describe('the tally of a test run', () => {
  it('passes when tests passed and none failed', () => {
    expect(tally({ status: 'passed', tests: ['passed', 'passed'] })).toEqual({
      line: '2 passed, 0 failed\n',
      exitCode: 0,
    });
  });

  it('counts what was skipped, in whichever way', () => {
    expect(tally({ status: 'passed', tests: ['passed', 'skipped', 'pending', 'todo'] })).toEqual({
      line: '1 passed, 0 failed, 3 skipped\n',
      exitCode: 0,
    });
  });

  it('fails when one test failed', () => {
    expect(tally({ status: 'failed', tests: ['passed', 'failed', 'failed'] })).toEqual({
      line: '1 passed, 2 failed\n',
      exitCode: 1,
    });
  });

  it('counts a file that does not load as one failure', () => {
    expect(tally({ status: 'passed', tests: ['passed'] }, { status: 'failed', tests: [] })).toEqual({
      line: '1 passed, 1 failed\n',
      exitCode: 1,
    });
  });

  it('fails when no test ran, or the run left no report', () => {
    expect(tally({ status: 'passed', tests: ['skipped'] })).toEqual({
      line: '0 passed, 0 failed, 1 skipped\n',
      exitCode: 1,
    });
    expect(run(join(folder, 'none.json'))).toEqual({ line: '0 passed, 0 failed\n', exitCode: 1 });
  });
});
