/** Outputs as the runtime gives them to a user, beside those of the reference. */
import type { Agreement } from '../other-run.js';
import { agreement, type Values } from '../other/sums.js';
import type { Target } from '../other/targets.js';

export interface OutputBesideReference extends Agreement {
  readonly tensor: string;
  /** Share of samples whose largest element is at the same index as in the reference; only for outputs of 2 to 100,000 values in a row. */
  readonly agreement?: number;
}

const LONGEST_ROW = 100_000;

export class OutputSums {
  readonly #target: Target;
  readonly #energies = { signal: 0, error: 0 };
  readonly #isRow: boolean;
  #nonFinite = 0;
  #samples = 0;
  #agreeing = 0;

  constructor(target: Target) {
    this.#target = target;
    const extents = target.dims.filter((dim) => dim !== 1);
    this.#isRow = extents.length === 1 && target.count <= LONGEST_ROW;
  }

  add(actual: Values, reference: Values): void {
    this.#samples++;
    for (let i = 0; i < actual.length; i++) {
      const error = actual[i]! - reference[i]!;
      if (!Number.isFinite(error)) {
        if (!Object.is(actual[i], reference[i])) this.#nonFinite++;
        continue;
      }
      this.#energies.signal += reference[i]! * reference[i]!;
      this.#energies.error += error * error;
    }
    if (this.#isRow && largestAt(actual) === largestAt(reference)) this.#agreeing++;
  }

  /** Undefined when no reference was given. */
  get result(): OutputBesideReference | undefined {
    if (this.#samples === 0) return undefined;
    return {
      tensor: this.#target.name,
      ...agreement(this.#energies, this.#nonFinite),
      ...(this.#isRow ? { agreement: this.#agreeing / this.#samples } : {}),
    };
  }
}

/** The first of equals. */
function largestAt(values: Values): number {
  let at = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[at]!) at = i;
  return at;
}
