/** .npy files. */
import { DataError } from '../../errors.js';
import { elementCount } from '../../ir/elements.js';
import type { StoredArray } from './arrays.js';
import { fileReader } from './byte-reader.js';
import type { ByteReader } from './byte-reader.js';
import { elementBytes, isFeedable } from './convert.js';
import { statOf } from './files.js';
import { headerExtent, parseHeader, PREAMBLE_BYTES } from './npy-header.js';
import type { ArrayHeader } from './npy-header.js';
import type { DataFile } from './source.js';

/**
 * @param size bytes of the file or the archive entry.
 * @throws DataError when it is not a .npy array of plain numbers or too short for its shape.
 */
export async function readHeader(reader: ByteReader, size: number): Promise<ArrayHeader> {
  const { start, end } = headerExtent(await reader.read(0, PREAMBLE_BYTES));
  const text = await reader.read(start, end - start);
  if (text.length < end - start) throw new DataError('it ends inside the .npy header');
  // Version 3 is UTF-8; the plain numbers that are read need ASCII alone, in which all versions agree.
  const header = parseHeader(Buffer.from(text).toString('latin1'), end);
  const width = isFeedable(header.dtype) ? elementBytes(header.dtype) : 1;
  const wanted = end + elementCount(header.dims) * width;
  if (size < wanted) {
    throw new DataError(
      `it has ${size} bytes; its shape [${header.dims.join(', ')}] of ${header.dtype} takes ${wanted}`,
    );
  }
  return header;
}

/** @throws DataError when the file cannot be read as an array. */
export async function openNpy({ id, path }: DataFile): Promise<StoredArray> {
  const { size } = await statOf(path);
  if (size === 0) throw new DataError('it is empty');
  const open = (): ByteReader => fileReader(path, 0, size);
  const reader = open();
  try {
    return { id, path, header: await readHeader(reader, size), open };
  } finally {
    await reader.close();
  }
}
