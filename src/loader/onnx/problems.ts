import { LoadError } from '../../errors.js';

/** A file broken in a thousand places is as well described by the first of them. */
const LISTED = 50;

/** Everything that is wrong with one model, reported at once. */
export class Problems {
  readonly #places: string[] = [];
  #count = 0;

  add(problem: string): void {
    this.#count++;
    if (this.#places.length < LISTED) this.#places.push(problem);
  }

  /** Result of `read`; undefined, with the problem noted, when it throws LoadError. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      this.add(error.message);
      return undefined;
    }
  }

  /** @throws LoadError when anything was noted. */
  throwIfAny(): void {
    const [first, ...rest] = this.#places;
    if (first === undefined) return;
    if (rest.length === 0) throw new LoadError(first);
    const unlisted = this.#count - this.#places.length;
    throw new LoadError(`the model is broken in ${this.#count} places`, {
      places: unlisted === 0 ? this.#places : [...this.#places, `and ${unlisted} more`],
    });
  }
}
