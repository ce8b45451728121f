/** Finding the files of a data set, in an order that does not depend on the machine. */
import { readdir, stat } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import type { DataFile } from './source.js';

/** Folders within folders that are followed. */
const MAX_DEPTH = 32;

/** Why an operation on a file failed, in the words of a user. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'it does not exist';
    case 'ENOTDIR':
      return 'a part of its path is not a folder';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ELOOP':
      return 'its links lead in a circle';
    case 'ENAMETOOLONG':
      return 'the name is too long';
    case 'ERR_INVALID_ARG_VALUE':
      return 'this is not a file name';
    default:
      return message;
  }
}

/** @throws DataError when there is nothing at the path, or nothing that may be looked at. */
export async function statOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    throw new DataError(reasonOf(cause), { cause });
  }
}

export interface FolderListing {
  /** In natural order: img2 before img10. */
  readonly files: readonly DataFile[];
  /** Hidden files and folders. */
  readonly hidden: number;
  /** Devices, pipes and links that lead nowhere. */
  readonly special: number;
}

/**
 * Every regular file below a folder. Links are followed, each folder once.
 *
 * @throws DataError when a folder cannot be listed.
 */
export async function listFolder(root: string): Promise<FolderListing> {
  const found: { segments: readonly string[]; path: string }[] = [];
  const visited = new Set<string>();
  let hidden = 0;
  let special = 0;

  const visit = async (folder: string, segments: readonly string[]): Promise<void> => {
    const { dev, ino } = await statOf(folder);
    const identity = `${dev}:${ino}`;
    if (visited.has(identity)) return;
    if (ino !== 0) visited.add(identity); // 0 is what file systems without inodes report
    if (segments.length > MAX_DEPTH) {
      throw new DataError(`folder ${folder} is nested deeper than ${MAX_DEPTH}`);
    }
    for (const name of await namesIn(folder)) {
      if (name.startsWith('.')) {
        hidden++;
        continue;
      }
      const path = join(folder, name);
      const kind = await stat(path).catch(() => undefined);
      if (kind?.isDirectory() === true) await visit(path, [...segments, name]);
      else if (kind?.isFile() === true) found.push({ segments: [...segments, name], path });
      else special++;
    }
  };
  await visit(root, []);
  found.sort((a, b) => compareSegments(a.segments, b.segments));
  return { files: found.map(({ segments, path }) => ({ path, id: segments.join('/') })), hidden, special };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new DataError(`folder ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

function compareSegments(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareNatural(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/**
 * Runs of digits by their value, everything else by code unit. Not Intl.Collator: its order of punctuation and case
 * changes with the version of its tables.
 */
export function compareNatural(a: string, b: string): number {
  const left = a.match(/\d+|\D/g) ?? [];
  const right = b.match(/\d+|\D/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareParts(left[i]!, right[i]!);
    if (order !== 0) return order;
  }
  // Equal but for leading zeros: the plain order still tells them apart.
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

function compareParts(a: string, b: string): number {
  if (/^\d/.test(a) && /^\d/.test(b)) {
    const [x, y] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
    if (x.length !== y.length) return x.length - y.length;
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Extension in lower case with its dot, '' when there is none. */
export function extensionOf(id: string): string {
  return /\.[^./\\]+$/.exec(id)?.[0].toLowerCase() ?? '';
}

/** Up to `limit` lines, then how many more there are. */
export function atMost(lines: readonly string[], limit = 10): string[] {
  if (lines.length <= limit) return [...lines];
  return [...lines.slice(0, limit), `and ${lines.length - limit} more`];
}
