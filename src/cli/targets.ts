/** `--report FORMAT=FILE`: where reports go. */
import { closeSync, openSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { UsageError } from '../errors.js';
import { REPORTERS, type ReporterName } from '../report/index.js';
import { HTML_FILE } from './html-file.js';

export interface Target {
  readonly reporter: ReporterName;
  /** Undefined is stdout. */
  readonly file: string | undefined;
}

/** Characters of a file's name in that of its temporary one: file systems end names at 255 bytes. */
const LONGEST_STEM = 50;

const EXTENSIONS: Readonly<Record<ReporterName, string>> = {
  terminal: 'txt',
  json: 'json',
  html: 'html',
  junit: 'xml',
  sarif: 'sarif',
  github: 'txt',
  md: 'md',
  csv: 'csv',
  'model-explorer': 'json',
  'model-explorer-self': 'json',
  'model-explorer-cumulative': 'json',
};

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
        hint: `--report ${name}=qdbg-report.${EXTENSIONS[name]}`,
      });
    // A page is looked at in a browser, not in a terminal.
    if (file === undefined && name === 'html') return { reporter: name, file: HTML_FILE };
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

/**
 * Opens every target's folder before the long run, so that a bad path fails at once.
 *
 * @param inputs paths that the run reads, which no report may replace
 */
export function checkTargets(targets: readonly Target[], inputs: readonly string[] = []): void {
  const files = targets.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const read = new Set(inputs.map(destination));
  const places = files.flatMap((file, i) => {
    if (files.slice(0, i).some((other) => destination(other) === destination(file))) {
      return [`${file}: two reports would go there`];
    }
    if (read.has(destination(file))) return [`${file}: this run reads it`];
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) return [`${file} is a folder`];
      if (isSpecial(file)) return [];
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
      hint: '--report FORMAT=FILE, a file of its own in a folder that exists and is writable',
    });
  }
}

/** Whether one of the files is there already and lies where a model in one of these places may keep its external data. */
export function mayBeModelData(files: readonly string[], models: readonly string[]): boolean {
  const folders = models.map((model) => dirname(destination(model)));
  return files.some((file) => {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
    const path = destination(file);
    return folders.some((folder) => path.startsWith(join(folder, sep)));
  });
}

/** Writes under a temporary name and renames: the file is whole or as it was before. */
export function writeWhole(file: string, content: string | Uint8Array): void {
  const isDevice = isSpecial(file);
  const temporary = temporaryName(file);
  try {
    // A pipe or a device (/dev/stdout, a process substitution) is written to; renaming would put a file in its place.
    if (isDevice) writeFileSync(file, content);
    else {
      writeFileSync(temporary, content, { flag: 'wx' });
      renameSync(temporary, destination(file));
    }
  } catch (error) {
    if (!isDevice) rmSync(temporary, { force: true });
    throw unwritable(file, error);
  }
}

/**
 * Writes a file that is not there yet.
 *
 * @throws UsageError when it is
 */
export function writeNew(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw unwritable(file, error, 'qdbg template KIND FILE, in a folder that exists');
    throw new UsageError(`${file} exists, and is left as it is`, {
      hint: 'a file name behind the kind: qdbg template KIND FILE',
      cause: error,
    });
  }
}

export function unwritable(
  where: string,
  cause: unknown,
  hint = '--report FORMAT=FILE with a file where there is room',
): UsageError {
  return new UsageError(`cannot write to ${where}: ${reason(cause)}`, { hint, cause });
}

/** Whether something is there that is neither a file nor a folder. */
function isSpecial(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

/** What a path leads to: a link stays, the file it points at is replaced. */
function destination(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

function temporaryName(file: string): string {
  const path = destination(file);
  return join(dirname(path), `.${basename(path).slice(0, LONGEST_STEM)}.${process.pid}.tmp`);
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC') return 'no space left on the device';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'not writable';
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'its folder does not exist';
  if (code === 'ENAMETOOLONG') return 'the name is too long';
  return error instanceof Error ? error.message : String(error);
}
