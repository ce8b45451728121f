/** Fixtures of the data set tests: folders, and arrays that Pillow and numpy computed (fixtures/data/recipe.py). */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { DatasetRequest } from '../../../src/run/data/index.js';
import { openDataset } from '../../../src/run/data/index.js';
import type { Elements, Feed, InputSpec, Sample } from '../../../src/run/data/dataset.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/data/', import.meta.url));
export const SHARED = fileURLToPath(new URL('../../../../shared/', import.meta.url));

export function fixture(...path: string[]): string {
  return join(FIXTURES, ...path);
}

interface Entry {
  readonly dtype: string;
  readonly dims: readonly number[];
  readonly offset: number;
}

const index = (
  JSON.parse(readFileSync(fixture('reference.json'), 'utf8')) as { arrays: Record<string, Entry> }
).arrays;
const bytes = readFileSync(fixture('reference.bin'));
const ARRAYS = { uint8: Uint8Array, float16: Uint16Array, float32: Float32Array, float64: Float64Array };

/** An array of the reference. */
export function reference(name: string): { readonly dims: readonly number[]; readonly data: Elements } {
  const entry = index[name];
  if (entry === undefined) throw new Error(`no reference ${name}`);
  const TypedArray = ARRAYS[entry.dtype as keyof typeof ARRAYS];
  const length = entry.dims.reduce((product, dim) => product * dim, 1);
  const own = new Uint8Array(
    bytes.subarray(entry.offset, entry.offset + length * TypedArray.BYTES_PER_ELEMENT),
  );
  return { dims: entry.dims, data: new TypedArray(own.buffer) };
}

export function referencesIn(group: string): string[] {
  return Object.keys(index).filter((name) => name.startsWith(`${group}/`));
}

/** An empty folder that is gone after the test, filled with the given files: a fixture's path, bytes or text. */
export function folderOf(
  files: Readonly<Record<string, { fixture: string } | Uint8Array | string>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'qdbg-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(path, content);
    else cpSync(fixture(content.fixture), path);
  }
  return folder;
}

/** Image files of a folder that are all the same picture. */
export function pictures(...names: string[]): Record<string, { fixture: string }> {
  return Object.fromEntries(names.map((name) => [name, { fixture: 'images/rgb.png' }]));
}

export const IMAGE_INPUT: InputSpec = { name: 'image', dtype: 'float32', shape: ['N', 3, 14, 14] };
/** Fits arrays/stack.npy and its variants. */
export const ARRAY_INPUT: InputSpec = { name: 'x', dtype: 'float32', shape: ['N', 3, 4, 6] };

export async function samplesOf(request: DatasetRequest): Promise<Sample[]> {
  const samples: Sample[] = [];
  for await (const sample of (await openDataset(request)).samples()) samples.push(sample);
  return samples;
}

/** The value of the first input in each sample. */
export async function feedsOf(request: DatasetRequest): Promise<Feed[]> {
  const name = request.inputs[0]!.name;
  return (await samplesOf(request)).map(({ feeds }) => feeds.get(name)!);
}

/** start, start + 1, ... as plain numbers. */
export function counting(length: number, start = 0): number[] {
  return Array.from({ length }, (_, i) => start + i);
}

export function numbers(data: Elements): number[] {
  return Array.from(data as Iterable<number | bigint>, Number);
}

/** A text of this form, inside an object that is compared. */
export function matching(form: string | RegExp): unknown {
  return expect.stringMatching(form);
}

/** What a promise rejects with; fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error,
  );
}
