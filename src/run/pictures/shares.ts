/** Scores as shares of 1. */
import { leading } from '../metrics/leading.js';
import { areProbabilities } from '../metrics/probabilities.js';

export interface ClassShare {
  readonly label: number;
  readonly share: number;
}

/**
 * Of two networks, read alike: an int8 softmax need not add up to 1, though it is one. A single score is that of class 1 against 0.
 *
 * @param scores of both, finite or -Infinity
 */
export function sharesOf(scores: readonly ArrayLike<number>[]): readonly ArrayLike<number>[] {
  const [reference = []] = scores;
  if (reference.length === 1) {
    const areShares = scores.every(isWithinOne);
    return scores.map((values) => {
      const share = areShares ? values[0]! : 1 / (1 + Math.exp(-values[0]!));
      return [1 - share, share];
    });
  }
  if (areProbabilities(reference) && scores.every(isWithinOne)) return scores;
  return scores.map(softmax);
}

function softmax(scores: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < scores.length; i++) largest = Math.max(largest, scores[i]!);
  const shares = new Float64Array(scores.length);
  let sum = 0;
  for (let i = 0; i < shares.length; i++) sum += shares[i] = Math.exp(scores[i]! - largest);
  for (let i = 0; i < shares.length; i++) shares[i]! /= sum;
  return shares;
}

function isWithinOne(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!(values[i]! >= 0 && values[i]! <= 1)) return false;
  return true;
}

/** Half of the summed differences: 0 where they are equal, 1 where they have nothing in common. */
export function totalVariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!);
  return Math.min(1, sum / 2);
}

/** Best first, of equal ones the smaller class; none where a score is not finite. */
export function bestShares(shares: ArrayLike<number>, most: number): ClassShare[] {
  const { classes } = leading({ kind: 'scores', scores: Float64Array.from(shares) }, most);
  return classes.map((label) => ({ label, share: shares[label]! }));
}
