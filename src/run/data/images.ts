/** Image files. */
import { readFile } from 'node:fs/promises';
import { DataError } from '../../errors.js';
import type { Feed, InputSpec } from './dataset.js';
import { decodeImage } from './decode.js';
import { extensionOf, reasonOf, statOf } from './files.js';
import { openAll } from './problems.js';
import { resolvePreprocessing } from './preprocessing.js';
import type { DataFile, Source, SourceContext } from './source.js';
import { imageConverter } from './tensor.js';

/** Extensions of the formats that are read. */
export const IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  ['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'tif', 'tiff', 'gif'].map((name) => `.${name}`),
);

/** Extensions of images that are not read: to be named, not passed over. */
export const UNREAD_IMAGE_EXTENSIONS: ReadonlySet<string> = new Set(
  ['bmp', 'ppm', 'pgm', 'pnm', 'jp2', 'jxl', 'heic', 'heif', 'avif', 'tga', 'exr', 'hdr', 'dng'].map(
    (name) => `.${name}`,
  ),
);

/** A compressed image larger than this is none. */
const MAX_FILE_BYTES = 2 ** 30;

/** @throws DataError when there are empty or unread files, UsageError when the recipe does not fit the input. */
export async function openImages(
  files: readonly DataFile[],
  input: InputSpec,
  context: SourceContext,
): Promise<Source> {
  const { preprocessing, image, assumed } = resolvePreprocessing(
    input,
    context.preprocessing,
    context.metadata,
    context.flag,
  );
  const { opened, excluded } = await openAll(files, context.skipUnreadable, checkedFile);
  const convert = imageConverter(input.dtype, preprocessing);
  return {
    kind: 'images',
    input,
    count: opened.length,
    preprocessing,
    assumed,
    excluded,
    id: (index) => opened[index]!.id,
    origin: (index) => ({ kind: 'file', path: opened[index]!.path }),
    open: () => ({
      async read(index): Promise<Feed> {
        const bytes = await imageContent(opened[index]!.path);
        const decoded = await decodeImage(bytes, preprocessing.orientation);
        const picture = { width: decoded.width, height: decoded.height };
        const { data, channels, height, width } = convert(decoded);
        return { dtype: input.dtype, dims: image.dims(channels, height, width), data, picture };
      },
      close: () => Promise.resolve(),
    }),
  };
}

async function checkedFile(file: DataFile): Promise<DataFile> {
  const extension = extensionOf(file.id);
  if (UNREAD_IMAGE_EXTENSIONS.has(extension)) {
    throw new DataError(`${extension} images are not read; ${[...IMAGE_EXTENSIONS].join(' ')} are`);
  }
  const { size } = await statOf(file.path);
  if (size === 0) throw new DataError('it is empty');
  if (size > MAX_FILE_BYTES)
    throw new DataError(`it has ${size} bytes; images of up to ${MAX_FILE_BYTES} are read`);
  return file;
}

/**
 * Read here and not by the image library, whose file names have a syntax of their own.
 *
 * @throws DataError with the reason alone
 */
export async function imageContent(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new DataError(reasonOf(cause), { cause });
  }
}
