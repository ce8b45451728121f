/** What the passes need of a dataset: to stream it again and again. */
import { DataError } from '../errors.js';
import type { Sample } from './data/dataset.js';

export interface Samples {
  /** Falls during the first pass when samples are left out. */
  readonly count: number;
  /** Every call goes through the same samples in the same order. */
  samples(): AsyncIterable<Sample>;
}

/** Called when a pass begins, with 0 done, and after every sample. */
export type Watch = (pass: string, done: number, total: number) => void;

/**
 * The same samples, each checked to have the extents that the network was compiled for.
 *
 * @throws DataError while streaming, naming the first sample that differs
 */
export function withExtents(samples: Samples, extents: ReadonlyMap<string, readonly number[]>): Samples {
  return {
    get count() {
      return samples.count;
    },
    async *samples() {
      for await (const sample of samples.samples()) {
        for (const [name, { dims }] of sample.feeds) {
          const wanted = extents.get(name) ?? [];
          if (dims.join() !== wanted.join()) {
            throw new DataError(
              `${sample.id} has shape ${dims.join('x')} for input ${name}, the first sample had ${wanted.join('x')}`,
              { hint: `--shape ${name}=${wanted.join('x')}, and data of that shape only` },
            );
          }
        }
        yield sample;
      }
    },
  };
}
