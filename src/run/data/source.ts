/** What one path on the command line gives: the values of one input for a number of samples. */
import type { PreprocessingFlags, ResolvedPreprocessing } from './preprocessing.js';
import type { Assumption, DatasetKind, Exclusion, Feed, InputSpec } from './dataset.js';

export interface Source {
  readonly kind: Exclude<DatasetKind, 'mixed'>;
  readonly input: InputSpec;
  /** Samples. */
  readonly count: number;
  readonly preprocessing?: ResolvedPreprocessing;
  readonly assumed: readonly Assumption[];
  /** Files that were left out when the source was opened. */
  readonly excluded: readonly Exclusion[];
  id(index: number): string;
  /** What the content of a sample depends on, for the digest of the data set. */
  origin(index: number): Origin;
  open(): SourceReader;
}

/** Where a sample comes from: a file, or a text that says how to make it. */
export type Origin =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'made'; readonly recipe: string };

export interface SourceReader {
  /**
   * Value of the input in sample `index`. Indices come in rising order.
   *
   * @throws DataError when the sample cannot be read; the message is the reason, without the name of the sample.
   */
  read(index: number): Promise<Feed>;
  close(): Promise<void>;
}

/** What all sources are opened with. */
export interface SourceContext {
  readonly preprocessing: PreprocessingFlags;
  /** Key/value pairs of the model file. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly skipUnreadable: boolean;
  readonly samples: number | undefined;
  readonly seed: number;
  /** The flag that the paths were given with, for hints. */
  readonly flag: string;
}

/** A file of a data set. */
export interface DataFile {
  /** As the file system knows it. */
  readonly path: string;
  /** As the user knows it: relative to the path that was given, with `/`. */
  readonly id: string;
}
