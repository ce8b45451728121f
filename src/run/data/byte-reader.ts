/** Bytes of a file, or of a compressed part of one, read piece by piece. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { DataError } from '../../errors.js';
import { reasonOf } from './files.js';

export interface ByteReader {
  /**
   * @returns fewer bytes than asked for only at the end.
   * @throws DataError when the file cannot be read.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Bytes [start, start + size) of a file. */
export function fileReader(path: string, start: number, size: number): ByteReader {
  let handle: Promise<FileHandle> | undefined;
  return {
    async read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)));
      try {
        handle ??= open(path, 'r');
        const file = await handle;
        let done = 0;
        while (done < bytes.length) {
          const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + offset + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return done < bytes.length ? bytes.subarray(0, done) : bytes;
      } catch (cause) {
        throw new DataError(reasonOf(cause), { cause });
      }
    },
    async close() {
      await handle?.then(
        (file) => file.close(),
        () => undefined, // it was never opened, which read() has said
      );
      handle = undefined;
    },
  };
}

/** What the deflated bytes [start, start + compressedSize) of a file expand to. Going back starts over. */
export function inflatedReader(path: string, start: number, compressedSize: number): ByteReader {
  let stream: AsyncIterator<Buffer> | undefined;
  let position = 0;
  let pending: Uint8Array = new Uint8Array(0);

  const begin = (): AsyncIterator<Buffer> => {
    const inflate = createInflateRaw();
    const source = createReadStream(path, { start, end: start + compressedSize - 1 });
    // A failure of either reaches the reader through the iterator.
    pipeline(source, inflate, () => undefined);
    return inflate[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  };
  const stop = async (): Promise<void> => {
    await stream?.return?.();
    stream = undefined;
    position = 0;
    pending = new Uint8Array(0);
  };
  const advance = async (): Promise<boolean> => {
    try {
      stream ??= begin();
      const next = await stream.next();
      if (next.done === true) return false;
      pending = next.value;
      return true;
    } catch (cause) {
      throw new DataError(`it cannot be decompressed (${reasonOf(cause)})`, { cause });
    }
  };
  /** Moves on by at most `length` bytes and returns them; nothing at the end. */
  const take = async (length: number): Promise<Uint8Array> => {
    if (pending.length === 0 && !(await advance())) return pending;
    const part = pending.subarray(0, length);
    pending = pending.subarray(part.length);
    position += part.length;
    return part;
  };
  return {
    async read(offset, length) {
      if (offset < position) await stop();
      while (position < offset) {
        const skipped = await take(offset - position);
        if (skipped.length === 0) return skipped;
      }
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const part = await take(length - done);
        if (part.length === 0) return bytes.subarray(0, done);
        bytes.set(part, done);
        done += part.length;
      }
      return bytes;
    },
    close: stop,
  };
}
