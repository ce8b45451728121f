/** What the readers of the parts of one TFLite file share: its bytes, its buffers, and what is wrong with it. */
import { UnsupportedError } from '../../errors.js';
import type { Problems } from '../problems.js';
import type { Buffers } from './buffers.js';
import type { FlatFile } from './flatbuffer/flat-table.js';

const LISTED = 50;
const NAME_LENGTH = 100;

/** What a file may well have and this program does not know; all of it is reported at once. */
export class Unknowns {
  readonly #places: string[] = [];
  #count = 0;

  add(place: string): void {
    this.#count++;
    if (this.#places.length < LISTED) this.#places.push(place);
  }

  /** @throws UnsupportedError when anything was noted. */
  throwIfAny(): void {
    const [first] = this.#places;
    if (first === undefined) return;
    if (this.#count === 1) throw new UnsupportedError(first);
    const places = [...this.#places];
    if (this.#count > LISTED) places.push(`and ${this.#count - LISTED} more`);
    throw new UnsupportedError(`the file has ${this.#count} things that qdbg does not know of TFLite`, {
      places,
    });
  }
}

export interface ReadContext {
  readonly file: FlatFile;
  readonly buffers: Buffers;
  readonly problems: Problems;
  readonly unknowns: Unknowns;
  /** What the sparse constants of the file take in all when they are made dense. */
  readonly dense: { bytes: number };
}

/** A name in a message: quoted, control characters escaped, cut. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > NAME_LENGTH ? `${name.slice(0, NAME_LENGTH)}…` : name);
}

/** Ends a label; subgraphs but the main one are named. */
export function ofSubgraph(subgraph: number): string {
  return subgraph === 0 ? '' : ` of subgraph ${subgraph}`;
}
