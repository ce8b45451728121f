/** Boxes of COCO's instances_*.json (https://cocodataset.org/#format-data). */
import { DataError } from '../../errors.js';
import { atMost } from '../data/files.js';
import { matchLabels } from './match.js';
import type { NamedLabel } from './match.js';
import { matchNotes } from './plain-labels.js';
import type { LabelRequest, LabelSource } from './source.js';
import { isRecord, shownValue } from './text-file.js';
import type { TruthBox } from './truth.js';

/** How far edges may lie outside the image, as a share of it. */
const OUTSIDE = 1e-3;

type Json = Readonly<Record<string, unknown>>;

interface Image {
  readonly id: number | string;
  readonly width: number;
  readonly height: number;
}

/** Whether this is a file of COCO's form. */
export function isCoco(content: unknown): content is Json {
  return isRecord(content) && Array.isArray(content['images']) && Array.isArray(content['annotations']);
}

/**
 * The boxes of the samples in use; no others are held. Nothing is opened by a name in the file.
 *
 * @throws DataError naming every image and annotation that is malformed
 */
export function cocoSource(content: Json, file: string, { samples }: LabelRequest): LabelSource {
  const problems: string[] = [];
  const images = imagesOf(content['images'] as readonly unknown[], file, problems);
  const names = categoriesOf(content['categories'], file, problems);
  refuse(problems, file);
  const matches = matchLabels(images, samples, { isSame: (a, b) => a.id === b.id });
  if (matches.bySample.size === 0) {
    throw new DataError(`none of the ${images.length} images in ${file} is a sample`, {
      places: [`such as ${images[0]?.name ?? ''}`, `the first sample is ${samples[0]?.id ?? ''}`],
      hint: '--labels FILE.json of the same images, or --labels none',
    });
  }
  const boxes = new Map<number | string, TruthBox[]>();
  const inUse = new Map<number | string, Image>();
  for (const { label } of matches.bySample.values()) {
    inUse.set(label.id, label);
    boxes.set(label.id, []);
  }
  const used = new Map<number, string>();
  const counts = new Map<number, number>();
  let count = 0;
  for (const [i, annotation] of (content['annotations'] as readonly unknown[]).entries()) {
    const place = `${file}, annotations[${i}]`;
    const image = isRecord(annotation) ? inUse.get(annotation['image_id'] as number | string) : undefined;
    if (isRecord(annotation) && image === undefined) continue;
    const box = image === undefined ? 'it is no object' : boxOf(annotation as Json, image, names);
    if (typeof box === 'string') problems.push(`${place}: ${box}`);
    else {
      boxes.get(image!.id)!.push(box);
      if (!used.has(box.label)) used.set(box.label, place);
      counts.set(box.label, (counts.get(box.label) ?? 0) + 1);
      count++;
    }
  }
  refuse(problems, file);
  const order = [...names.keys()].sort((a, b) => a - b);
  return {
    kind: 'boxes',
    source: `${count} boxes of ${file}`,
    classes: { names, used, boxes: counts, order, count: names.size },
    assumed: matchNotes(matches),
    missing: new Set(samples.filter(({ id }) => !matches.bySample.has(id)).map(({ id }) => id)),
    read: ({ id }) =>
      Promise.resolve({ kind: 'boxes', boxes: boxes.get(matches.bySample.get(id)!.label.id) ?? [] }),
  };
}

function refuse(problems: readonly string[], file: string): void {
  if (problems.length === 0) return;
  throw new DataError(`${problems.length} entries of ${file} cannot be used`, {
    places: atMost(problems),
    hint: '--labels none does without labels',
  });
}

function imagesOf(entries: readonly unknown[], file: string, problems: string[]): NamedLabel<Image>[] {
  const found: NamedLabel<Image>[] = [];
  for (const [i, entry] of entries.entries()) {
    const place = `${file}, images[${i}]`;
    const { id, file_name: name, width, height } = isRecord(entry) ? entry : ({} as Json);
    if (typeof name !== 'string' || !isId(id)) problems.push(`${place}: id and file_name are wanted`);
    else if (!isExtent(width) || !isExtent(height)) {
      problems.push(`${place} (${name.slice(0, 60)}): it has no width and height`);
    } else found.push({ name, place, label: { id, width, height } });
  }
  return found;
}

function isId(value: unknown): value is number | string {
  return typeof value === 'number' || typeof value === 'string';
}

function isExtent(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function categoriesOf(entries: unknown, file: string, problems: string[]): Map<number, string> {
  const names = new Map<number, string>();
  if (!Array.isArray(entries)) problems.push(`${file}: it has no categories`);
  for (const [i, entry] of (Array.isArray(entries) ? (entries as readonly unknown[]) : []).entries()) {
    const { id, name } = isRecord(entry) ? entry : ({} as Json);
    const place = `${file}, categories[${i}]`;
    if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 0)
      problems.push(`${place}: it has no id`);
    else if (names.has(id)) problems.push(`${place}: id ${id} is there twice`);
    else names.set(id, typeof name === 'string' ? name.slice(0, 200) : '');
  }
  return names;
}

/** @returns what is wrong with the annotation, as text. */
function boxOf(
  { bbox, category_id: category, iscrowd: crowd = 0 }: Json,
  { width, height }: Image,
  names: ReadonlyMap<number, string>,
): TruthBox | string {
  if (typeof category !== 'number' || !names.has(category)) {
    return `category_id ${shownValue(category)} is none of the categories`;
  }
  if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every((edge) => Number.isFinite(edge))) {
    return `bbox is ${shownValue(bbox)}; [x, y, width, height] in pixels is wanted`;
  }
  const [x = 0, y = 0, w = 0, h = 0] = bbox as readonly number[];
  if (w < 0 || h < 0) return `bbox has a negative extent: ${w}x${h}`;
  const [x0, y0, x1, y1] = [x / width, y / height, (x + w) / width, (y + h) / height];
  if (Math.min(x0, y0, 1 - x1, 1 - y1) < -OUTSIDE) {
    return `bbox [${x}, ${y}, ${w}, ${h}] reaches outside of the image, ${width}x${height}`;
  }
  return { x0, y0, x1, y1, label: category, crowd: crowd === 1 || crowd === true };
}
