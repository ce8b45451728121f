/** How often chance alone would part two equally good networks this far, or further, to either side. */
import type { DiscordantCounts } from './intervals.js';

/** What chance does less often is called real. */
export const SIGNIFICANT = 0.05;

/**
 * McNemar's test, exact: given how many samples only one of the two gets right, each of the two is as likely to be the one.
 * Two-sided by doubling the smaller tail; not the mid-p variant, which is shorter but may reject too often. 1 when nothing differs.
 * Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages", Psychometrika 12
 * (1947), 153-157. 0 only where float64 has nothing smaller, below 1e-300.
 */
export function mcnemarExact({ onlyReference, onlyCandidate }: DiscordantCounts): number {
  const all = onlyReference + onlyCandidate;
  const fewer = Math.min(onlyReference, onlyCandidate);
  // In logarithms: the binomial coefficients of a few thousand samples exceed float64.
  let logTerm = -all * Math.LN2;
  for (let i = 1; i <= fewer; i++) logTerm += Math.log((all - fewer + i) / i);
  let tail = 0;
  let ratio = 1;
  for (let k = fewer; k >= 0 && ratio > 0; k--) {
    tail += ratio;
    ratio *= k / (all - k + 1);
  }
  return Math.min(1, 2 * tail * Math.exp(logTerm));
}

/**
 * Of resampled differences (NaN: no value): the share on the rarer side of 0, doubled; a difference of 0 is on both sides. One
 * resampling more is counted than there are, on that side, since a finite number of them never shows that something cannot be.
 * A. C. Davison and D. V. Hinkley, "Bootstrap methods and their application" (1997), 4.2.
 */
export function bootstrapPValue(differences: Float64Array): number {
  let all = 0;
  let low = 0;
  let high = 0;
  for (const difference of differences) {
    if (!Number.isFinite(difference)) continue;
    all++;
    if (difference <= 0) low++;
    if (difference >= 0) high++;
  }
  return Math.min(1, (2 * (Math.min(low, high) + 1)) / (all + 1));
}
