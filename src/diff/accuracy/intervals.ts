/** Intervals of shares, of differences of shares, and of whatever was resampled. All are two-sided, of 95 %. */
import type { PairedCounts } from '../../run/metrics/metric.js';
import type { Interval } from './accuracy.js';

/** 97.5 % of the standard normal distribution lie below. */
const Z = 1.959963984540054;

/** With fewer resamplings than this the ends of an interval are the luck of one or two of them. */
const FEWEST_REPLICATES = 40;
/** When more resamplings than this have no value, those that have one are no fair sample. */
const MOST_WITHOUT_VALUE = 0.05;

/** Samples that only one of the two networks gets right: all that tells them apart. */
export type DiscordantCounts = Pick<PairedCounts, 'onlyReference' | 'onlyCandidate'>;

/**
 * Score interval of a share, in 0..1: it never leaves that range and has a width even when all or none are hits.
 * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209-212.
 * undefined without samples.
 */
export function wilsonInterval(hits: number, samples: number): Interval | undefined {
  if (!(samples > 0)) return undefined;
  const share = hits / samples;
  const weight = (Z * Z) / samples;
  const centre = (share + weight / 2) / (1 + weight);
  const half = (Z * Math.sqrt((share * (1 - share)) / samples + weight / (4 * samples))) / (1 + weight);
  // At the ends of the range rounding must not make a 0 or 1 look like nearly that.
  return [hits <= 0 ? 0 : Math.max(0, centre - half), hits >= samples ? 1 : Math.min(1, centre + half)];
}

/**
 * Score interval of the difference of two shares of the same samples, candidate - reference, in -1..1. Valid when nothing or
 * everything differs, unlike the interval of Wald, which then has no width.
 * T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
 * Statistics in Medicine 17 (1998), 891-908. undefined without samples.
 */
export function tangoInterval(counts: DiscordantCounts, samples: number): Interval | undefined {
  if (!(samples > 0)) return undefined;
  const observed = (counts.onlyCandidate - counts.onlyReference) / samples;
  const end = (limit: -1 | 1): number => {
    let inside = observed;
    let outside: number = limit;
    if (!isOutsideScore(counts, samples, outside)) return outside;
    for (;;) {
      const middle = (inside + outside) / 2;
      if (middle === inside || middle === outside) return inside;
      if (isOutsideScore(counts, samples, middle)) outside = middle;
      else inside = middle;
    }
  };
  return [end(-1), end(1)];
}

/**
 * Whether Tango's score interval leaves out `difference`, which is candidate - reference in -1..1. `counts` need not be whole:
 * the rates of an experiment can be asked about with another number of samples.
 */
export function isOutsideScore(counts: DiscordantCounts, samples: number, difference: number): boolean {
  const { onlyCandidate, onlyReference } = counts;
  const distance = onlyCandidate - onlyReference - samples * difference;
  // The likeliest rate of `onlyReference`, were the difference this one: the larger root of 2n q² + b q + c.
  const b =
    samples * 2 * difference - difference * (onlyCandidate - onlyReference) - onlyCandidate - onlyReference;
  const c = -onlyReference * difference * (1 - difference);
  const root = Math.sqrt(Math.max(0, b * b - 8 * samples * c));
  const rate = (root - b) / (4 * samples);
  const variance = samples * (2 * rate + difference * (1 - difference));
  return distance * distance > Z * Z * Math.max(0, variance);
}

/**
 * Bias-corrected percentile interval of resamplings around `estimate`, in their unit: where a class with few samples is missing
 * from a resampling, as in a mean over classes, resamplings lie to one side of the estimate, and so would plain percentiles.
 * NaN are resamplings without a value. undefined when too few are left, or
 * too many had none: the rest would not stand for all.
 * B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979), 1-26. The weights of the samples
 * are Poisson distributed: J. A. Hanley and B. MacGibbon, "Creating non-parametric bootstrap samples using Poisson frequencies",
 * Computer Methods and Programs in Biomedicine 83 (2006), 57-62. The correction: B. Efron, "Nonparametric standard errors and
 * confidence intervals", Canadian Journal of Statistics 9 (1981), 139-158, section 7.
 */
export function bootstrapInterval(replicates: Float64Array, estimate: number): Interval | undefined {
  const sorted = replicates.filter((value) => Number.isFinite(value)).sort();
  if (sorted.length < FEWEST_REPLICATES) return undefined;
  if (replicates.length - sorted.length > MOST_WITHOUT_VALUE * replicates.length) return undefined;
  let below = 0;
  for (const value of sorted) below += value < estimate ? 1 : value === estimate ? 0.5 : 0;
  // Neither none nor all: then nothing is known about the bias but that it is large.
  const share = Math.min(Math.max(below, 0.5), sorted.length - 0.5) / sorted.length;
  const bias = normalQuantile(share);
  const low = quantile(sorted, normalShare(2 * bias - Z));
  const high = quantile(sorted, normalShare(2 * bias + Z));
  return [Math.min(low, estimate), Math.max(high, estimate)];
}

/** Share of a standard normal distribution below `z`; to 1.2e-7. W. J. Cody's erfc as in Numerical Recipes, 6.2. */
function normalShare(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.5 * x);
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
    -0.82215223, 0.17087277,
  ];
  const exponent = terms.reduceRight((sum, term) => term + t * sum, 0);
  const above = 0.5 * t * Math.exp(-x * x + exponent);
  return z > 0 ? 1 - above : above;
}

/** By bisection: the shares come from counts of a few hundred. */
function normalQuantile(share: number): number {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** What the candidate has more than the reference on each resampling; NaN where one of them has no value. */
export function pairedDifferences(reference: Float64Array, candidate: Float64Array): Float64Array {
  const length = Math.min(reference.length, candidate.length);
  return Float64Array.from({ length }, (_, i) => candidate[i]! - reference[i]!);
}

/** Between neighbours in a straight line, as numpy does by default. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (place - below);
}
