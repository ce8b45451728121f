/** Where labels of images lie by convention: `images/val/a.jpg` beside `labels/val/a.txt` and `masks/val/a.png`. */
import { dirname, relative, resolve, sep } from 'node:path';
import { DataError } from '../../errors.js';
import { listFolder, statOf } from '../data/files.js';
import type { DataFile } from '../data/source.js';
import type { SampleName } from './truth.js';

/** Folders that hold the images of a data set, or its labels. */
export const ROLE_FOLDERS: ReadonlySet<string> = new Set([
  'images',
  'image',
  'imgs',
  'img',
  'JPEGImages',
  'leftImg8bit',
  'labels',
  'masks',
  'mask',
  'annotations',
  'SegmentationClass',
  'gtFine',
]);

const IMAGE_FOLDERS: ReadonlySet<string> = new Set([
  'images',
  'image',
  'imgs',
  'img',
  'JPEGImages',
  'leftImg8bit',
]);

/** The folders of images that samples lie in: paths up to and with `images`. */
function imageFolders(samples: readonly SampleName[]): readonly string[] {
  const found = new Set<string>();
  const seen = new Set<string>();
  for (const { file } of samples) {
    if (file === undefined) continue;
    const folder = dirname(resolve(file));
    if (seen.has(folder)) continue;
    seen.add(folder);
    const parts = folder.split(sep);
    const at = parts.findLastIndex((part) => IMAGE_FOLDERS.has(part));
    if (at > 0) found.add(parts.slice(0, at + 1).join(sep));
  }
  return [...found].sort();
}

/** Folders of one of these names beside those of the images; for each of these, the first that is there. */
export async function foldersBeside(
  samples: readonly SampleName[],
  names: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const images of imageFolders(samples)) {
    for (const name of names) {
      const folder = resolve(images, '..', name);
      if (await isFolder(folder)) found.push(folder);
    }
  }
  return found;
}

export async function isFolder(path: string): Promise<boolean> {
  return statOf(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/**
 * Files below folders, by the names under which samples are looked for; the samples themselves are left out.
 *
 * @throws DataError when a folder cannot be listed
 */
export async function filesBelow(
  folders: readonly string[],
  samples: readonly SampleName[],
  { accept, isBeside }: { readonly accept: (id: string) => boolean; readonly isBeside: boolean },
): Promise<readonly DataFile[]> {
  const own = new Set(samples.map(({ file }) => (file === undefined ? '' : resolve(file))));
  const found: DataFile[] = [];
  for (const folder of folders) {
    for (const { path, id } of (await listFolder(folder)).files) {
      if (!accept(id) || own.has(resolve(path))) continue;
      if (
        id
          .split('/')
          .slice(0, -1)
          .some((part) => IMAGE_FOLDERS.has(part))
      )
        continue;
      // Labels of one folder beside images are only for those images.
      found.push({ path, id: isBeside ? resolve(path).split(sep).join('/') : id });
    }
  }
  return found;
}

/** For messages: a path as the user sees it from the data. */
export function shownPath(path: string, root: string): string {
  const base = resolve(root);
  const shown = relative(dirname(base), resolve(path));
  return shown.startsWith('..') || shown === '' ? path : shown.split(sep).join('/');
}

/** @throws DataError when there is no such file or folder */
export async function kindOfPath(path: string): Promise<'file' | 'folder'> {
  const stats = await statOf(path).catch((cause: unknown) => {
    throw new DataError(`--labels ${path}: ${(cause as Error).message}`, {
      hint: "--labels FILE, a folder of masks or of boxes, 'name:REGEX', or none",
      cause,
    });
  });
  return stats.isDirectory() ? 'folder' : 'file';
}
