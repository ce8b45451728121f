/** The largest of many, a few of them held. */

export interface Ranked<T> {
  readonly distance: number;
  readonly value: T;
}

/** Keeps the `most` largest distances above 0; of equal ones those that came first. */
export class Worst<T> {
  readonly #most: number;
  readonly #kept: Ranked<T>[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Asked before a value is made. */
  wants(distance: number): boolean {
    if (!(distance > 0) || this.#most === 0) return false;
    return this.#kept.length < this.#most || distance > this.#kept[this.#kept.length - 1]!.distance;
  }

  add(distance: number, value: T): void {
    if (!this.wants(distance)) return;
    let place = this.#kept.length;
    while (place > 0 && this.#kept[place - 1]!.distance < distance) place--;
    this.#kept.splice(place, 0, { distance, value });
    if (this.#kept.length > this.#most) this.#kept.pop();
  }

  /** Largest first. */
  get all(): readonly Ranked<T>[] {
    return this.#kept;
  }
}
