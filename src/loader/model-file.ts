import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { LoadError, UnsupportedError, UsageError } from '../errors.js';
import { sniff, SNIFF_LENGTH } from './sniff.js';

/** Protobuf messages end here. */
const ONNX_LIMIT = 2 ** 31 - 1;
/** Bytes of one read, or of one step of a hash: Node takes less than 2 GiB. */
const CHUNK = 2 ** 30;

export interface ModelFile {
  readonly bytes: Buffer;
  /** By content, whatever the file is called; 'onnx' is a guess until it is read. */
  readonly kind: 'onnx' | 'tflite';
}

/**
 * The bytes of a model file, all in memory: TFLite files beyond 2 GiB too, which keep buffers behind the FlatBuffer.
 *
 * @throws UsageError when it is not there or may not be read, LoadError when it is something else than a model,
 *   UnsupportedError when it is larger than what can be held in one piece.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  let handle: FileHandle | undefined;
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw await folderError(path);
    if (!stats.isFile()) throw new LoadError(`${path} is not a regular file; a model file is wanted`);
    if (stats.size === 0) throw new LoadError(`${path} is empty (0 bytes); a model file is wanted`);
    handle = await open(path);
    const head = await readBytes(handle, path, Math.min(SNIFF_LENGTH, stats.size));
    const kind = kindOf(path, head);
    if (kind === 'onnx' && stats.size > ONNX_LIMIT) {
      throw new LoadError(
        `${path} has ${stats.size} bytes; an ONNX file ends at ${ONNX_LIMIT}, larger models keep weights in external data`,
      );
    }
    return { bytes: await readBytes(handle, path, stats.size), kind };
  } catch (cause) {
    throw accessError(path, cause);
  } finally {
    await handle?.close();
  }
}

function kindOf(path: string, head: Uint8Array): ModelFile['kind'] {
  const { kind, description, hint } = sniff(head, path);
  if (kind === 'other') {
    throw new LoadError(`${path} is not a model qdbg reads: it is ${description}`, {
      ...(hint === undefined ? {} : { hint }),
    });
  }
  return kind === 'tflite' ? 'tflite' : 'onnx';
}

async function folderError(path: string): Promise<LoadError> {
  const names = await readdir(path);
  if (names.includes('saved_model.pb')) {
    return new LoadError(`${path} is a TensorFlow SavedModel folder; a model file is wanted`, {
      hint: `python -m tf2onnx.convert --saved-model ${path} --output model.onnx`,
    });
  }
  const models = names.filter((name) => /\.(?:onnx|tflite)$/i.test(name)).sort();
  return new LoadError(`${path} is a folder; a model file is wanted`, {
    ...(models.length === 0 ? {} : { places: models, hint: `qdbg inspect ${path}/${models[0] ?? ''}` }),
  });
}

function accessError(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new UsageError(`${path} does not exist`, { cause });
  if (code === 'EACCES' || code === 'EPERM')
    return new UsageError(`${path} may not be read (${code})`, { cause });
  return code === undefined ? cause : new UsageError(`${path} cannot be read (${code})`, { cause });
}

/** The first `size` bytes. Large reads come back in parts. */
async function readBytes(handle: FileHandle, path: string, size: number): Promise<Buffer> {
  const bytes = memoryFor(path, size);
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(size - at, CHUNK), at);
    if (bytesRead === 0)
      throw new LoadError(`${path} became shorter while it was read (${at} of ${size} bytes)`);
    at += bytesRead;
  }
  return bytes;
}

function memoryFor(path: string, size: number): Buffer {
  try {
    return Buffer.allocUnsafeSlow(size);
  } catch (cause) {
    throw new UnsupportedError(`${path} has ${size} bytes, more than there is memory for in one piece`, {
      cause,
    });
  }
}

/**
 * SHA-256 of `first` followed by the contents of `paths`, in hex.
 *
 * @throws UsageError when one of them cannot be read.
 */
export async function sha256(first: Uint8Array, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < first.length; at += CHUNK) hash.update(first.subarray(at, at + CHUNK));
  for (const path of paths) {
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    } catch (cause) {
      throw accessError(path, cause);
    }
  }
  return hash.digest('hex');
}
