/** Class folders: the folder that a file lies in is its class, as torchvision's ImageFolder and Keras have it. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { DataError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost, extensionOf, listFolder, reasonOf } from '../data/files.js';
import { sameSpelling } from './class-names.js';
import { noted } from './source.js';
import type { LabelClasses, LabelRequest, LabelSource } from './source.js';
import type { SampleName } from './truth.js';

/** Folders that say what files are for, not what is in them. */
const NO_CLASS =
  /^(images?|imgs?|jpegimages|leftimg8bit|labels?|masks?|annotations?|data|dataset|train(ing|\d{4})?|val(idation|\d{4})?|test(ing|\d{4})?|eval(uation)?|calib(ration)?|inputs?|samples?)$/i;

/** @returns undefined when the samples do not lie in class folders */
export async function classFolders(request: LabelRequest): Promise<LabelSource | undefined> {
  const { samples, root, model, classMap } = request;
  const folders = new Map(samples.map((sample) => [sample.id, folderOf(sample, root)]));
  const labelled = samples.filter(({ id }) => folders.get(id) !== undefined);
  // A few stray folders beside most of the samples are no classes.
  if (labelled.length === 0 || labelled.length * 2 < samples.length) return undefined;
  // Files named one by one lie somewhere: a single folder outside of what was given says nothing of them.
  const inUse = new Set(labelled.map(({ id }) => folders.get(id)));
  if (inUse.size < 2 && !labelled.every(({ file = '' }) => isInside(root, file))) return undefined;
  const { filled, empty } = await enumerate(root, labelled);
  // Plain code units, which is what sorted() of Python gives for all but the rarest characters.
  const names = [...filled, ...empty].sort((a, b) => (a < b ? -1 : 1));
  if (filled.size < 2) return undefined;
  const { numbers, how, ordered } = numbering(names, model.names);
  if (model.count !== undefined && names.length > model.count && classMap === undefined) {
    throw new DataError(
      `${root} has ${names.length} class folders; the model tells ${model.count} classes apart`,
      {
        places: atMost(names),
        hint: "--class-map 'FOLDER=CLASS,...' says which class each folder is, --labels none does without labels",
      },
    );
  }
  const used = new Map<number, string>();
  for (const { id } of labelled) {
    const number = numbers.get(folders.get(id)!)!;
    if (!used.has(number)) used.set(number, id);
  }
  return {
    kind: 'class',
    source: `${names.length} class folders`,
    classes: {
      names: new Map(names.map((name) => [numbers.get(name)!, name])),
      used,
      count: names.length,
      ...(ordered ? { ordered } : {}),
    } satisfies LabelClasses,
    assumed: [noted('class folders', how), ...remarks(names.length, [...empty].sort(), model.count)],
    missing: new Set(samples.filter(({ id }) => folders.get(id) === undefined).map(({ id }) => id)),
    read: ({ id }) => Promise.resolve({ kind: 'class', label: numbers.get(folders.get(id)!)! }),
  };
}

/** Name of the folder that the file of a sample lies in, unless that is the data set itself. */
function folderOf({ file }: SampleName, root: string): string | undefined {
  // Samples of one array lie in a folder as a whole.
  if (file === undefined || resolve(file) === resolve(root)) return undefined;
  const folder = dirname(resolve(file));
  const name = basename(folder);
  return folder === resolve(root) || name === '' || NO_CLASS.test(name) ? undefined : name;
}

function isInside(root: string, file: string): boolean {
  const path = relative(resolve(root), resolve(file));
  return path !== '' && !path.startsWith('..') && !isAbsolute(path);
}

interface Folders {
  readonly filled: ReadonlySet<string>;
  readonly empty: ReadonlySet<string>;
}

/**
 * All class folders, whether samples in them are used or not: which number a folder has must not depend on how many samples are.
 * Folders beside those of the samples count although they are empty.
 */
async function enumerate(root: string, labelled: readonly SampleName[]): Promise<Folders> {
  const inUse = new Set(labelled.map(({ file }) => dirname(resolve(file!))));
  const extensions = new Set(labelled.map(({ file }) => extensionOf(file!)));
  const filled = new Set([...inUse].map((folder) => basename(folder)));
  const parents = new Set([...inUse].map((folder) => dirname(folder)));
  if ((await stat(root).catch(() => undefined))?.isDirectory() === true) {
    for (const { path } of (await listFolder(root)).files) {
      const folder = dirname(resolve(path));
      if (!extensions.has(extensionOf(path)) || folder === resolve(root)) continue;
      if (NO_CLASS.test(basename(folder))) continue;
      filled.add(basename(folder));
      parents.add(dirname(folder));
    }
  }
  const empty = new Set<string>();
  for (const parent of parents) {
    for (const name of await foldersIn(parent)) {
      if (filled.has(name) || NO_CLASS.test(name) || name.startsWith('.')) continue;
      const content = await namesIn(join(parent, name));
      if (content.some((entry) => extensions.has(extensionOf(entry)))) filled.add(name);
      else if (content.every((entry) => entry.startsWith('.'))) empty.add(name);
    }
  }
  for (const name of filled) empty.delete(name);
  return { filled, empty };
}

async function foldersIn(parent: string): Promise<string[]> {
  const names = await namesIn(parent);
  const folders: string[] = [];
  for (const name of names) {
    if ((await stat(join(parent, name)).catch(() => undefined))?.isDirectory() === true) folders.push(name);
  }
  return folders;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    throw new DataError(`folder ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

interface Numbering {
  readonly numbers: ReadonlyMap<string, number>;
  readonly how: string;
  /** By nothing but the order of the names. */
  readonly ordered: boolean;
}

/**
 * Numbers of folders, in the order of trust: those that all folders bear in their names, else their order.
 *
 * @param own names of the model's classes, by which folders are matched later on.
 */
function numbering(names: readonly string[], own: readonly string[] = []): Numbering {
  const classes = new Set(own.map(sameSpelling));
  const isNamed = own.length > 0 && names.some((name) => classes.has(sameSpelling(name)));
  const whole = names.map((name) => (/^\d{1,5}$/.test(name) ? Number(name) : undefined));
  if (areDistinct(whole)) return pairs(names, whole, 'the name of the folder is the class number');
  const prefixes = names
    .map((name) => /^(\d{1,5})[_\-. ]/.exec(name)?.[1])
    .map((text) => text && Number(text));
  if (areDistinct(prefixes) && Math.max(...prefixes) === names.length - 1) {
    return pairs(names, prefixes, `the number before the name is the class, as in ${names[0]}`);
  }
  const how = isNamed
    ? 'by the names of the model classes'
    : 'in the order of their names, as sorted() of Python gives it';
  return { ...pairs(names, [...names.keys()], how), ordered: !isNamed };
}

function areDistinct(numbers: readonly (number | string | undefined)[]): numbers is readonly number[] {
  return numbers.every((number) => typeof number === 'number') && new Set(numbers).size === numbers.length;
}

function pairs(names: readonly string[], numbers: readonly number[], how: string): Numbering {
  return { numbers: new Map(names.map((name, i) => [name, numbers[i]!])), how, ordered: false };
}

function remarks(folders: number, empty: readonly string[], count: number | undefined): Assumption[] {
  const fewer = count !== undefined && folders < count;
  const shown = empty.slice(0, 5).join(', ');
  return [
    ...(fewer ? [noted('class folders', `${folders}; the model tells ${count} classes apart`)] : []),
    ...(empty.length > 0
      ? [noted('empty class folders', empty.length > 5 ? `${shown} and ${empty.length - 5} more` : shown)]
      : []),
  ];
}
