/** `--report FORMAT=FILE`: where reports go. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, basename } from 'node:path';
import { UsageError } from '../errors.js';
import { REPORTERS, type ReporterName } from '../report/index.js';

export interface Target {
  readonly reporter: ReporterName;
  /** Undefined is stdout. */
  readonly file: string | undefined;
}

/** @throws UsageError for a reporter that does not exist, a target without a file, or two reports on stdout. */
export function parseTargets(values: readonly string[]): Target[] {
  const targets = values.map((value): Target => {
    const split = value.indexOf('=');
    const name = split < 0 ? value : value.slice(0, split);
    const file = split < 0 ? undefined : value.slice(split + 1);
    if (!isReporter(name)) {
      throw new UsageError(`--report ${value}: there is no reporter "${name}"`, {
        hint: `--report ${Object.keys(REPORTERS).join('|')}, with =FILE or =- for standard output`,
      });
    }
    if (file === '')
      throw new UsageError(`--report ${value}: the file name is missing`, {
        hint: `--report ${name}=${name}-report.${name}`,
      });
    return { reporter: name, file: file === '-' ? undefined : file };
  });
  const toStdout = targets.filter(({ file }) => file === undefined);
  if (toStdout.length > 1) {
    throw new UsageError(`${toStdout.length} reports would go to standard output, one can`, {
      hint: `--report ${toStdout[1]?.reporter ?? 'json'}=FILE`,
    });
  }
  return targets;
}

function isReporter(name: string): name is ReporterName {
  return Object.hasOwn(REPORTERS, name);
}

/** Opens every target's folder before the long run, so that a bad path fails at once. */
export function checkTargets(targets: readonly Target[]): void {
  const places = targets.flatMap(({ file }) => {
    if (file === undefined) return [];
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) return [`${file} is a folder`];
      const probe = temporaryName(file);
      closeSync(openSync(probe, 'wx'));
      rmSync(probe);
      return [];
    } catch (error) {
      return [`${file}: ${reason(error)}`];
    }
  });
  if (places.length > 0) {
    throw new UsageError('cannot write the report', {
      places,
      hint: 'give --report a file in a folder that exists',
    });
  }
}

/** Writes under a temporary name and renames: the file is whole or as it was before. */
export function writeWhole(file: string, content: string): void {
  const temporary = temporaryName(file);
  try {
    writeFileSync(temporary, content, { flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`cannot write ${file}: ${reason(error)}`, {
      hint: 'free some space or give --report another file',
      cause: error,
    });
  }
}

function temporaryName(file: string): string {
  return join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return 'no space left on the device';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'not writable';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'its folder does not exist';
  return error instanceof Error ? error.message : String(error);
}
