/**
 * What a data set is to the rest of the program: a known number of samples, read one at a time, and an account of every
 * choice that was made to turn files into model inputs.
 */
import type { DType, Shape } from '../../ir/graph.js';
import type { QDType } from '../../ir/lane.js';
import type { SampleName } from '../labels/truth.js';
import type { Layout } from './image-input.js';
import type { ResolvedPreprocessing } from './preprocessing.js';

/** The integers in which a model takes an input: value = (code - zeroPoint) * scale. */
export interface InputQuant {
  readonly dtype: QDType;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** One input of the model. */
export interface InputSpec {
  readonly name: string;
  /** Type of what is fed. */
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of an input that takes codes in the user's file: what is fed are the values they stand for. */
  readonly quant?: InputQuant;
  /** Where the channels of an image are when the shape does not tell; `nchw` when absent. */
  readonly layout?: Layout;
  /** Place among the inputs of the model, from 0, by which its metadata calls it; filled in when a data set is opened. */
  readonly position?: number;
}

/** Elements in row-major order. float16 is its bits in Uint16Array, bool is 0 or 1 in Uint8Array. */
export type Elements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Value of one input in one run. */
export interface Feed {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: Elements;
  /** Of an image that was brought to the size of the input: what it had before, upright. */
  readonly picture?: Picture;
}

/** Extents of an image in pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
}

/** Values of all inputs in one run. */
export interface Sample {
  /** File relative to the given path, with `#index` when the file holds several samples. */
  readonly id: string;
  /** Place among all samples that are there, from 0, whether they are used or not. */
  readonly index: number;
  readonly feeds: ReadonlyMap<string, Feed>;
}

export type DatasetKind = 'images' | 'npy' | 'npz' | 'bin' | 'list' | 'onnx-test-data' | 'random' | 'mixed';

/** One choice that decides what is fed, whether the user made it or not. */
export interface Assumption {
  /** Such as `resize`, `layout`, `samples`. */
  readonly what: string;
  readonly value: string;
  readonly from: 'flag' | 'preset' | 'model' | 'metadata' | 'data' | 'default';
}

/**
 * The assumption that decides the values of images though nobody made it: neither flags nor the model say how pixels are
 * normalized, so the default does.
 *
 * @returns undefined when there is no such guess.
 */
export function guessedNormalization(assumed: readonly Assumption[]): Assumption | undefined {
  return assumed.find(({ what, from }) => what === 'normalization' && from === 'default');
}

/** A sample that was left out because it cannot be read. */
export interface Exclusion {
  readonly id: string;
  readonly reason: string;
}

/** Samples of a data set by their place among those that can be read: `from` and those behind it up to `to`, which is not one of them. */
export interface SampleWindow {
  readonly from: number;
  readonly to: number;
}

export interface Dataset {
  /** `mixed` when several inputs come from different kinds of file. */
  readonly kind: DatasetKind;
  /** As the user gave it; several sources are separated by a space. */
  readonly path: string;
  /** Samples that `samples()` gives; before the first pass, those too that will turn out to be unreadable and be left out. */
  readonly count: number;
  /** Samples that are there; more than `count` when only some were asked for. */
  readonly available: number;
  /** Names of the samples in order. */
  readonly ids: readonly string[];
  /** The same with their places among all samples that are there, and their files. */
  readonly names: readonly SampleName[];
  /** How images become numbers; undefined when the data is fed as it is. */
  readonly preprocessing: ResolvedPreprocessing | undefined;
  readonly assumed: readonly Assumption[];
  /** Samples left out so far; complete after one pass. Empty unless unreadable samples may be skipped. */
  readonly excluded: readonly Exclusion[];
  /**
   * Reads the samples in order, the next one while the caller works on this one: two are in memory at most.
   * May be called again; every pass gives the same samples.
   *
   * @param some a window, or places in ascending order, among those that can be read: after a pass through all, which tells these
   * @throws DataError when a sample cannot be read or holds NaN or Inf, unless unreadable samples may be skipped.
   */
  samples(some?: SampleWindow | readonly number[]): AsyncIterable<Sample>;
  /** Hex digest of names and contents of the samples in use; does not depend on where the files lie. */
  sha256(): Promise<string>;
}
