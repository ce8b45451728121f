import { DataError } from '../errors.js';
import type { Dataset } from '../run/data/dataset.js';

/**
 * Extents of the inputs in the first sample, by name; the passes compile the network for them.
 *
 * @param flag that the data came with, for the hint
 * @throws DataError when there is no sample
 */
export async function extentsOf(
  dataset: Dataset,
  flag: '--calib' | '--data' | '--eval',
): Promise<ReadonlyMap<string, readonly number[]>> {
  for await (const { feeds } of dataset.samples()) {
    return new Map([...feeds].map(([name, feed]) => [name, feed.dims]));
  }
  throw new DataError(`${dataset.path} holds no sample that can be read`, {
    hint: `${flag} PATH with at least one sample`,
  });
}
