/** Ranges that no observer gives: both limits searched for over the histogram, each by itself. */
import { codeRange, paramsFromRange, type AffineScheme } from '../affine.js';
import type { Histogram } from '../histogram.js';
import type { Range, TensorStats } from '../observers/index.js';
import { expectedNoise } from '../precision.js';

/** Neighbouring candidates for a limit differ by this factor. */
const RATIO = 2 ** -0.125;
/** Down to 2^-12 of what was seen: below that a histogram of some thousand bins has nothing to tell. */
const CANDIDATES = 97;
/** Halvings of the distance between candidates around the best pair. */
const REFINEMENTS = 5;

/**
 * The range of the least expected squared error over the counted values: all pairs of a lower and an upper limit, 1.5 dB apart,
 * by a model of rounding noise (a twelfth of the squared step for each value inside) and of clipping (the bins outside, at their
 * centres); then finely around the best pair by `expectedNoise`. The observer of that name walks inwards from the full range and
 * ends in the first valley; here there may be any number.
 *
 * Undefined without a histogram.
 */
export function leastErrorRange(
  { histogram, min, max }: TensorStats,
  scheme: AffineScheme,
): Range | undefined {
  if (histogram === undefined || histogram.total === 0) return undefined;
  const [low, high] = [Math.max(0, -min), Math.max(0, max)];
  const coarse = scheme.symmetric
    ? leastSymmetric(histogram, Math.max(low, high), scheme)
    : leastPair(histogram, low, high, scheme);
  return refined(histogram, coarse, { low, high }, scheme);
}

/** Magnitudes of the two limits. */
interface Limits {
  readonly low: number;
  readonly high: number;
}

function leastPair(histogram: Histogram, low: number, high: number, scheme: AffineScheme): Limits {
  const tails = new Tails(histogram);
  const [lows, highs] = [candidates(low), candidates(high)];
  const clippedLow = lows.map((limit) => tails.below(-limit));
  const clippedHigh = highs.map((limit) => tails.above(limit));
  let best: Limits = { low, high };
  let least = Infinity;
  lows.forEach((a, i) => {
    highs.forEach((b, j) => {
      const noise = tails.rounding(a + b, scheme) + clippedLow[i]! + clippedHigh[j]!;
      if (noise < least) [best, least] = [{ low: a, high: b }, noise];
    });
  });
  return best;
}

function leastSymmetric(histogram: Histogram, absmax: number, scheme: AffineScheme): Limits {
  const tails = new Tails(histogram);
  let best = absmax;
  let least = Infinity;
  for (const limit of candidates(absmax)) {
    const noise = tails.rounding(2 * limit, scheme) + tails.below(-limit) + tails.above(limit);
    if (noise < least) [best, least] = [limit, noise];
  }
  return { low: best, high: best };
}

function candidates(full: number): number[] {
  return full === 0 ? [0] : Array.from({ length: CANDIDATES }, (_, i) => full * RATIO ** i);
}

/** Squared error of what lies outside of a limit, from sums over the bins up to each. */
class Tails {
  readonly #histogram: Histogram;
  /** Of counts, and of counts times centre and its square, over bins before the index. */
  readonly #sums: readonly [Float64Array, Float64Array, Float64Array];
  /** Values other than exact zeros, which rounding costs nothing. */
  readonly #rounded: number;

  constructor(histogram: Histogram) {
    const { counts } = histogram;
    const sums = [0, 1, 2].map(() => new Float64Array(counts.length + 1));
    for (let i = 0; i < counts.length; i++) {
      const centre = histogram.centre(i);
      sums.forEach((sum, power) => {
        sum[i + 1] = sum[i]! + counts[i]! * centre ** power;
      });
    }
    this.#histogram = histogram;
    this.#sums = sums as [Float64Array, Float64Array, Float64Array];
    this.#rounded = histogram.total - histogram.exactZeros();
  }

  rounding(width: number, scheme: AffineScheme): number {
    const { qmin, qmax } = codeRange(scheme);
    return (this.#rounded * (width / (qmax - qmin)) ** 2) / 12;
  }

  above(limit: number): number {
    const { counts } = this.#histogram;
    return this.#beyond(Math.min(counts.length, Math.max(0, this.#bin(limit) + 1)), counts.length, limit);
  }

  below(limit: number): number {
    return this.#beyond(0, Math.min(this.#histogram.counts.length, Math.max(0, this.#bin(limit))), limit);
  }

  #bin(value: number): number {
    const { scale, zeroPoint } = this.#histogram.grid;
    return Math.round(value / scale) + zeroPoint;
  }

