import { LoadError } from '../errors.js';

/** A file broken in a thousand places is as well described by the first of them. */
const LISTED = 50;

/** Everything that is wrong with one model, reported at once. */
export class Problems {
  readonly #listed = new Set<LoadError>();
  #count = 0;

  add(problem: string): void {
    this.#count++;
    if (this.#listed.size < LISTED) this.#listed.add(new LoadError(problem));
  }

  /** Result of `read`; undefined, with the problem noted, when it throws LoadError. The same error counts once. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      if (this.#listed.has(error)) return undefined;
      this.#count++;
      if (this.#listed.size < LISTED) this.#listed.add(error);
      return undefined;
    }
  }

  /** @throws LoadError when anything was noted. */
  throwIfAny(): void {
    const [first] = this.#listed;
    if (first === undefined) return;
    if (this.#count === 1) throw first;
    const places = Array.from(this.#listed, ({ message }) => message);
    if (this.#count > places.length) places.push(`and ${this.#count - places.length} more`);
    throw new LoadError(`the model is broken in ${this.#count} places`, { places });
  }
}
