/** Names that are not taken yet: `base`, else `base_2`, `base_3` and so on. */
export class FreshNames {
  readonly #taken: Set<string>;
  /** Last number tried for a base: a file can ask for one base a million times. */
  readonly #numbers = new Map<string, number>();

  /** @param taken names in use; the ones given out are added. */
  constructor(taken: Set<string>) {
    this.#taken = taken;
  }

  next(base: string): string {
    let number = this.#numbers.get(base) ?? 1;
    let name = number === 1 ? base : `${base}_${number}`;
    while (this.#taken.has(name)) name = `${base}_${++number}`;
    this.#numbers.set(base, number);
    this.#taken.add(name);
    return name;
  }
}
