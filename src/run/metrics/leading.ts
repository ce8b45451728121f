/** The classes that a prediction puts first. */
import type { Prediction } from '../predictions/prediction.js';

export interface Leading {
  /** Most likely first, of equal scores the smaller index; empty when nothing can be said. */
  readonly classes: readonly number[];
  /** The last of them shares its score with a class that is left out. */
  readonly isTied: boolean;
}

const NONE: Leading = { classes: [], isTied: false };

/**
 * The `count` classes of largest score. Scores with NaN or +Infinity lead nowhere; -Infinity is the logarithm of a probability of 0,
 * and no class leads by it.
 */
export function leading(prediction: Prediction, count: number): Leading {
  if (prediction.kind === 'class')
    return Number.isInteger(prediction.label) && prediction.label >= 0
      ? { classes: [prediction.label], isTied: false }
      : NONE;
  if (prediction.kind !== 'scores') return NONE;
  const { scores } = prediction;
  const classes: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (Number.isNaN(score) || score === Infinity) return NONE;
    if (classes.length === count && score <= scores[classes[count - 1]!]!) continue;
    let place = classes.length;
    while (place > 0 && scores[classes[place - 1]!]! < score) place--;
    classes.splice(place, 0, i);
    if (classes.length > count) classes.pop();
  }
  const last = scores[classes[classes.length - 1]!]!;
  if (scores[classes[0]!] === -Infinity) return NONE;
  let atLeast = 0;
  for (const score of scores) if (score >= last) atLeast++;
  return { classes, isTied: atLeast > classes.length };
}
