/** What lies at a path, and the sources it gives. */
import { basename } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { arraySource } from './arrays.js';
import { openBin } from './bin.js';
import type { Assumption, InputSpec } from './dataset.js';
import { extensionOf, listFolder, statOf } from './files.js';
import type { FolderListing } from './files.js';
import { IMAGE_EXTENSIONS, openImages, UNREAD_IMAGE_EXTENSIONS } from './images.js';
import { describeInputs } from './input-spec.js';
import { LIST_EXTENSIONS, openList } from './list.js';
import { openNpy } from './npy.js';
import { openNpz } from './npz.js';
import { openAll } from './problems.js';
import { openRandom } from './random.js';
import type { DataFile, Source, SourceContext } from './source.js';
import { openTestData, testDataSets } from './testdata.js';

/** The word that stands for made-up data. */
const RANDOM = 'random';

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

const ACCEPTED =
  'a folder of images, .npy, .npz, .bin, .raw, a .txt list of paths, an ONNX test_data_set_* folder, random';

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
    const [, name] = /^([^=/\\]+)=/.exec(path) ?? [];
    if (name !== undefined) {
      throw new DataError(`${path}: ${error.message}, and no input called ${name} is left to feed`, {
        places: inputs.map((input) => `to feed: ${describeInputs([input])}`),
        hint: inputs.map((input) => `${context.flag} ${input.name}=PATH`).join(' '),
        cause: error,
      });
    }
    throw new DataError(`${path}: ${error.message}`, {
      hint: `${context.flag} PATH: ${ACCEPTED}`,
      cause: error,
    });
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

async function openFolder(
  path: string,
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  const listing = await listFolder(path);
  const { files, beside } = imagesFolder(listing.files);
  const byContent = new Map<Content, DataFile[]>();
  const others: DataFile[] = [];
  for (const file of files) {
    const content = contentOf(extensionOf(file.id), basename(file.id));
    // Text files in a folder are labels, licences and the like; a list is given by its own path.
    if (content === undefined || content === 'list') others.push(file);
    else if (byContent.has(content)) byContent.get(content)?.push(file);
    else byContent.set(content, [file]);
  }
  const [only, ...more] = byContent;
  const ignored = ignoredFiles(others, listing);
  if (only === undefined) {
    throw new DataError(`${path} holds no data${ignored === '' ? '; it is empty' : `, only ${ignored}`}`, {
      hint: `${context.flag} PATH: ${ACCEPTED}`,
    });
  }
  if (more.length > 0) {
    const found = [...byContent].map(([content, { length }]) => `${length} ${CONTENT_NAMES[content]}`);
    throw new DataError(`${path} holds ${found.join(' and ')}: which of them are the samples?`, {
      hint: `${context.flag} LIST.txt, a file with one path a line`,
    });
  }
  const [content, chosen] = only;
  const notes: Assumption[] = [
    ...(beside > 0
      ? [{ what: 'folder', value: `images/ alone, not the ${beside} files beside it`, from: 'data' } as const]
      : []),
    ...(ignored === '' ? [] : [{ what: 'ignored files', value: ignored, from: 'data' } as const]),
  ];
  const sources = await openContent(content, path, chosen, inputs, context);
  return sources.map((source) => ({ ...source, assumed: [...source.assumed, ...notes] }));
}

/** In the YOLO tree images/ stands beside labels/ and masks/, and the masks are images too. */
function imagesFolder(files: readonly DataFile[]): {
  readonly files: readonly DataFile[];
  readonly beside: number;
} {
  const inside = files.filter(({ id }) => id.split('/').slice(0, -1).includes('images'));
  if (!inside.some(({ id }) => IMAGE_EXTENSIONS.has(extensionOf(id)))) return { files, beside: 0 };
  return { files: inside, beside: files.length - inside.length };
}

/** Such as `64 .txt, 2 hidden`. */
function ignoredFiles(others: readonly DataFile[], { hidden, special }: FolderListing): string {
  const counts = new Map<string, number>();
  for (const { id } of others) {
    const extension = extensionOf(id) || 'without extension';
    counts.set(extension, (counts.get(extension) ?? 0) + 1);
  }
  if (hidden > 0) counts.set('hidden', hidden);
  if (special > 0) counts.set('that are no regular files', special);
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

async function openContent(
  content: Content,
  path: string,
  files: readonly DataFile[],
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  switch (content) {
    case 'images':
      return [await openImages(files, soleInput(path, inputs, context), context)];
    case 'npy': {
      const input = soleInput(path, inputs, context);
      const { opened, excluded } = await openAll(files, context.skipUnreadable, openNpy);
      return [arraySource(input, opened, context, { kind: 'npy', excluded })];
    }
    case 'bin': {
      const input = soleInput(path, inputs, context);
      const { opened, excluded } = await openAll(files, context.skipUnreadable, (file) =>
        openBin(file, input, context),
      );
      return [arraySource(input, opened, context, { kind: 'bin', excluded })];
    }
    case 'npz':
      return openNpz(files, inputs, context);
    case 'list':
      return openList(files[0]!, inputs, context);
    case 'onnx-test-data':
      return openTestData(testDataSets(files, basename(path)), inputs, context);
  }
}

/** The one input that a path of one array or image a sample feeds. */
function soleInput(path: string, inputs: readonly InputSpec[], { flag }: SourceContext): InputSpec {
  const [input, another] = inputs;
  if (input !== undefined && another === undefined) return input;
  throw new UsageError(`${path} feeds one input; the model has ${describeInputs(inputs)}`, {
    hint: inputs.map(({ name }) => `${flag} ${name}=PATH`).join(' '),
  });
}
