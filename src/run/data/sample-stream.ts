/** Reading samples in order, one ahead of the caller. */
import { DataError } from '../../errors.js';
import type { Exclusion, Feed, Sample, SampleWindow } from './dataset.js';
import { SKIP_HINT } from './problems.js';
import { atMost } from './files.js';
import type { Source, SourceReader } from './source.js';

/** Samples that are looked at after the first that cannot be read. */
const MOST_LOOKED_AT = 2000;
/** Samples that one message names. */
const MOST_NAMED = 20;

export class SampleStream {
  readonly #sources: readonly Source[];
  readonly #indices: readonly number[];
  readonly #skipUnreadable: boolean;
  readonly #flag: string;
  /** Reasons by position in the order of samples. */
  readonly #excluded = new Map<number, Exclusion>();

  /** @param flag that the sources were given with, for hints */
  constructor(sources: readonly Source[], indices: readonly number[], skipUnreadable: boolean, flag: string) {
    this.#flag = flag;
    this.#sources = sources;
    this.#indices = indices;
    this.#skipUnreadable = skipUnreadable;
  }

  get excluded(): readonly Exclusion[] {
    return [...this.#excluded].sort(([a], [b]) => a - b).map(([, exclusion]) => exclusion);
  }

  async *samples(some?: SampleWindow | readonly number[]): AsyncGenerator<Sample> {
    const readers = this.#sources.map((source) => source.open());
    const positions = this.#positions(some);
    let given = 0;
    let next = this.#attempt(readers, positions[0]);
    try {
      for (const [at, position] of positions.entries()) {
        const { sample, error } = await next;
        if (error !== undefined)
          throw error instanceof DataError ? await this.#all(readers, position, error) : error;
        next = this.#attempt(readers, positions[at + 1]);
        if (sample === undefined) continue;
        given++;
        yield sample;
      }
    } finally {
      await next; // the file it reads must not be closed under it
      await Promise.all(readers.map((reader) => reader.close()));
    }
    if (given === 0) {
      throw new DataError(`none of the ${positions.length} samples can be read`, {
        places: atMost(this.excluded.map(({ id, reason }) => `${id}: ${reason}`)),
        hint: `${this.#flag} PATH with samples that can be read`,
      });
    }
  }

  #positions(some: SampleWindow | readonly number[] | undefined): readonly number[] {
    const all = [...this.#indices.keys()];
    if (some === undefined) return all;
    const readable = all.filter((position) => !this.#excluded.has(position));
    return 'from' in some
      ? readable.slice(some.from, some.to)
      : some.flatMap((place) => readable[place] ?? []);
  }

  /** Never rejects: nobody may be waiting for it yet. Neither sample nor error when it is left out or past the end. */
  async #attempt(readers: readonly SourceReader[], position: number | undefined): Promise<Attempt> {
    const index = position === undefined ? undefined : this.#indices[position];
    if (position === undefined || index === undefined || this.#excluded.has(position)) return {};
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
    return { sample: { id: this.#sources[0]!.id(index), index, feeds } };
  }

  /** The error of the sample at `position`, or one that also names those after it: they would be met one run at a time. */
  async #all(readers: readonly SourceReader[], position: number, first: DataError): Promise<DataError> {
    const errors = [first];
    const end = Math.min(this.#indices.length, position + 1 + MOST_LOOKED_AT);
    let at = position + 1;
    for (; at < end && errors.length < MOST_NAMED; at++) {
      const { error } = await this.#attempt(readers, at);
      if (error instanceof DataError) errors.push(error);
    }
    if (errors.length === 1) return first;
    const atLeast = at < this.#indices.length ? 'at least ' : '';
    return new DataError(`${atLeast}${errors.length} of ${this.#indices.length} samples cannot be read`, {
      places: errors.map(({ message }) => message),
      hint: errors.every(({ hint }) => hint === first.hint) ? (first.hint ?? SKIP_HINT) : SKIP_HINT,
    });
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
