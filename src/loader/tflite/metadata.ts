/**
 * What the maker of a TFLite file says of it: names, how inputs are to be prepared, which labels outputs have.
 * https://ai.google.dev/edge/litert/conversion/tensorflow/metadata
 *
 * As key/value pairs (`metadataEntries`), each only where the file says so:
 *
 *   name, description, version, author, license   of the model
 *   minRuntimeVersion                             oldest runtime that has all of its operators
 *   tensors by position among the model's inputs and outputs:
 *   tflite.input.<i>.mean, tflite.input.<i>.std   comma-separated numbers, one or one per channel: (x - mean) / std, x from 0 to 255
 *   tflite.input.<i>.color                        rgb | gray
 *   tflite.input.<i>.name, tflite.output.<i>.name
 *   tflite.output.<i>.labels                      name of the file with its labels, packed into the model
 *   tflite.output.<i>.classes                     the lines of that file
 */
import { LoadError } from '../../errors.js';
import { packedFiles } from './archive.js';
import type { PackedFile } from './archive.js';
import { FlatFile, FlatTable } from './flatbuffer/flat-table.js';
import {
  ASSOCIATED_FILE,
  ASSOCIATED_FILE_TYPES,
  COLOR_SPACES,
  CONTENT,
  CONTENT_TYPES,
  IMAGE_PROPERTIES,
  METADATA_IDENTIFIER,
  MODEL_METADATA,
  NORMALIZATION,
  PROCESS_UNIT,
  PROCESS_UNITS,
  STATS,
  SUBGRAPH_METADATA,
  TENSOR_METADATA,
} from './flatbuffer/metadata-schema.js';
import type { TfliteModel } from './model.js';

export interface AssociatedFile {
  readonly name: string;
  readonly description: string;
  readonly type: (typeof ASSOCIATED_FILE_TYPES)[number];
  readonly locale: string;
  /** Lines of a label file or vocabulary that is packed into the model, undamaged and at most 1 MiB. */
  readonly lines?: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly description: string;
  readonly dimensionNames: readonly string[];
  readonly content: (typeof CONTENT_TYPES)[number];
  /** Of images. */
  readonly color?: (typeof COLOR_SPACES)[number];
  /** How values of 0 to 255 are prepared, (x - mean) / std; one number each, or one per channel. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Everything that is done to the tensor outside the model, in order. */
  readonly processUnits: readonly (typeof PROCESS_UNITS)[number][];
  /** Range of its values, one number or one per channel; empty where it is not said. */
  readonly min: readonly number[];
  readonly max: readonly number[];
  readonly files: readonly AssociatedFile[];
}

export interface TfliteMetadata {
  /** Strings are '' where the file does not say. */
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly author: string;
  readonly license: string;
  readonly minRuntimeVersion: string;
  /** By position among the inputs (outputs) of the main subgraph. */
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  /** Of the model as a whole. */
  readonly files: readonly AssociatedFile[];
}

const MODEL_BUFFER = 'TFLITE_METADATA';
const RUNTIME_BUFFER = 'min_runtime_version';
/** Bytes of one label file, and of all of them: a few packed bytes expand to a thousand times as many. */
const FILE_LIMIT = 2 ** 20;
const TOTAL_LIMIT = 2 ** 23;
const WITH_LINES: readonly AssociatedFile['type'][] = [
  'tensor-axis-labels',
  'tensor-value-labels',
  'vocabulary',
];

/**
 * @param bytes the whole file that `model` was read from.
 * @throws LoadError when the metadata are broken.
 */
export function readMetadata(model: TfliteModel, bytes: Uint8Array): TfliteMetadata {
  const stored = model.metadata.get(MODEL_BUFFER) ?? new Uint8Array(0);
  const table = stored.length === 0 ? FlatTable.EMPTY : rootOf(stored);
  const lines = new LabelFiles(packedFiles(bytes));
  const main = table.get(MODEL_METADATA.subgraphMetadata)[0] ?? FlatTable.EMPTY;
  const tensors = (tables: readonly FlatTable[]): TensorMetadata[] =>
    tables.map((tensor) => tensorMetadata(tensor, lines));
  return {
    name: table.get(MODEL_METADATA.name) ?? '',
    description: table.get(MODEL_METADATA.description) ?? '',
    version: table.get(MODEL_METADATA.version) ?? '',
    author: table.get(MODEL_METADATA.author) ?? '',
    license: table.get(MODEL_METADATA.license) ?? '',
    minRuntimeVersion: paddedText(model.metadata.get(RUNTIME_BUFFER)),
    inputs: tensors(main.get(SUBGRAPH_METADATA.inputTensorMetadata)),
    outputs: tensors(main.get(SUBGRAPH_METADATA.outputTensorMetadata)),
    files: [
      ...filesOf(table.get(MODEL_METADATA.associatedFiles), lines),
      ...filesOf(main.get(SUBGRAPH_METADATA.associatedFiles), lines),
    ],
  };
}

