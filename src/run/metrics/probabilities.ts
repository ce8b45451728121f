/** Whether scores are probabilities already, and what they are made of them when they are not. */

/** Softmax outputs of 8 bits and a thousand classes are this far from a sum of 1. */
const SUM_TOLERANCE = 0.05;

export function areProbabilities(scores: ArrayLike<number>): boolean {
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    if (!(score >= 0 && score <= 1)) return false;
    sum += score;
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE;
}

/** log(softmax(scores)). */
export function logSoftmax(scores: ArrayLike<number>): Float64Array {
  let largest = -Infinity;
  for (let i = 0; i < scores.length; i++) largest = Math.max(largest, scores[i]!);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - largest);
  const normalizer = largest + Math.log(sum);
  return Float64Array.from(scores, (score) => score - normalizer);
}

/** log(p / (1 - p)) of p = softmax(scores): in the order of p, but without running together near 1. */
export function logOdds(scores: ArrayLike<number>): Float64Array {
  const logs = logSoftmax(scores);
  let largest = 0;
  for (let i = 0; i < logs.length; i++) if (logs[i]! > logs[largest]!) largest = i;
  let others = 0;
  for (let i = 0; i < logs.length; i++) if (i !== largest) others += Math.exp(logs[i]!);
  return logs.map((log, i) => log - (i === largest ? Math.log(others) : Math.log1p(-Math.exp(log))));
}

export function areFinite(values: ArrayLike<number>): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
