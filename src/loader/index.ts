/** Model files -> Graph. Readers of formats are imported when a file needs them. */
import { dirname, resolve } from 'node:path';
import { LoadError, UnsupportedError } from '../errors.js';
import type { ErrorDetails, QdbgError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { readModelFile, sha256 } from './model-file.js';

export interface LoadOptions {
  /** Fold BatchNormalization into the convolution before it, as deployed models have it. Default true. */
  readonly foldBatchNorm?: boolean;
  /** Extents of graph inputs by name; their symbols get them everywhere. */
  readonly shapes?: ReadonlyMap<string, readonly number[]>;
}

export interface LoadedModel {
  readonly graph: Graph;
  /** What the file says of its quantization; undefined for a float model. */
  readonly lane?: Lane;
  /** As given. */
  readonly path: string;
  /** Absolute folder of the file, against which external data is resolved. */
  readonly directory: string;
  /** Size of the file and of the files with its external data. */
  readonly bytes: number;
  readonly format: Graph['format'];
  /** Absolute paths of the files with its external data. */
  readonly externalFiles: readonly string[];
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
  const { foldBatchNorm = true, shapes = new Map<string, readonly number[]>() } = options;
  // Together: the disk is busy with one, this thread with the other.
  const wanted = path.toLowerCase().endsWith('.tflite')
    ? import('./tflite/reader.js')
    : import('./onnx/reader.js');
  const [{ bytes, kind }] = await Promise.all([readModelFile(path), wanted]);
  const { graph, lane, externalFiles } =
    kind === 'tflite'
      ? await readers.tflite(path, bytes, shapes)
      : await readers.onnx(path, bytes, shapes, foldBatchNorm);
  const externalPaths = [...new Map(externalFiles.map((external) => [external.path, external.size]))];
  let hash: Promise<string> | undefined;
  return {
    graph,
    ...(lane === undefined ? {} : { lane }),
    path,
    directory: dirname(resolve(path)),
    bytes: externalPaths.reduce((sum, [, size]) => sum + size, bytes.byteLength),
    format: kind,
    externalFiles: externalPaths.map(([external]) => external),
    sha256: () =>
      (hash ??= sha256(
        bytes,
        externalPaths.map(([external]) => external),
      )),
  };
}

type Shapes = NonNullable<LoadOptions['shapes']>;

interface ReadModel {
  readonly graph: Graph;
  readonly lane?: Lane | undefined;
  readonly externalFiles: readonly { readonly path: string; readonly size: number }[];
}

/** Imported when a file needs them. */
const readers = {
  async onnx(path: string, bytes: Buffer, shapes: Shapes, foldBatchNorm: boolean): Promise<ReadModel> {
    const { readOnnx } = await import('./onnx/reader.js');
    return inFile(path, () => readOnnx(bytes, resolve(path), { foldBatchNorm, shapes }));
  },
  async tflite(path: string, bytes: Buffer, shapes: Shapes): Promise<ReadModel> {
    const { readTfliteModel } = await import('./tflite/reader.js');
    return inFile(path, () => ({ ...readTfliteModel(bytes, { shapes }), externalFiles: [] }));
  },
};

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
