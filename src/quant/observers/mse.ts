import type { AffineScheme } from '../affine.js';
import { paramsFromRange } from '../affine.js';
import type { Histogram } from '../histogram.js';
import { expectedNoise } from '../precision.js';
import type { Range, TensorStats } from './observer.js';

/** Neighbouring candidates of the coarse search differ by this factor. */
const RATIO = 2 ** -0.25;
/** Halvings of the bracket around the best coarse candidate: to about 0.5 % of the bound. */
const REFINEMENTS = 5;
/** Rounds of searching one bound, then the other, for asymmetric ranges. */
const ROUNDS = 3;

/**
 * Range with the least expected squared error over the observed values: what clipping costs beside what the finer
 * step saves. The error is that of `expectedNoise` under the very scale and zero point the range leads to.
 *
 * The bounds are searched from the full range inwards, in steps of 2^(1/4) until clipping alone costs more than the
 * best candidate, then finely around it: symmetric ranges by their magnitude; asymmetric ones first with the same
 * limit on both sides, then each bound in turn, as outliers on one side do not justify clipping the other.
 */
export function mseRange(stats: TensorStats, histogram: Histogram, scheme: AffineScheme): Range {
  const low = Math.min(stats.min, 0);
  const high = Math.max(stats.max, 0);
  const absmax = Math.max(-low, high);
  const cost = (rmin: number, rmax: number): Cost => {
    const params = paramsFromRange([rmin], [rmax], scheme, { kind: 'per-tensor' }, 'observer');
    const { round, clip } = expectedNoise(histogram, params);
    return { total: round + clip, clip };
  };
  if (scheme.symmetric) {
    const { bound } = searchBound(absmax, (t) => cost(-t, t));
    return { rmin: -bound, rmax: bound };
  }
  const limit = searchBound(absmax, (t) => cost(Math.max(low, -t), Math.min(high, t)));
  let rmin = Math.max(low, -limit.bound);
  let rmax = Math.min(high, limit.bound);
  if (low === 0 || high === 0) return { rmin, rmax };

  let least = limit.total;
  for (let round = 0; round < ROUNDS; round++) {
    const before = least;
    const upper = searchBound(high, (t) => cost(rmin, t));
    if (upper.total < least) {
      rmax = upper.bound;
      least = upper.total;
    }
    const lower = searchBound(-low, (t) => cost(-t, rmax));
    if (lower.total < least) {
      rmin = -lower.bound;
      least = lower.total;
    }
    if (least > 0.999 * before) break;
  }
  return { rmin, rmax };
}

interface Cost {
  readonly total: number;
  readonly clip: number;
}

/** The bound in (0, full] with the least total cost, found as `mseRange` says. */
function searchBound(
  full: number,
  cost: (bound: number) => Cost,
): { readonly bound: number; readonly total: number } {
  let bound = full;
  let total = cost(full).total;
  const consider = (candidate: number): Cost => {
    const found = cost(candidate);
    if (found.total < total) {
      bound = candidate;
      total = found.total;
    }
    return found;
  };
  // Below 2^-16 of the full range the histogram has nothing left to tell.
  for (let t = full * RATIO; t > full * 2 ** -16; t *= RATIO) if (consider(t).clip > total) break;
  let factor = RATIO;
  for (let i = 0; i < REFINEMENTS; i++) {
    factor = Math.sqrt(factor);
    const centre = bound;
    consider(centre * factor);
    consider(Math.min(full, centre / factor));
  }
  return { bound, total };
}