  /** Sum of (x - limit)^2 over the bins [from, to). */
  #beyond(from: number, to: number, limit: number): number {
    const [count, sum, squares] = this.#sums.map((sums) => sums[to]! - sums[from]!) as [
      number,
      number,
      number,
    ];
    return Math.max(0, squares - 2 * limit * sum + limit * limit * count);
  }
}

function refined(histogram: Histogram, coarse: Limits, full: Limits, scheme: AffineScheme): Range {
  const cost = ({ low, high }: Limits): number => {
    const params = paramsFromRange([-low], [high], scheme, { kind: 'per-tensor' }, 'edit');
    const { round, clip } = expectedNoise(histogram, params);
    return round + clip;
  };
  const widest = scheme.symmetric
    ? { low: Math.max(full.low, full.high), high: Math.max(full.low, full.high) }
    : full;
  let best = coarse;
  let least = cost(best);
  const consider = (low: number, high: number): void => {
    const limits = { low: Math.min(low, widest.low), high: Math.min(high, widest.high) };
    const found = cost(limits);
    if (found < least) [best, least] = [limits, found];
  };
  consider(widest.low, widest.high);
  let factor = RATIO;
  for (let i = 0; i < REFINEMENTS; i++) {
    factor = Math.sqrt(factor);
    const { low, high } = best;
    for (const [a, b] of steps(factor, scheme)) consider(low * a, high * b);
  }
  return { rmin: -best.low, rmax: best.high };
}

/** Factors of the two limits around a pair. */
function steps(factor: number, { symmetric }: AffineScheme): readonly (readonly [number, number])[] {
  const [down, up] = [factor, 1 / factor];
  const both = [
    [down, down],
    [up, up],
  ] as const;
  if (symmetric) return both;
  return [...both, [down, 1], [up, 1], [1, down], [1, up], [down, up], [up, down]];
}

/** Share of all values that may lie beyond a limit, from the rarest on. */
const RARE = [1e-5, 1e-4, 1e-3];
/** A limit is worth cutting when the values within need less than this of it. */
const WORTH = 0.5;

/**
 * The range without rare values that take most of it: each limit by itself is cut to where at most a hundred thousandth (or ten
 * thousandth, or thousandth) of the values lie beyond, if half of its reach or more is then gone. The squared error may grow,
 * which is why no observer that goes by it cuts them; what the network answers often goes by the others.
 *
 * Undefined without a histogram, and where no limit is worth cutting.
 */
export function rangeWithoutRare(
  { histogram, min, max }: TensorStats,
  scheme: AffineScheme,
): Range | undefined {
  if (histogram === undefined || histogram.total === 0) return undefined;
  const [low, high] = [Math.max(0, -min), Math.max(0, max)];
  const cut: Limits = { low: reachOfMost(histogram, -1, low), high: reachOfMost(histogram, 1, high) };
  const width = ({ low: a, high: b }: Limits): number => (scheme.symmetric ? 2 * Math.max(a, b) : a + b);
  if (width(cut) === 0 || width(cut) > WORTH * width({ low, high })) return undefined;
  return { rmin: -cut.low, rmax: cut.high };
}

/** How far the values on one side of zero reach without the rare ones; `full` where those take less than half of it. */
function reachOfMost(histogram: Histogram, side: -1 | 1, full: number): number {
  const { counts, grid } = histogram;
  const total = histogram.total;
  const bins = side > 0 ? counts.length - 1 - grid.zeroPoint : grid.zeroPoint;
  let beyond = 0;
  let reach = bins;
  for (const share of RARE) {
    for (; reach > 0; reach--) {
      const outer = counts[grid.zeroPoint + side * reach]!;
      if (beyond + outer > share * total) break;
      beyond += outer;
    }
    // Up to the outer edge of its bin: all that is counted there is kept.
    const limit = Math.min(full, (reach + 0.5) * grid.scale);
    if (limit < WORTH * full) return reach === 0 ? full : limit;
  }
  return full;
}