/** The metadata as strings, under the keys that the head of this file lists. */
export function metadataEntries(metadata: TfliteMetadata): ReadonlyMap<string, string> {
  const { name, description, version, author, license, minRuntimeVersion, inputs, outputs } = metadata;
  const entries: [key: string, value: string][] = Object.entries({
    name,
    description,
    version,
    author,
    license,
    minRuntimeVersion,
  });
  inputs.forEach((tensor, i) => {
    const { mean = [], std = [] } = tensor.normalization ?? {};
    const color = tensor.color === 'unknown' ? '' : (tensor.color ?? '');
    entries.push([`tflite.input.${i}.name`, tensor.name]);
    entries.push([`tflite.input.${i}.mean`, mean.map(shortest).join(',')]);
    entries.push([`tflite.input.${i}.std`, std.map(shortest).join(',')]);
    entries.push([`tflite.input.${i}.color`, color]);
  });
  outputs.forEach((tensor, i) => {
    const labels = tensor.files.find(({ type }) => type.endsWith('-labels'));
    entries.push([`tflite.output.${i}.name`, tensor.name]);
    entries.push([`tflite.output.${i}.labels`, labels?.name ?? '']);
    entries.push([`tflite.output.${i}.classes`, labels?.lines?.join('\n') ?? '']);
  });
  return new Map(entries.filter(([, value]) => value !== ''));
}

/** A float32 in as few digits as tell it from its neighbours: 0.229, not 0.2290000021457672. */
function shortest(value: number): string {
  for (let digits = 6; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}

function rootOf(stored: Uint8Array): FlatTable {
  const identifier = Buffer.from(stored.subarray(4, 8)).toString('latin1');
  if (identifier !== METADATA_IDENTIFIER) {
    throw new LoadError(
      `the model's metadata are of kind ${JSON.stringify(identifier)}; ${JSON.stringify(METADATA_IDENTIFIER)} is read`,
    );
  }
  return new FlatFile(stored, 'the metadata buffer').root();
}

function tensorMetadata(table: FlatTable, lines: LabelFiles): TensorMetadata {
  const units = table.get(TENSOR_METADATA.processUnits);
  const processUnits = units.map((unit) => PROCESS_UNITS[unit.get(PROCESS_UNIT.optionsType)] ?? 'none');
  const normalization = units[processUnits.indexOf('normalization')]?.get(PROCESS_UNIT.options);
  const contents = table.get(TENSOR_METADATA.content) ?? FlatTable.EMPTY;
  const content = CONTENT_TYPES[contents.get(CONTENT.contentPropertiesType)] ?? 'none';
  const properties = contents.get(CONTENT.contentProperties);
  const stats = table.get(TENSOR_METADATA.stats) ?? FlatTable.EMPTY;
  const image = content === 'image' ? properties : undefined;
  return {
    name: table.get(TENSOR_METADATA.name) ?? '',
    description: table.get(TENSOR_METADATA.description) ?? '',
    dimensionNames: table.get(TENSOR_METADATA.dimensionNames),
    content,
    ...(image === undefined
      ? {}
      : { color: COLOR_SPACES[image.get(IMAGE_PROPERTIES.colorSpace)] ?? 'unknown' }),
    ...(normalization === undefined
      ? {}
      : {
          normalization: {
            mean: normalization.get(NORMALIZATION.mean),
            std: normalization.get(NORMALIZATION.std),
          },
        }),
    processUnits,
    min: stats.get(STATS.min),
    max: stats.get(STATS.max),
    files: filesOf(table.get(TENSOR_METADATA.associatedFiles), lines),
  };
}

function filesOf(tables: readonly FlatTable[], labels: LabelFiles): AssociatedFile[] {
  return tables.map((table) => {
    const name = table.get(ASSOCIATED_FILE.name) ?? '';
    const type = ASSOCIATED_FILE_TYPES[table.get(ASSOCIATED_FILE.type)] ?? 'unknown';
    const lines = WITH_LINES.includes(type) ? labels.lines(name) : undefined;
    return {
      name,
      description: table.get(ASSOCIATED_FILE.description) ?? '',
      type,
      locale: table.get(ASSOCIATED_FILE.locale) ?? '',
      ...(lines === undefined ? {} : { lines }),
    };
  });
}

/** Lines of packed files, each read once however often it is referred to. */
class LabelFiles {
  readonly #files: ReadonlyMap<string, PackedFile>;
  readonly #read = new Map<string, readonly string[] | undefined>();
  #left = TOTAL_LIMIT;

  constructor(files: ReadonlyMap<string, PackedFile>) {
    this.#files = files;
  }

  lines(name: string): readonly string[] | undefined {
    if (this.#read.has(name)) return this.#read.get(name);
    const content = this.#files.get(name)?.read(Math.min(FILE_LIMIT, this.#left));
    this.#left -= content?.length ?? 0;
    const text = content === undefined ? undefined : new TextDecoder().decode(content);
    const lines = text?.replace(/\r?\n$/, '').split(/\r?\n/);
    this.#read.set(name, lines);
    return lines;
  }
}

/** Text that is padded with zero bytes. */
function paddedText(stored: Uint8Array | undefined): string {
  const text = new TextDecoder().decode(stored ?? new Uint8Array(0));
  return text.split('\0', 1)[0] ?? '';
}
