/** Model files -> Graph. Readers of formats are imported when a file needs them. */
import { dirname, resolve } from 'node:path';
import { LoadError, UnsupportedError } from '../errors.js';
import type { ErrorDetails, QdbgError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { readModelFile, sha256 } from './model-file.js';

export interface LoadOptions {
  /** Fold BatchNormalization into the convolution before it, as deployed models have it. Default true. */
  readonly foldBatchNorm?: boolean;
  /** Extents of graph inputs by name; their symbols get them everywhere. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>;
}

export interface LoadedModel {
  readonly graph: Graph;
  /** As given. */
  readonly path: string;
  /** Absolute folder of the file, against which external data is resolved. */
  readonly directory: string;
  /** Size of the file and of the files with its external data. */
  readonly bytes: number;
  readonly format: 'onnx';
  /** Of the model file followed by its external files in order of first use; hex. Computed when asked for. */
  sha256(): Promise<string>;
}

/**
 * Loads a model. Weights are not read or copied until a constant's `bytes()` is called.
 *
 * @throws UsageError when the file cannot be opened or `shapes` does not fit the model's inputs.
 * @throws LoadError when the file is not a model or a broken one; all that is wrong is listed.
 * @throws UnsupportedError when the model is fine but beyond qdbg.
 */
export async function loadModel(path: string, options: LoadOptions = {}): Promise<LoadedModel> {
  // Together: the disk is busy with one, this thread with the other.
  const [file, { readOnnx }] = await Promise.all([readModelFile(path), import('./onnx/reader.js')]);
  const { graph, externalFiles } = inFile(path, () =>
    readOnnx(file, resolve(path), {
      foldBatchNorm: options.foldBatchNorm ?? true,
      shapes: options.shapes ?? new Map(),
    }),
  );
  const externalPaths = [...new Map(externalFiles.map((external) => [external.path, external.size]))];
  let hash: Promise<string> | undefined;
  return {
    graph,
    path,
    directory: dirname(resolve(path)),
    bytes: externalPaths.reduce((sum, [, size]) => sum + size, file.byteLength),
    format: 'onnx',
    sha256: () =>
      (hash ??= sha256(
        file,
        externalPaths.map(([external]) => external),
      )),
  };
}

/** Errors of the readers speak of the model; the user also needs to know of which. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof LoadError) throw new LoadError(`${path}: ${error.message}`, detailsOf(error));
    if (error instanceof UnsupportedError) {
      throw new UnsupportedError(`${path}: ${error.message}`, detailsOf(error));
    }
    throw error;
  }
}

function detailsOf({ places, hint, cause }: QdbgError): ErrorDetails {
  return { places, cause, ...(hint === undefined ? {} : { hint }) };
}
