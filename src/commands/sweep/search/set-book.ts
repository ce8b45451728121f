/** What a search has evaluated so far, and what it may still spend. */
import type { Interval } from '../../../diff/accuracy/accuracy.js';
import { exceeds } from '../../../diff/gate/margin.js';

/** Positions of layers, ascending. */
export type LayerSet = readonly number[];

/** What a network with a set of layers in higher precision loses against float. */
export interface Loss {
  /** Smaller is better. */
  readonly value: number;
  /** 95 %, of the value. */
  readonly interval?: Interval;
  /** Cannot be told from float. */
  readonly isNoise: boolean;
}

export interface SetOracle {
  /** Really runs the networks, all at once where it can; in the order of the sets, undefined for one that cannot be run. */
  evaluate(sets: readonly LayerSet[]): Promise<readonly (Loss | undefined)[]>;
  /**
   * A cheaper look: the share of the noise at the output that is gone with each set in higher precision. Absent where there is
   * none, or it would be no cheaper.
   */
  screen?(sets: readonly LayerSet[]): Promise<readonly (number | undefined)[]>;
}

export interface BookedSet {
  readonly set: LayerSet;
  readonly loss: Loss | undefined;
}

export interface BookRules {
  /** By layer. Costs add up. */
  readonly costs: readonly number[];
  /** Largest loss that meets the target. */
  readonly limit: number;
  /** Evaluations that may be asked for. */
  readonly budget: number;
}

export class SetBook {
  /** In the order of evaluation. */
  readonly points: BookedSet[] = [];
  spent = 0;
  /** Something was not evaluated because of the budget. */
  isExhausted = false;
  readonly #rules: BookRules;
  readonly #oracle: SetOracle;
  readonly #byKey = new Map<string, BookedSet>();
  #best: BookedSet | undefined;

  constructor(rules: BookRules, oracle: SetOracle) {
    this.#rules = rules;
    this.#oracle = oracle;
  }

  /** The cheapest set that meets the target; of those that cost the same, the one with the fewest layers. */
  get best(): BookedSet | undefined {
    return this.#best;
  }

  get left(): number {
    return Math.max(0, this.#rules.budget - this.spent);
  }

  costOf(set: LayerSet): number {
    return set.reduce((sum, layer) => sum + this.#rules.costs[layer]!, 0);
  }

  knows(set: LayerSet): boolean {
    return this.#byKey.has(set.join());
  }

  lossOf(set: LayerSet): Loss | undefined {
    return this.#byKey.get(set.join())?.loss;
  }

  meets(loss: Loss | undefined): boolean {
    return loss !== undefined && !exceeds(loss.value, this.#rules.limit);
  }

  /** Whether the set would be a better answer than the best one known. */
  isCheaper(set: LayerSet): boolean {
    return this.#best === undefined || this.#compare(set, this.#best.set) < 0;
  }

  /** Takes down what is known without asking. */
  record(set: LayerSet, loss: Loss | undefined): void {
    const key = set.join();
    if (this.#byKey.has(key)) return;
    const point = { set, loss };
    this.#byKey.set(key, point);
    this.points.push(point);
    if (this.meets(loss) && this.isCheaper(set)) this.#best = point;
  }

  /** Those of the sets that are not known and could be a better answer, as far as the budget goes. @returns how many were run */
  async evaluate(sets: readonly LayerSet[]): Promise<number> {
    const wanted = new Map<string, LayerSet>();
    for (const set of sets) if (!this.knows(set) && this.isCheaper(set)) wanted.set(set.join(), set);
    const asked = [...wanted.values()].slice(0, this.left);
    if (asked.length < wanted.size) this.isExhausted = true;
    if (asked.length === 0) return 0;
    this.spent += asked.length;
    const losses = await this.#oracle.evaluate(asked);
    asked.forEach((set, at) => {
      this.record(set, losses[at]);
    });
    return asked.length;
  }

  #compare(a: LayerSet, b: LayerSet): number {
    const [costA, costB] = [this.costOf(a), this.costOf(b)];
    if (exceeds(costA, costB)) return 1;
    return exceeds(costB, costA) ? -1 : a.length - b.length;
  }
}

export function unionOf(a: LayerSet, b: LayerSet): LayerSet {
  return [...new Set([...a, ...b])].sort((one, other) => one - other);
}

export function without(set: LayerSet, left: LayerSet): LayerSet {
  const gone = new Set(left);
  return set.filter((layer) => !gone.has(layer));
}
