/** An identity for the samples of a data set that does not depend on where its files lie. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { DataError } from '../../errors.js';
import { reasonOf } from './files.js';
import type { Source } from './source.js';

/**
 * SHA-256 over, for each sample and input: the input's name, the sample's name and the digest of its file.
 *
 * @throws DataError when a file cannot be read.
 */
export async function digestOf(sources: readonly Source[], indices: readonly number[]): Promise<string> {
  const total = createHash('sha256');
  const files = new Map<string, string>();
  for (const index of indices) {
    for (const source of sources) {
      const origin = source.origin(index);
      const content =
        origin.kind === 'made' ? origin.recipe : (files.get(origin.path) ?? (await fileDigest(origin.path)));
      if (origin.kind === 'file') files.set(origin.path, content);
      total.update(JSON.stringify([source.input.name, source.id(index), content]));
    }
  }
  return total.digest('hex');
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw new DataError(`${path}: ${reasonOf(cause)}`, { cause });
  }
  return hash.digest('hex');
}
