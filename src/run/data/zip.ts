/**
 * The directory of a zip archive, so that one entry can be read without reading the others. Written by hand because
 * fflate wants the whole archive in memory, and a data set need not fit there.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 to 4.5.3
 */
import { DataError } from '../../errors.js';
import { fileReader, inflatedReader } from './byte-reader.js';
import type { ByteReader } from './byte-reader.js';

export interface ZipEntry {
  readonly name: string;
  /** Bytes when expanded. */
  readonly size: number;
  open(): ByteReader;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const MAX_COMMENT = 0xffff;
/** Some 500,000 entries; the archives of numpy hold a handful. */
const MAX_DIRECTORY = 1 << 26;
/** Deflate cannot do better. */
const MAX_EXPANSION = 1032;
/** In a 32-bit field: the value stands in the zip64 extra field. */
const IN_EXTRA = 0xffffffff;

/**
 * Entries of the archive in its own order.
 *
 * @param fileSize bytes of the archive.
 * @throws DataError when it is not an archive, a damaged one, or holds entries that are not stored or deflated.
 */
export async function zipEntries(path: string, fileSize: number): Promise<readonly ZipEntry[]> {
  const reader = fileReader(path, 0, fileSize);
  try {
    const { offset, size } = await findDirectory(reader, fileSize);
    if (size > MAX_DIRECTORY || offset + size > fileSize) throw damaged();
    const directory = viewOf(await reader.read(offset, size));
    const entries: ZipEntry[] = [];
    for (let at = 0; at + 46 <= directory.byteLength && directory.getUint32(at, true) === CENTRAL_HEADER;) {
      const header = centralHeader(directory, at);
      const start = await dataStart(reader, header.localOffset);
      const expansion = header.deflated ? MAX_EXPANSION : 1;
      if (start + header.compressedSize > fileSize) throw damaged();
      if (header.size > header.compressedSize * expansion + 64) throw damaged();
      entries.push({
        name: header.name,
        size: header.size,
        open: () =>
          header.deflated
            ? inflatedReader(path, start, header.compressedSize)
            : fileReader(path, start, header.compressedSize),
      });
      at = header.end;
    }
    return entries;
  } finally {
    await reader.close();
  }
}

function damaged(): DataError {
  return new DataError('it is a damaged or truncated zip archive');
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Where the central directory lies: its end record stands at the end of the file, before a comment. */
async function findDirectory(
  reader: ByteReader,
  fileSize: number,
): Promise<{ readonly offset: number; readonly size: number }> {
  const tailStart = Math.max(0, fileSize - END_BYTES - MAX_COMMENT - LOCATOR_BYTES);
  const tail = viewOf(await reader.read(tailStart, fileSize - tailStart));
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END_OF_DIRECTORY) at--;
  if (at < 0) throw new DataError('it is not a zip archive, or a truncated one');
  const size = tail.getUint32(at + 12, true);
  const offset = tail.getUint32(at + 16, true);
  const locator = at - LOCATOR_BYTES;
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR_64) return { offset, size };
  const end64 = viewOf(await reader.read(uint64(tail, locator + 8), 56));
  if (end64.byteLength < 56 || end64.getUint32(0, true) !== END_OF_DIRECTORY_64) throw damaged();
  return { size: uint64(end64, 40), offset: uint64(end64, 48) };
}

interface CentralHeader {
  readonly name: string;
  readonly deflated: boolean;
  readonly compressedSize: number;
  readonly size: number;
  readonly localOffset: number;
  /** Where the next header begins. */
  readonly end: number;
}

function centralHeader(directory: DataView, at: number): CentralHeader {
  const flags = directory.getUint16(at + 8, true);
  const method = directory.getUint16(at + 10, true);
  const nameEnd = at + 46 + directory.getUint16(at + 28, true);
  const extraEnd = nameEnd + directory.getUint16(at + 30, true);
  const end = extraEnd + directory.getUint16(at + 32, true);
  if (end > directory.byteLength) throw damaged();
  const name = Buffer.from(directory.buffer, directory.byteOffset + at + 46, nameEnd - at - 46).toString(
    'utf8',
  );
  if ((flags & 1) !== 0) throw new DataError(`its entry ${name} is encrypted`);
  if (method !== 0 && method !== 8) {
    throw new DataError(
      `its entry ${name} has compression method ${method}; 0 (stored) and 8 (deflate) are read`,
    );
  }
  const wide = wideFields(directory, nameEnd, extraEnd);
  const field = (offset: number): number => {
    const value = directory.getUint32(at + offset, true);
    return value === IN_EXTRA ? wide() : value;
  };
  // The order in which the extra field holds those that do not fit.
  const size = field(24);
  const compressedSize = field(20);
  const localOffset = field(42);
  return { name, deflated: method === 8, compressedSize, size, localOffset, end };
}

/** Hands out the 64-bit values of the zip64 extra field one after the other. */
function wideFields(directory: DataView, start: number, end: number): () => number {
  let at = end;
  let stop = end;
  for (let field = start; field + 4 <= end; field += 4 + directory.getUint16(field + 2, true)) {
    if (directory.getUint16(field, true) !== 1) continue;
    at = field + 4;
    stop = Math.min(end, at + directory.getUint16(field + 2, true));
    break;
  }
  return () => {
    if (at + 8 > stop) throw damaged();
    at += 8;
    return uint64(directory, at - 8);
  };
}

function uint64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw damaged();
  return value;
}

/** The local header repeats the name and has an extra field of its own length. */
async function dataStart(reader: ByteReader, localOffset: number): Promise<number> {
  const local = viewOf(await reader.read(localOffset, 30));
  if (local.byteLength < 30 || local.getUint32(0, true) !== LOCAL_HEADER) throw damaged();
  return localOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
}
