/** Names that no value of a file has yet: `base`, else `base_2`, `base_3` and so on. */
export class UnusedNames {
  readonly #taken: Set<string>;
  /** Last number tried for a base: a file can ask for one base a million times. */
  readonly #numbers = new Map<string, number>();

  constructor(taken: Iterable<string>) {
    this.#taken = new Set(taken);
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
