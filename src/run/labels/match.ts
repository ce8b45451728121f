/**
 * Which label is a sample's, by names that were written on another machine.
 *
 * Names are only compared with the names of the samples; nothing is ever opened by a name out of a label file.
 */
import { resolve } from 'node:path';
import { DataError } from '../../errors.js';
import { atMost } from '../data/files.js';
import type { SampleName } from './truth.js';

/** A label under the name that its file gives it. */
export interface NamedLabel<T> {
  readonly name: string;
  /** Where it stands, for messages: `labels.csv:7`. */
  readonly place: string;
  readonly label: T;
}

export interface Matches<T> {
  /** By id of the sample. */
  readonly bySample: ReadonlyMap<string, NamedLabel<T>>;
  /** Labels of no sample in use. */
  readonly unmatched: number;
  /** Pairs whose folders differ, matched by the last part of the name alone; 0 when names agree as far as they go. */
  readonly byBasename: number;
}

interface MatchOptions<T> {
  /** Whether two labels of one name say the same. */
  readonly isSame: (a: T, b: T) => boolean;
  /** Folders that are passed over on both sides: `images` beside `labels`. */
  readonly passOver?: ReadonlySet<string>;
}

/** An extension, not the end of `frame.0012`. */
const EXTENSION = /\.[A-Za-z][A-Za-z0-9]{0,7}(?=#\d+$|$)/;

/**
 * A name fits when it is the end of the sample's path, or ends in the sample's id, at the borders of folders; with or without
 * its extension. The longest fit counts. Only when no name fits so, the last part alone decides, where it is unique.
 *
 * @throws DataError naming every label that several samples share, and every sample with labels that differ.
 */
export function matchLabels<T>(
  labels: readonly NamedLabel<T>[],
  samples: readonly SampleName[],
  { isSame, passOver = new Set() }: MatchOptions<T>,
): Matches<T> {
  const segmentsOf = (name: string): string[] =>
    name
      .replaceAll('\\', '/')
      .split('/')
      .filter((part, i, all) => part !== '' && part !== '.' && (i === all.length - 1 || !passOver.has(part)));
  const named = samples.map((sample) => ({
    id: sample.id,
    own: segmentsOf(sample.id),
    path: segmentsOf(pathOf(sample)),
  }));
  const lengths = new Set(named.map(({ own }) => own.length));
  const whole = new Index<T>();
  const ends = new Index<T>();
  const last = new Index<T>();
  for (const label of labels) {
    const parts = segmentsOf(label.name);
    if (parts.length === 0) continue;
    whole.add(parts, label);
    last.add(parts.slice(-1), label);
    for (const length of lengths) if (length < parts.length) ends.add(parts.slice(-length), label);
  }
  const find = ({ own, path }: { own: string[]; path: string[] }): readonly NamedLabel<T>[] => {
    const longer =
      longest(whole, path, own.length, path.length) ?? longest(whole, own, own.length, own.length);
    return longer ?? ends.get(own) ?? longest(whole, path, 1, own.length - 1) ?? [];
  };
  let found = named.map((sample) => ({ id: sample.id, labels: find(sample) }));
  let byBasename = 0;
  if (found.every((pair) => pair.labels.length === 0)) {
    found = named.map(({ id, own }) => ({ id, labels: last.get(own.slice(-1)) ?? [] }));
    byBasename = found.filter((pair) => pair.labels.length > 0).length;
  }
  const bySample = checked(found, isSame);
  const used = new Set([...bySample.values()].map(({ name }) => name));
  return { bySample, unmatched: labels.filter(({ name }) => !used.has(name)).length, byBasename };
}

/** The file, with the place of the sample in it. */
function pathOf({ id, file }: SampleName): string {
  const [part = ''] = /#\d+$/.exec(id) ?? [];
  return file === undefined ? id : `${resolve(file)}${part}`;
}

/** Labels by name, and by name without its extension. */
class Index<T> {
  readonly #exact = new Map<string, NamedLabel<T>[]>();
  readonly #stems = new Map<string, NamedLabel<T>[]>();

  add(parts: readonly string[], label: NamedLabel<T>): void {
    const name = parts.join('/');
    push(this.#exact, name, label);
    push(this.#stems, name.replace(EXTENSION, ''), label);
  }

  get(parts: readonly string[]): readonly NamedLabel<T>[] | undefined {
    const name = parts.join('/');
    return this.#exact.get(name) ?? this.#stems.get(name) ?? this.#stems.get(name.replace(EXTENSION, ''));
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

/** What fits the longest end of a path of between `least` and `most` parts. */
function longest<T>(
  index: Index<T>,
  path: readonly string[],
  least: number,
  most: number,
): readonly NamedLabel<T>[] | undefined {
  for (let length = Math.min(most, path.length); length >= least; length--) {
    const found = index.get(path.slice(-length));
    if (found !== undefined) return found;
  }
  return undefined;
}

function checked<T>(
  found: readonly { readonly id: string; readonly labels: readonly NamedLabel<T>[] }[],
  isSame: (a: T, b: T) => boolean,
): Map<string, NamedLabel<T>> {
  const bySample = new Map<string, NamedLabel<T>>();
  const takenBy = new Map<NamedLabel<T>, string>();
  const shared: string[] = [];
  const differing: string[] = [];
  for (const { id, labels } of found) {
    const [label, ...more] = labels;
    if (label === undefined) continue;
    const other = more.find((next) => !isSame(label.label, next.label));
    const owner = takenBy.get(label);
    if (other !== undefined) {
      differing.push(`${id}: ${label.name} (${label.place}) and ${other.name} (${other.place}) differ`);
    } else if (owner !== undefined) shared.push(`${label.name} (${label.place}): ${owner} and ${id}`);
    takenBy.set(label, id);
    bySample.set(id, label);
  }
  const problems = [...differing, ...shared];
  if (problems.length === 0) return bySample;
  const what = differing.length > 0 ? 'several labels that differ' : 'a label that several samples share';
  throw new DataError(`${problems.length} of ${found.length} samples have ${what}`, {
    places: atMost(problems),
    hint: '--labels FILE with the path of each sample, as far as it tells them apart, once',
  });
}
