/** Requests for labels, and what they give. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { QdbgError } from '../../../src/errors.js';
import { listFolder } from '../../../src/run/data/files.js';
import { openLabels } from '../../../src/run/labels/index.js';
import type { LabelRequest } from '../../../src/run/labels/index.js';
import type { Labels, SampleName, Truth } from '../../../src/run/labels/truth.js';
import { rejection } from '../data/support.js';

export { SHARED } from '../data/support.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/labels/', import.meta.url));

export function labelFixture(...path: string[]): string {
  return join(FIXTURES, ...path);
}

interface Reference {
  readonly masks: Readonly<Record<string, { width: number; height: number; data: readonly number[] }>>;
  readonly npy: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly coco: Readonly<
    Record<string, readonly { category: number; crowd: boolean; edges: readonly number[] }[]>
  >;
}

/** What Pillow, numpy and pycocotools read (fixtures/labels/recipe.py). */
export const REFERENCE = JSON.parse(readFileSync(labelFixture('reference.json'), 'utf8')) as Reference;

/** Samples of these ids in a folder. */
export function samplesIn(root: string, ...ids: string[]): SampleName[] {
  return ids.map((id, index) => ({ id, index, file: join(root, id.replace(/#\d+$/, '')) }));
}

/** Every file of a folder with this extension, as a data set would name them. */
export async function filesOf(root: string, extension: string): Promise<SampleName[]> {
  const files = (await listFolder(root)).files.filter(({ id }) => id.endsWith(extension));
  return files.map(({ id, path }, index) => ({ id, index, file: path }));
}

export type Asked = Partial<LabelRequest> & Pick<LabelRequest, 'root' | 'samples'>;

export function requestOf(asked: Asked): LabelRequest {
  return { wanted: ['class', 'values'], model: {}, skipUnlabelled: false, ...asked };
}

export async function labelsOf(asked: Asked): Promise<Labels> {
  const labels = await openLabels(requestOf(asked));
  if (labels === undefined) throw new Error('no labels were found');
  return labels;
}

export async function truthsOf(asked: Asked): Promise<Truth[]> {
  const labels = await labelsOf(asked);
  const truths: Truth[] = [];
  for (const sample of asked.samples) {
    if (!labels.unlabelled.has(sample.id)) truths.push(await labels.read(sample));
  }
  return truths;
}

/** The classes, of labels that are classes. */
export async function classesOf(asked: Asked): Promise<number[]> {
  return (await truthsOf(asked)).map((truth) => {
    if (truth.kind !== 'class') throw new Error(`a label of kind ${truth.kind}`);
    return truth.label;
  });
}

/** Message, places and hint of the error that opening or reading ends in; fails when it is not one for users. */
export async function refusal(asked: Asked): Promise<string> {
  const error = await rejection(truthsOf(asked));
  if (!(error instanceof QdbgError)) throw error;
  return [error.message, ...error.places, ...(error.hint === undefined ? [] : [`hint: ${error.hint}`])].join(
    '\n',
  );
}

/** `what: value` of the choices that were made. */
export function saidBy(labels: Labels): string[] {
  return labels.assumed.map(({ what, value }) => `${what}: ${value}`);
}
