/** What lies at a path, and the sources it gives. */
import { basename } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { arraySource } from './arrays.js';
import { openBin } from './bin.js';
import type { Assumption, InputSpec } from './dataset.js';
import { extensionOf, listFolder, statOf } from './files.js';
import type { FolderListing } from './files.js';
import { IMAGE_EXTENSIONS, openImages, UNREAD_IMAGE_EXTENSIONS } from './images.js';
import { LIST_EXTENSIONS, openList } from './list.js';
import { openNpy } from './npy.js';
import { openNpz } from './npz.js';
import { openAll } from './problems.js';
import { openRandom } from './random.js';
import type { DataFile, Source, SourceContext } from './source.js';
import { openTestData, testDataSets } from './testdata.js';

/** The word that stands for made-up data. */
export const RANDOM = 'random';

/** Kinds of content; every file of a data set is of one kind. */
type Content = 'images' | 'npy' | 'npz' | 'bin' | 'list' | 'onnx-test-data';

const CONTENT_NAMES: Readonly<Record<Content, string>> = {
  images: 'images',
  npy: '.npy',
  npz: '.npz',
  bin: '.bin or .raw',
  list: 'list files',
  'onnx-test-data': 'test data (input_N.pb)',
};

const ACCEPTED = 'a folder of images, .npy, .npz, .bin, .raw, a .txt list of paths, an ONNX test_data_set_* folder, random';

/**
 * @param inputs the inputs that the path may feed.
 * @returns one source per input that it feeds.
 * @throws DataError when there is no data at the path, UsageError when it is not clear what it feeds.
 */
export async function openPath(
  path: string,
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  if (path === RANDOM) return openRandom(inputs, context);
  const stats = await statOf(path).catch((error: unknown) => {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${path}: ${error.message}`, { hint: `${context.flag} PATH: ${ACCEPTED}`, cause: error });
  });
  if (stats.isDirectory()) return openFolder(path, inputs, context);
  const content = contentOf(extensionOf(path), basename(path));
  if (!stats.isFile() || content === undefined) {
    const found = stats.isFile() ? 'a file of a kind that is not read' : 'neither a file nor a folder';
    throw new DataError(`${path} is ${found}`, { hint: `${context.flag} PATH: ${ACCEPTED}` });
  }
  return openContent(content, path, [{ path, id: basename(path) }], inputs, context);
}

function contentOf(extension: string, name: string): Content | undefined {
  if (IMAGE_EXTENSIONS.has(extension) || UNREAD_IMAGE_EXTENSIONS.has(extension)) return 'images';
  if (extension === '.npy') return 'npy';
  if (extension === '.npz') return 'npz';
  if (extension === '.bin' || extension === '.raw') return 'bin';
  if (LIST_EXTENSIONS.has(extension)) return 'list';
  return /^input_\d+\.pb$/.test(name) ? 'onnx-test-data' : undefined;
}

async function openFolder(path: string, inputs: readonly InputSpec[], context: SourceContext): Promise<Source[]> {
  const listing = await listFolder(path);
  const { files, beside } = imagesFolder(listing.files);
  const byContent = new Map<Content, DataFile[]>();
  const others: DataFile[] = [];
  for (const file of files) {
    const content = contentOf(extensionOf(file.id), basename(file.id));
    // Text files in a folder are labels, licences and the like; a list is given by its own path.
    if (content === undefined || content === 'list') others.push(file);
    else byContent.set(content, [...(byContent.get(content) ?? []), file]);
  }
}
