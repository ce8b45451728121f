/**
 * Files that are packed into a TFLite file: a zip archive behind the FlatBuffer.
 * Hand-written over the bytes that are there already: the reader of data sets works on paths, and fflate would expand every entry.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 to 4.3.16
 */
import { inflateRawSync } from 'node:zlib';

export interface PackedFile {
  /** Bytes when expanded, as the archive says. */
  readonly size: number;
  /** Undefined when it is damaged or larger than `limit` bytes. */
  read(limit: number): Uint8Array | undefined;
}

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** What was put before the archive without its knowing, to add to its offsets. */
  readonly shift: number;
}

/**
 * Files by name. What is not there, damaged, encrypted or packed in another way than stored or deflated is left out: a model runs
 * without these files.
 */
export function packedFiles(bytes: Uint8Array): ReadonlyMap<string, PackedFile> {
  const files = new Map<string, PackedFile>();
  const directory = findDirectory(bytes);
  if (directory === undefined) return files;
  const view = viewOf(bytes);
  let at = directory.start;
  for (let i = 0; i < directory.count && at + CENTRAL_BYTES <= directory.end; i++) {
    if (view.getUint32(at, true) !== CENTRAL_HEADER) break;
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const end = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (end > directory.end) break;
    const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, nameEnd));
    const file = packedFile(bytes, view, at, directory.shift);
    if (file !== undefined && !files.has(name)) files.set(name, file);
    at = end;
  }
  return files;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The end record stands at the end of the file, before a comment whose length it gives. */
function findDirectory(bytes: Uint8Array): Directory | undefined {
  const view = viewOf(bytes);
  const lowest = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT);
  for (let at = bytes.length - END_BYTES; at >= lowest; at--) {
    if (view.getUint32(at, true) !== END_OF_DIRECTORY) continue;
    if (at + END_BYTES + view.getUint16(at + 20, true) !== bytes.length) continue;
    const size = view.getUint32(at + 12, true);
    const shift = at - size - view.getUint32(at + 16, true);
    if (shift < 0) continue;
    return { start: at - size, end: at, count: view.getUint16(at + 10, true), shift };
  }
  return undefined;
}

/** @param header where its entry in the directory begins. */
function packedFile(
  bytes: Uint8Array,
  view: DataView,
  header: number,
  shift: number,
): PackedFile | undefined {
  const encrypted = (view.getUint16(header + 8, true) & 1) !== 0;
  const method = view.getUint16(header + 10, true);
  const packed = view.getUint32(header + 20, true);
  const size = view.getUint32(header + 24, true);
  const local = shift + view.getUint32(header + 42, true);
  if (encrypted || (method !== STORED && method !== DEFLATED)) return undefined;
  if (local + LOCAL_BYTES > bytes.length || view.getUint32(local, true) !== LOCAL_HEADER) return undefined;
  const start = local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > bytes.length || (method === STORED && packed !== size)) return undefined;
  const content = bytes.subarray(start, start + packed);
  return {
    size,
    read: (limit) => {
      if (size > limit) return undefined;
      return method === STORED ? content : inflated(content, size);
    },
  };
}

function inflated(content: Uint8Array, size: number): Uint8Array | undefined {
  try {
    const expanded = inflateRawSync(content, { maxOutputLength: Math.max(1, size) });
    return expanded.length === size ? expanded : undefined;
  } catch {
    return undefined; // damaged, or larger than it says
  }
}
