/** What the passes need of a dataset: to stream it again and again. */
import type { Sample } from './data/dataset.js';

export interface Samples {
  readonly count: number;
  /** Every call goes through the same samples in the same order. */
  samples(): AsyncIterable<Sample>;
}

/** Called after every sample of a pass. */
export type Watch = (pass: string, done: number, total: number) => void;
