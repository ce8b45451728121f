import type { AffineScheme } from '../affine.js';
import { bitsOf } from '../affine.js';
import type { Histogram } from '../histogram.js';
import type { Range, TensorStats } from './observer.js';

/**
 * Range whose quantized distribution has the least Kullback-Leibler divergence from the observed one, the method of
 * TensorRT's calibrator (S. Migacz, "8-bit Inference with TensorRT", GTC 2017; NVIDIA pytorch-quantization).
 *
 * For a range, P is the histogram cut there with everything beyond counted in its end bins; Q is the cut histogram
 * merged into as many equal levels as the type has codes and spread back over the bins that were not empty. Ranges
 * from one bin per level up to all bins are searched; on equal divergence the wider wins. Symmetric schemes take |x|
 * and the codes of one sign (128 for 8 bits). Asymmetric ones take the values as they are and all codes: first with
 * the same limit on both sides, where the data reach it, then each side by itself.
 *
 * The bin of zero is replaced by its neighbour, as NVIDIA does: zeros are exact under every candidate, and counting
 * the many that a ReLU makes would reward whatever keeps them apart from small values. Values clipped to an end bin
 * that was empty are compared with `EMPTY` counts there, as ONNX Runtime smooths; NVIDIA takes such ranges as
 * infinitely bad and so keeps outliers that lie apart.
 *
 * With more levels than bins (16 bits) no candidate shows any rounding, and the range is that of min-max. It also
 * tends to min-max for tensors of few values, where most bins hold one or none and merging them seems to lose nothing.
 */
export function entropyRange(stats: TensorStats, histogram: Histogram, scheme: AffineScheme): Range {
  const { min, max } = stats;
  const { grid } = histogram;
  const counts = scheme.symmetric ? histogram.magnitudes() : histogram.counts.slice();
  const zero = scheme.symmetric ? 0 : grid.zeroPoint;
  const neighbours = [counts[zero - 1], counts[zero + 1]].filter((count) => count !== undefined);
  counts[zero] = neighbours.reduce((sum, count) => sum + count, 0) / neighbours.length;
  const levels = 2 ** (scheme.symmetric ? bitsOf(scheme.dtype) - 1 : bitsOf(scheme.dtype));

  const kept = leastDivergence(counts, zero, levels);
  if (kept === undefined) return { rmin: min, rmax: max };
  const lower = -(kept.below + 0.5) * grid.scale;
  const upper = (kept.above + 0.5) * grid.scale;
  if (!scheme.symmetric) return { rmin: Math.max(lower, min), rmax: Math.min(upper, max) };
  const absmax = Math.min(upper, Math.max(-min, max));
  return { rmin: -absmax, rmax: absmax };
}

/** Counts that an empty bin stands for. */
const EMPTY = 1e-4;

/** Candidates of the first search of a limit, evenly spread; the surroundings of the best are then searched finer. */
const COARSE_CANDIDATES = 128;

/** Bins kept on each side of the bin of zero. */
interface Kept {
  readonly below: number;
  readonly above: number;
}

/** Undefined when there are not more bins than levels, or no counts: nothing speaks for any clipping. */
function leastDivergence(counts: Float64Array, zero: number, levels: number): Kept | undefined {
  const sums = new CumulativeSums(counts);
  const above = counts.length - 1 - zero;
  if (sums.counts[counts.length] === 0 || counts.length <= levels) return undefined;
  const divergenceOf = (kept: Kept): number =>
    divergence(counts, sums, zero - kept.below, zero + kept.above + 1, levels);
  const both = (reach: number): Kept => ({ below: Math.min(zero, reach), above: Math.min(above, reach) });

  let narrowest = 0;
  while (both(narrowest).below + both(narrowest).above + 1 < levels) narrowest++;
  const joint = both(searchLimit(narrowest, Math.max(zero, above), (reach) => divergenceOf(both(reach))));
  if (zero === 0) return joint;
  const below = searchLimit(Math.max(0, levels - 1 - joint.above), zero, (reach) =>
    divergenceOf({ below: reach, above: joint.above }),
  );
  return {
    below,
    above: searchLimit(Math.max(0, levels - 1 - below), above, (reach) =>
      divergenceOf({ below, above: reach }),
    ),
  };
}

/** The limit in [narrowest, widest] of the least divergence, the widest such. */
function searchLimit(narrowest: number, widest: number, divergenceAt: (reach: number) => number): number {
  let best = widest;
  let least = divergenceAt(widest);
  let from = narrowest;
  let to = widest;
  let stride = Math.ceil((widest - narrowest + 1) / COARSE_CANDIDATES);
  for (;;) {
    for (let reach = to; reach >= from; reach -= stride) {
      const candidate = divergenceAt(reach);
      if (candidate < least || (candidate === least && reach > best)) {
        least = candidate;
        best = reach;
      }
    }
    if (stride === 1) return best;
    from = Math.max(narrowest, best - stride + 1);
    to = Math.min(widest, best + stride - 1);
    stride = Math.ceil(stride / 8);
  }
}

/** Sums over bins [0, i) at index i, so that the sums over any level are two reads each. */
class CumulativeSums {
  readonly counts: Float64Array;
  readonly filled: Float64Array;
  /** Of c * ln(c). */
  readonly selfInformation: Float64Array;

  constructor(counts: Float64Array) {
    this.counts = new Float64Array(counts.length + 1);
    this.filled = new Float64Array(counts.length + 1);
    this.selfInformation = new Float64Array(counts.length + 1);
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      this.counts[i + 1] = this.counts[i]! + count;
      this.filled[i + 1] = this.filled[i]! + (count > 0 ? 1 : 0);
      this.selfInformation[i + 1] = this.selfInformation[i]! + xLogX(count);
    }
  }
}

function xLogX(x: number): number {
  return x > 0 ? x * Math.log(x) : 0;
}

/**
 * KL(P || Q) for the bins [first, end). With c the kept counts, S and n a level's sum and number of filled bins,
 * q = S / n there, N all counts and M the kept ones:
 * N * KL = sum(c ln c) - sum over levels(S ln(S / n)) + N ln(M / N) + what the clipped counts change in the end bins.
 */
function divergence(
  counts: Float64Array,
  sums: CumulativeSums,
  first: number,
  end: number,
  levels: number,
): number {
  const kept = end - first;
  const all = sums.counts[counts.length]!;
  const keptCounts = sums.counts[end]! - sums.counts[first]!;
  if (keptCounts === 0) return Infinity;

  let total = sums.selfInformation[end]! - sums.selfInformation[first]! + all * Math.log(keptCounts / all);
  let firstDensity = 0;
  let lastDensity = 0;
  let from = first;
  for (let level = 0; level < levels; level++) {
    const to = first + Math.ceil(((level + 1) * kept) / levels);
    const sum = sums.counts[to]! - sums.counts[from]!;
    const density = sum > 0 ? sum / (sums.filled[to]! - sums.filled[from]!) : 0;
    if (sum > 0) total -= sum * Math.log(density);
    if (level === 0) firstDensity = density;
    lastDensity = density;
    from = to;
  }
  total += endBin(counts[first]!, sums.counts[first]!, firstDensity);
  total += endBin(counts[end - 1]!, all - sums.counts[end]!, lastDensity);
  return total / all;
}

/** Change of sum(p ln(p / q)) when `clipped` counts are added to an end bin of `count` values and density q. */
function endBin(count: number, clipped: number, density: number): number {
  if (clipped === 0) return 0;
  return xLogX(count + clipped) - xLogX(count) - clipped * Math.log(count > 0 ? density : EMPTY);
}
