/**
 * Tensors whose bytes lie in a file beside the model.
 * https://github.com/onnx/onnx/blob/main/docs/ExternalData.md
 *
 * The model names that file, and a model may be hostile: only regular files inside its own folder are read.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, sep, win32 } from 'node:path';
import { LoadError } from '../../errors.js';
import type { ConstantData } from '../../ir/graph.js';
import type { TensorProto } from '../../onnx/proto.js';
import type { ExternalSource } from '../../onnx/tensor.js';

export interface ExternalFile {
  /** As the model writes it. */
  readonly location: string;
  /** Absolute, links resolved. */
  readonly path: string;
  readonly size: number;
}

/** Node refuses to read 2 GiB or more in one call. */
const READ_CHUNK = 1 << 30;

/** The files that the tensors of one model refer to. */
export class ExternalFiles implements ExternalSource {
  readonly #modelPath: string;
  readonly #directory: string;
  readonly #files = new Map<string, ExternalFile>();
  readonly #refused = new Map<string, LoadError>();

  /** @param modelPath absolute path of the model file. */
  constructor(modelPath: string) {
    this.#modelPath = modelPath;
    this.#directory = dirname(modelPath);
  }

  /** Every file referred to so far, in order of first use. */
  get files(): readonly ExternalFile[] {
    return [...this.#files.values()];
  }

  /**
   * Checks the reference of a tensor without reading its bytes.
   *
   * @param byteLength what dims and type ask for.
   * @throws LoadError when the file is missing, outside the model's folder or too short, or the lengths disagree.
   */
  resolve(tensor: TensorProto, label: string, byteLength: number): Pick<ConstantData, 'bytes' | 'external'> {
    const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
    const location = entries.get('location') ?? '';
    const file = this.#file(location, label);
    const offset = byteCount(entries.get('offset') ?? '0', 'offset', label);
    const lengthEntry = entries.get('length');
    if (lengthEntry !== undefined) {
      const length = byteCount(lengthEntry, 'length', label);
      if (length !== byteLength) {
        throw new LoadError(
          `${label} takes ${byteLength} bytes by its dims and type, its external data has length ${length}`,
        );
      }
    }
    if (offset + byteLength > file.size) {
      throw new LoadError(
        `${label} needs bytes ${offset} to ${offset + byteLength} of external file ${location}, which has ${file.size}`,
      );
    }
    return {
      external: { directory: this.#directory, location, offset },
      bytes: () => readRange(file, offset, byteLength, label),
    };
  }

  #file(location: string, label: string): ExternalFile {
    const known = this.#files.get(location);
    if (known !== undefined) return known;
    // One file holds many tensors: the very same error each time lets the problem be listed once.
    const refused = this.#refused.get(location);
    if (refused !== undefined) throw refused;
    const refuse = (why: string, hint?: string): LoadError => {
      const message = `${label} has its data in external file ${JSON.stringify(location)}, ${why}`;
      const error = new LoadError(message, hint === undefined ? {} : { hint });
      this.#refused.set(location, error);
      return error;
    };
    if (location === '') throw new LoadError(`${label} has external data without a location`);
    if (location.includes('\0')) throw refuse('which is not a file name');
    // Absolute by the rules of either system: the same file is to be refused everywhere.
    if (isAbsolute(location) || win32.isAbsolute(location) || /^[a-z]:/i.test(location)) {
      throw refuse("an absolute path; it must lie inside the model's folder");
    }
    const segments = location.split(/[\\/]/);
    if (segments.includes('..')) throw refuse("which leads out of the model's folder");
    // ONNX Runtime reads the offset of this one as an address in its own memory.
    if (segments.includes('_ORT_MEM_ADDR_')) throw refuse('a marker that no file may carry');
    const path = this.#realPath(location, refuse);
    const stat = statSync(path);
    if (!stat.isFile()) throw refuse('which is not a regular file');
    // A second name of the same file: what the folder shows need not be what is read.
    if (stat.nlink > 1) {
      throw refuse(
        `a hard link (${stat.nlink} names for one file), which may lead out of the model's folder`,
        `cp -R ${this.#directory} ${this.#directory}-copy`,
      );
    }
    const file = { location, path, size: stat.size };
    this.#files.set(location, file);
    return file;
  }

  #realPath(location: string, refuse: (why: string, hint?: string) => LoadError): string {
    let path: string;
    let roots: string[];
    try {
      path = realpathSync(join(this.#directory, location));
      // Model caches link both the model and its data into one store: the folder of the real model file counts as its own.
      roots = [realpathSync(this.#directory), dirname(realpathSync(this.#modelPath))];
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        throw refuse(`which is not in ${this.#directory}`);
      }
      throw refuse(`which cannot be opened (${code ?? String(error)})`);
    }
    if (!roots.some((root) => isInside(root, path))) {
      throw refuse(`a link to ${path}, out of the model's folder`);
    }
    return path;
  }
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function byteCount(text: string, key: string, label: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(count)) {
    throw new LoadError(
      `${label} has external data with ${key} ${JSON.stringify(text.slice(0, 40))}; bytes are wanted`,
    );
  }
  return count;
}

function readRange(file: ExternalFile, offset: number, byteLength: number, label: string): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let descriptor: number | undefined;
  try {
    // The path is already free of links: one that appears later was swapped in.
    descriptor = openSync(file.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    if (fstatSync(descriptor).size !== file.size) throw new Error('it changed since the model was loaded');
    for (let at = 0; at < byteLength;) {
      const read = readSync(descriptor, bytes, at, Math.min(READ_CHUNK, byteLength - at), offset + at);
      if (read === 0) throw new Error('it ends too early');
      at += read;
    }
    return bytes;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LoadError(`${label} cannot be read from external file ${file.path}: ${why}`, { cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
