/** What the candidate answers where the reference answers what: counts by pair of classes. */
import type { Transition, Transitions } from './metric.js';
import { addCounts, type TransitionState } from './scorer-state.js';

/** Pairs of classes as one number; classes from this on are not told apart. */
const PAIR = 2 ** 26;
/** Pairs that are held: more than a table can show, of networks that tell tens of thousands of classes apart. */
const MOST_HELD = 0x10000;
/** Pairs that are told, off the diagonal and on it. */
const MOST_TOLD = 2000;

/** Samples by what reference and candidate answer. Memory does not grow with them. */
export class TransitionCounts {
  readonly #stayed = new Map<number, number>();
  readonly #changed = new Map<number, number>();
  #leftOut = 0;

  /** Nothing is counted where one of the two has no answer. */
  add(from: number | undefined, to: number | undefined): void {
    if (from === undefined || to === undefined) return;
    const counts = from === to ? this.#stayed : this.#changed;
    const key = from === to ? from : from * PAIR + to;
    const count = counts.get(key) ?? 0;
    if (from >= PAIR || to >= PAIR || (count === 0 && counts.size === MOST_HELD)) this.#leftOut++;
    else counts.set(key, count + 1);
  }

  get state(): TransitionState {
    return { stayed: [...this.#stayed], changed: [...this.#changed], leftOut: this.#leftOut };
  }

  merge({ stayed, changed, leftOut }: TransitionState): void {
    addCounts(this.#stayed, stayed);
    addCounts(this.#changed, changed);
    this.#leftOut += leftOut;
  }

  get result(): Transitions {
    const changed = [...this.#changed].map(([pair, count]) => ({
      from: Math.floor(pair / PAIR),
      to: pair % PAIR,
      count,
    }));
    return transitionsOf(this.#stayed, changed, this.#leftOut);
  }
}

/**
 * @param stayed by class
 * @param changed pairs of classes that differ
 * @param leftOut counted already
 */
export function transitionsOf(
  stayed: Iterable<readonly [label: number, count: number]>,
  changed: readonly Transition[],
  leftOut: number,
): Transitions {
  const all = [
    mostOf([...stayed].map(([label, count]) => ({ from: label, to: label, count }))),
    mostOf(changed),
  ];
  return {
    cells: all.flatMap(({ kept }) => kept).sort(byClass),
    leftOut: all.reduce((sum, { others }) => sum + others, leftOut),
  };
}

function mostOf(cells: readonly Transition[]): {
  readonly kept: readonly Transition[];
  readonly others: number;
} {
  const sorted = [...cells].sort((a, b) => b.count - a.count || byClass(a, b));
  const others = sorted.slice(MOST_TOLD).reduce((sum, { count }) => sum + count, 0);
  return { kept: sorted.slice(0, MOST_TOLD), others };
}

function byClass(a: Transition, b: Transition): number {
  return a.from - b.from || a.to - b.to;
}
