/** Reading samples in order, one ahead of the caller. */
import { DataError } from '../../errors.js';
import type { Exclusion, Feed, Sample } from './dataset.js';
import { SKIP_HINT } from './problems.js';
import { atMost } from './files.js';
import type { Source, SourceReader } from './source.js';

export class SampleStream {
  readonly #sources: readonly Source[];
  readonly #indices: readonly number[];
  readonly #skipUnreadable: boolean;
  /** Reasons by position in the order of samples. */
  readonly #excluded = new Map<number, Exclusion>();

  constructor(sources: readonly Source[], indices: readonly number[], skipUnreadable: boolean) {
    this.#sources = sources;
    this.#indices = indices;
    this.#skipUnreadable = skipUnreadable;
  }

  get excluded(): readonly Exclusion[] {
    return [...this.#excluded].sort(([a], [b]) => a - b).map(([, exclusion]) => exclusion);
  }

  async *samples(): AsyncGenerator<Sample> {
    const readers = this.#sources.map((source) => source.open());
    let given = 0;
    let next = this.#attempt(readers, 0);
    try {
      for (let position = 0; position < this.#indices.length; position++) {
        const { sample, error } = await next;
        if (error !== undefined) throw error;
        next = this.#attempt(readers, position + 1);
        if (sample === undefined) continue;
        given++;
        yield sample;
      }
    } finally {
      await next; // the file it reads must not be closed under it
      await Promise.all(readers.map((reader) => reader.close()));
    }
    if (given === 0) {
      throw new DataError(`none of the ${this.#indices.length} samples can be read`, {
        places: atMost(this.excluded.map(({ id, reason }) => `${id}: ${reason}`)),
      });
    }
  }

  /** Never rejects: nobody may be waiting for it yet. Neither sample nor error when it is left out or past the end. */
  async #attempt(readers: readonly SourceReader[], position: number): Promise<Attempt> {
    const index = this.#indices[position];
    if (index === undefined || this.#excluded.has(position)) return {};
    const feeds = new Map<string, Feed>();
    for (const [i, source] of this.#sources.entries()) {
      try {
        feeds.set(source.input.name, await readers[i]!.read(index));
      } catch (error) {
        if (!(error instanceof DataError)) {
          return { error: error instanceof Error ? error : new Error(String(error), { cause: error }) };
        }
        if (!this.#skipUnreadable) return { error: this.#named(error, source, position, index) };
        this.#excluded.set(position, { id: source.id(index), reason: error.message });
        return {};
      }
    }
    return { sample: { id: this.#sources[0]!.id(index), feeds } };
  }

  #named(cause: DataError, source: Source, position: number, index: number): DataError {
    const place = `sample ${position + 1} of ${this.#indices.length}`;
    const input = this.#sources.length > 1 ? `, input ${source.input.name}` : '';
    return new DataError(`${source.id(index)} (${place}${input}): ${cause.message}`, {
      hint: cause.hint ?? SKIP_HINT,
      cause,
    });
  }
}

interface Attempt {
  readonly sample?: Sample;
  readonly error?: Error;
}
