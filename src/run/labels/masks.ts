/**
 * Masks as PNG files of class numbers, one beside each image.
 *
 * A mask may be smaller or larger than its image, as masks made for training are. That both have the same aspect is checked by
 * who has the image too: extents are in what is read.
 */
import { open, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { DataError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost, reasonOf, statOf } from '../data/files.js';
import type { DataFile } from '../data/source.js';
import { describedNames } from './described-names.js';
import { filesBelow, foldersBeside, ROLE_FOLDERS, shownPath } from './image-folders.js';
import { decodeMask, HEADER_BYTES, maskHeader } from './index-png.js';
import { matchLabels } from './match.js';
import type { Matches } from './match.js';
import { matchNotes } from './plain-labels.js';
import { noted } from './source.js';
import type { LabelRequest, LabelSource } from './source.js';
import type { SampleName } from './truth.js';

/** Folders beside `images`, best first. */
const MASK_FOLDERS = ['masks', 'mask', 'SegmentationClass', 'annotations', 'gtFine', 'labels'];
/**
 * What names of masks have behind the name of the image. Of the two numberings of Cityscapes, networks are trained on that of
 * labelTrainIds.
 */
const SUFFIXES = [
  '',
  '_gtFine_labelTrainIds',
  '_gtFine_labelIds',
  '_labelTrainIds',
  '_labelIds',
  '_mask',
  '-mask',
  '_masks',
  '_label',
  '_labels',
  '_seg',
  '_segmentation',
  '_gt',
];
/** What names of images have that those of masks lack. */
const IMAGE_SUFFIX = /_(leftImg8bit|image|img|sat)(?=\.[A-Za-z0-9]+$|$)/;
const MAX_FILE_BYTES = 2 ** 29;

/** @returns undefined when there are no masks of the samples beside the images */
export async function masksBeside(request: LabelRequest): Promise<LabelSource | undefined> {
  for (const name of MASK_FOLDERS) {
    const folders = await foldersBeside(request.samples, [name]);
    const files = await pngFiles(folders, request, true);
    const found = files.length === 0 ? undefined : matchMasks(files, request);
    if (found !== undefined) return maskSource(folders, found, request);
  }
  return undefined;
}

/**
 * @returns undefined when the folder holds no PNG files
 * @throws DataError when none is named like a sample
 */
export async function maskFolder(folder: string, request: LabelRequest): Promise<LabelSource | undefined> {
  const files = await pngFiles([folder], request, false);
  if (files.length === 0) return undefined;
  const found = matchMasks(files, request);
  if (found !== undefined) return maskSource([folder], found, request);
  throw new DataError(`none of the ${files.length} .png files in ${folder} is named like a sample`, {
    places: [`such as ${files[0]!.id}`, `the first sample is ${request.samples[0]?.id ?? ''}`],
    hint: '--labels FOLDER with NAME.png (or NAME_mask.png, NAME_labelIds.png) for NAME.jpg',
  });
}

function pngFiles(
  folders: readonly string[],
  { samples }: LabelRequest,
  isBeside: boolean,
): Promise<readonly DataFile[]> {
  return filesBelow(folders, samples, { accept: (id) => /\.png$/i.test(id), isBeside });
}

interface FoundMasks {
  readonly suffix: string;
  readonly matches: Matches<string>;
  readonly others: readonly string[];
}

/** By the suffix that most samples have. */
function matchMasks(files: readonly DataFile[], { samples, root }: LabelRequest): FoundMasks | undefined {
  const tried = SUFFIXES.flatMap((suffix) => {
    const labels = files.flatMap(({ id, path }) => {
      const stem = id.replace(/\.png$/i, '');
      const name = stem.slice(0, stem.length - suffix.length);
      const fits = stem.endsWith(suffix) && basename(name) !== '';
      return fits ? [{ name: `${name}.png`, place: shownPath(path, root), label: path }] : [];
    });
    return labels.length === 0 ? [] : [{ suffix, matches: matchFiles(labels, samples) }];
  }).filter(({ matches }) => matches.bySample.size > 0);
  const most = tried.reduce((best, { matches }) => Math.max(best, matches.bySample.size), 0);
  const [best, ...others] = tried.filter(({ matches }) => matches.bySample.size === most);
  return best && { ...best, others: others.map(({ suffix }) => suffix) };
}

function matchFiles(
  labels: readonly { readonly name: string; readonly place: string; readonly label: string }[],
  samples: readonly SampleName[],
): Matches<string> {
  const options = { isSame: (a: string, b: string): boolean => a === b, passOver: ROLE_FOLDERS };
  const plain = matchLabels(labels, samples, options);
  if (plain.bySample.size > 0) return plain;
  const ids = new Map(samples.map(({ id }) => [id.replace(IMAGE_SUFFIX, ''), id]));
  if (ids.size < samples.length) return plain;
  const renamed = samples.map((sample) => ({
    ...sample,
    id: sample.id.replace(IMAGE_SUFFIX, ''),
    ...(sample.file === undefined ? {} : { file: sample.file.replace(IMAGE_SUFFIX, '') }),
  }));
  const found = matchLabels(labels, renamed, options);
  return { ...found, bySample: new Map([...found.bySample].map(([id, label]) => [ids.get(id)!, label])) };
}

async function maskSource(
  folders: readonly string[],
  { suffix, matches, others }: FoundMasks,
  { samples, root }: LabelRequest,
): Promise<LabelSource> {
  const paths = new Map([...matches.bySample].map(([id, { label }]) => [id, label]));
  await checkHeaders([...paths.values()], root);
  const { names, assumed } = await describedNames(dirname(paths.values().next().value!), 'mask');
  const shown = folders.map((folder) => shownPath(folder, root)).join(', ');
  return {
    kind: 'mask',
    source: `PNG masks in ${shown}${suffix === '' ? '' : `, NAME${suffix}.png`}`,
    classes: { names, used: new Map(), ...(names.size === 0 ? {} : { count: names.size }) },
    assumed: [...assumed, ...otherMasks(others), ...matchNotes(matches)],
    missing: new Set(samples.filter(({ id }) => !paths.has(id)).map(({ id }) => id)),
    async read({ id }) {
      const path = paths.get(id)!;
      try {
        return await decodeMask(await readFile(path));
      } catch (cause) {
        const reason = cause instanceof DataError ? cause.message : reasonOf(cause);
        throw new DataError(`${shownPath(path, root)}: ${reason}`, { cause });
      }
    },
  };
}

function otherMasks(others: readonly string[]): Assumption[] {
  if (others.length === 0) return [];
  return [noted('masks not read', others.map((suffix) => `NAME${suffix}.png`).join(', '))];
}

/** @throws DataError naming every file that is no mask, by its header; the pixels are read when they are wanted */
async function checkHeaders(paths: readonly string[], root: string): Promise<void> {
  const problems: string[] = [];
  let hint: string | undefined;
  for (const path of paths) {
    try {
      await checkHeader(path);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(`${shownPath(path, root)}: ${error.message}`);
      hint ??= error.hint;
    }
  }
  if (problems.length === 0) return;
  throw new DataError(`${problems.length} of ${paths.length} masks cannot be used`, {
    places: atMost(problems),
    hint: hint ?? '--labels FOLDER with palette or grey PNG files, or --labels none',
  });
}

async function checkHeader(path: string): Promise<void> {
  const { size } = await statOf(path);
  if (size === 0) throw new DataError('it is empty');
  if (size > MAX_FILE_BYTES)
    throw new DataError(`it has ${size} bytes; masks of up to ${MAX_FILE_BYTES} are read`);
  const start = new Uint8Array(HEADER_BYTES);
  try {
    const file = await open(path, 'r');
    const { bytesRead } = await file.read(start, 0, HEADER_BYTES, 0).finally(() => file.close());
    maskHeader(start.subarray(0, bytesRead));
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError(reasonOf(cause), { cause });
  }
}
