import type { PreprocessingFlags } from '../run/data/preprocessing.js';

/** What the user said about data, apart from where it is. */
export interface DataRequest {
  readonly preprocessing: PreprocessingFlags;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly samples?: number;
  readonly seed?: number;
  readonly skipUnreadable: boolean;
}
