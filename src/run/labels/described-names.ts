/** Names of label classes that stand in a file beside the labels: data.yaml, classes.txt. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { statOf } from '../data/files.js';
import { classesOfFile, namesIn, parseYaml } from './class-names.js';
import { isRecord, readText } from './text-file.js';
import { noted } from './source.js';

/** Folders that are looked into: that of the labels and those around it, dataset/labels/train and dataset. */
const LEVELS = 3;
/** A folder with more of them is a collection of something else. */
const MAX_FILES = 16;
const MAX_BYTES = 1 << 20;

export interface DescribedNames {
  readonly names: ReadonlyMap<number, string>;
  readonly assumed: readonly Assumption[];
}

/**
 * The nearest description of the classes of boxes or masks. YAML of Ultralytics has `names:`; one that describes masks, whose
 * numbers are others than those of boxes, says `masks:` somewhere.
 */
export async function describedNames(folder: string, kind: 'boxes' | 'mask'): Promise<DescribedNames> {
  let level = resolve(folder);
  for (let i = 0; i < LEVELS; i++, level = dirname(level)) {
    const found = await namesInFolder(level, kind, i === 0);
    if (found !== undefined) return found;
  }
  return { names: new Map(), assumed: [] };
}

/** @param isOwn whether the labels lie in this very folder; classes.txt further up is about boxes. */
async function namesInFolder(
  folder: string,
  kind: 'boxes' | 'mask',
  isOwn: boolean,
): Promise<DescribedNames | undefined> {
  const entries = (await readdir(folder).catch(() => [])).sort();
  const yamls = entries.filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith('.'));
  const found: { readonly file: string; readonly names: ReadonlyMap<number, string> }[] = [];
  for (const file of yamls.length > MAX_FILES ? [] : yamls) {
    const names = await namesOfYaml(join(folder, file), kind);
    if (names !== undefined) found.push({ file, names });
  }
  if (found.length === 0 && (isOwn || kind === 'boxes') && entries.includes('classes.txt')) {
    const names = await classesOfFile(join(folder, 'classes.txt')).catch(passOver);
    if (names instanceof Map) found.push({ file: 'classes.txt', names });
  }
  const [first, ...more] = found;
  if (first === undefined) return undefined;
  const other = more.find(({ names }) => !isSame(names, first.names));
  if (other !== undefined) {
    const value = `not read: ${first.file} and ${other.file} in ${basename(folder)}/ differ`;
    return { names: new Map(), assumed: [noted('names of label classes', value)] };
  }
  const value = `${first.names.size} from ${first.file}`;
  return { names: first.names, assumed: [noted('names of label classes', value)] };
}

/** @returns undefined for YAML that is about something else, or none. */
async function namesOfYaml(
  path: string,
  kind: 'boxes' | 'mask',
): Promise<ReadonlyMap<number, string> | undefined> {
  try {
    if ((await statOf(path)).size > MAX_BYTES) return undefined;
    const file = basename(path);
    const content = await parseYaml(await readText(path, MAX_BYTES), file);
    if (!isRecord(content)) return undefined;
    const listed = content['names'] ?? content['classes'];
    if (typeof listed !== 'object' || mentionsMasks(content) !== (kind === 'mask')) return undefined;
    return namesIn(content, file);
  } catch (error) {
    passOver(error);
    return undefined;
  }
}

/** Nobody named these files: one that cannot be read is one that is not about the labels. */
function passOver(error: unknown): void {
  if (!(error instanceof DataError)) throw error;
}

/** Such as `train: {masks: masks/train}`, `masks_dir: masks`, `val: masks/val`. */
function mentionsMasks(content: Readonly<Record<string, unknown>>): boolean {
  const outer = Object.entries(content).filter(([key]) => key !== 'names' && key !== 'classes');
  const inner = outer.flatMap(([, value]) => (isRecord(value) ? Object.entries(value) : []));
  return [...outer, ...inner].some(
    ([key, value]) => /mask/i.test(key) || (typeof value === 'string' && /(^|\/)masks?(\/|$)/i.test(value)),
  );
}

function isSame(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([number, name]) => b.get(number) === name);
}
