/** Whether samples come from one of several folders that lie beside each other: one class, one scene. */
import { opendir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { SampleName } from '../labels/truth.js';
import { extensionOf } from './files.js';
import type { OneFolder } from './study.js';

/** Share of the samples from which on a folder stands for all of them. */
const MOST = 0.9;
const MOST_OTHERS = 3;
/** Entries of a folder that are looked at. */
const MOST_ENTRIES = 256;
/** Folders that say what files are for, not what is in them. */
const PURPOSE =
  /^(images?|imgs?|pictures?|jpegimages|leftimg8bit|arrays?|npy|labels?|masks?|annotations?|data(sets?)?|train(ing|\d{4})?|val(id(ation)?|\d{4})?|test(ing|\d{4})?|eval(uation)?|calib(ration)?|inputs?|outputs?|samples?|raw|new|old|tmp)([-_.].*)?$/i;

/**
 * @param root path that the data set was given with
 * @returns undefined where the folders of the samples are as many, as mixed or as lonely as they should be
 */
export async function oneFolder(names: readonly SampleName[], root: string): Promise<OneFolder | undefined> {
  const counts = new Map<string, number>();
  let extension = '';
  for (const { file } of names) {
    if (file === undefined) return undefined;
    const folder = dirname(resolve(file));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
    extension = extensionOf(file);
  }
  // A file of many samples is not a folder of them.
  if (names.length < 2 || new Set(names.map(({ file }) => file)).size < names.length) return undefined;
  const [[folder, count] = ['', 0], ...rest] = [...counts].sort(([, a], [, b]) => b - a);
  const share = count / names.length;
  const name = basename(folder);
  if (share < MOST || PURPOSE.test(name)) return undefined;
  const inside = rest.map(([other]) => basename(other)).filter((other) => !PURPOSE.test(other));
  if (inside.length > 0) return { name, share, others: inside.sort().slice(0, MOST_OTHERS), isInside: true };
  if (rest.length > 0) return undefined;
  const isInside = folder !== resolve(root);
  const others = await foldersBeside(folder, extension);
  return others.length === 0 ? undefined : { name, share, others, isInside };
}

/** Folders in the same place that hold files of the same kind, by name. */
async function foldersBeside(folder: string, extension: string): Promise<string[]> {
  const parent = dirname(folder);
  const names = (await entriesOf(parent)).filter(
    (entry) => entry.isDirectory && entry.name !== basename(folder) && !PURPOSE.test(entry.name),
  );
  const found: string[] = [];
  for (const { name } of names.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length === MOST_OTHERS) break;
    if (name.startsWith('.')) continue;
    const entries = await entriesOf(join(parent, name));
    if (entries.some((entry) => !entry.isDirectory && extensionOf(entry.name) === extension))
      found.push(name);
  }
  return found;
}

/** The first of them; none of a folder that cannot be read: what lies beside the data is not needed. */
async function entriesOf(
  folder: string,
): Promise<{ readonly name: string; readonly isDirectory: boolean }[]> {
  const entries: { name: string; isDirectory: boolean }[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      entries.push({ name: entry.name, isDirectory: entry.isDirectory() });
      if (entries.length === MOST_ENTRIES) break;
    }
  } catch {
    return entries;
  }
  return entries;
}
