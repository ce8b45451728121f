import type { Truth } from '../../run/labels/truth.js';
import type { Prediction } from '../../run/predictions/prediction.js';

export interface BoxClassesState {
  readonly labelled: readonly number[];
  readonly answered: readonly number[];
}

/** Classes that labels have and a detector never answers drag its mean down, whatever quantization does. */
export class BoxClasses {
  readonly #labelled = new Set<number>();
  readonly #answered = new Set<number>();

  add(truth: Truth | undefined, prediction: Prediction | undefined): void {
    if (truth?.kind !== 'boxes' || prediction?.kind !== 'boxes') return;
    for (const { label } of truth.boxes) this.#labelled.add(label);
    for (const { label } of prediction.boxes) this.#answered.add(label);
  }

  get state(): BoxClassesState {
    return { labelled: [...this.#labelled], answered: [...this.#answered] };
  }

  merge({ labelled, answered }: BoxClassesState): void {
    for (const label of labelled) this.#labelled.add(label);
    for (const label of answered) this.#answered.add(label);
  }

  /** How many classes the labels have, and how many of them are never answered; nothing without any. */
  get result(): { readonly boxClasses?: { readonly labelled: number; readonly unanswered: number } } {
    const unanswered = [...this.#labelled].filter((label) => !this.#answered.has(label)).length;
    return this.#labelled.size === 0 ? {} : { boxClasses: { labelled: this.#labelled.size, unanswered } };
  }
}
