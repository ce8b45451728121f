/**
 * Histograms of activations over a fixed range.
 *
 * The values are binned by the model run itself, with a QuantizeLinear to uint16 against `binGrid` of the range a
 * first pass saw; only the codes are counted here. Bins are therefore centred on multiples of the grid's scale and
 * zero, which every quantizer represents exactly, is a bin centre and not an edge.
 */
import { roundHalfEven } from './affine.js';
import { interpolate, percentileRank } from './quantile.js';

/**
 * Bins of a histogram. A symmetric range leaves half of them to |x|: 4096, twice the 2048 that KL-divergence
 * calibration is specified with, so that a tensor whose outliers reach 32 times its bulk still has 128 bins, the
 * int8 levels of one sign, below the outliers. A half bin is 1/64 of the step of an 8-bit quantizer over the same
 * range. More would cost memory (64 KiB a tensor now) and time per sample to merge, and change no 8-bit range.
 */
export const HISTOGRAM_BINS = 8192;

/** Affine code grid of a histogram: value x falls into bin roundHalfEven(x / scale) + zeroPoint. */
export interface BinGrid {
  readonly bins: number;
  /** Distance of bin centres: a float32 number, in the unit of the values. */
  readonly scale: number;
  /** Bin of zero. */
  readonly zeroPoint: number;
  /** Centre of bin 0, exactly (0 - zeroPoint) * scale. */
  readonly lo: number;
  /** Centre of the last bin. */
  readonly hi: number;
}

/**
 * Grid for values in [min, max], widened to contain zero. The scale spreads the range over one bin less than there
 * are, so that no rounding (of the scale, the zero point or the quotient) takes a value of the range past the last
 * bin. A range too small for a normal float32 scale gets scale 1: all its values are in the bin of zero.
 *
 * @param bins 3 to 65536, the codes of uint16
 * @throws RangeError for bounds that are not finite or not in order, and for other numbers of bins
 */
export function binGrid(min: number, max: number, bins: number = HISTOGRAM_BINS): BinGrid {
  if (!Number.isInteger(bins) || bins < 3 || bins > 65536) {
    throw new RangeError(`histogram of ${bins} bins, wants 3 to 65536`);
  }
  const low = Math.min(Math.fround(min), 0);
  const high = Math.max(Math.fround(max), 0);
  if (!Number.isFinite(high - low) || min > max) {
    throw new RangeError(`histogram range is [${min}, ${max}], wants finite float32 bounds in order`);
  }
  const step = Math.fround((high - low) / (bins - 2));
  const scale = step < 2 ** -126 ? 1 : step;
  const zeroPoint = roundHalfEven(Math.fround(-low / scale));
  return { bins, scale, zeroPoint, lo: (0 - zeroPoint) * scale, hi: (bins - 1 - zeroPoint) * scale };
}

/** Counts of one tensor over all samples. Histograms of the same grid add up: over samples, shards and machines. */
export class Histogram {
  readonly grid: BinGrid;
  /** Values per bin; whole numbers, exact up to 2^53. */
  readonly counts: Float64Array;

  constructor(grid: BinGrid) {
    this.grid = grid;
    this.counts = new Float64Array(grid.bins);
  }

  /** Values counted. */
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Value at the centre of a bin. */
  centre(bin: number): number {
    return (bin - this.grid.zeroPoint) * this.grid.scale;
  }

  /** Counts the codes of one sample. Codes past the last bin, which only values outside the range have, go to the last. */
  add(codes: Uint8Array | Uint16Array): void {
    const { counts } = this;
    if (codes instanceof Uint16Array && codes.length > counts.length) {
      addPairwise(codes, counts);
      return;
    }
    const last = counts.length - 1;
    for (let i = 0; i < codes.length; i++) counts[Math.min(codes[i]!, last)]!++;
  }

  /** @throws RangeError when `other` was counted on another grid */
  merge(other: Histogram): void {
    const { bins, scale, zeroPoint } = this.grid;
    if (other.grid.bins !== bins || other.grid.scale !== scale || other.grid.zeroPoint !== zeroPoint) {
      throw new RangeError(
        `histograms of different grids: scale ${scale}, zero at ${zeroPoint} of ${bins} bins, ` +
          `and scale ${other.grid.scale}, zero at ${other.grid.zeroPoint} of ${other.grid.bins}`,
      );
    }
    for (let i = 0; i < bins; i++) this.counts[i]! += other.counts[i]!;
  }

  /**
   * Percentile of the counted values, 0 to 100: numpy.percentile's linear interpolation with every value moved to
   * the centre of its bin, hence within half a bin of numpy's on the values themselves.
   *
   * @throws RangeError without values
   */
  percentile(p: number): number {
    return percentileOf(this.counts, this.total, p, (bin) => this.centre(bin));
  }

  /** Percentile of the magnitudes |x|, within half a bin as well. */
  percentileAbs(p: number): number {
    return percentileOf(this.magnitudes(), this.total, p, (bin) => bin * this.grid.scale);
  }

  /** Counts of |x| in bins centred on 0, scale, 2 * scale, ... */
  magnitudes(): Float64Array {
    const { bins, zeroPoint } = this.grid;
    const folded = new Float64Array(Math.max(zeroPoint, bins - 1 - zeroPoint) + 1);
    for (let i = 0; i < bins; i++) folded[Math.abs(i - zeroPoint)]! += this.counts[i]!;
    return folded;
  }

  /**
   * How many values are exactly zero, as ReLU, padding and pruning make them: what the bin of zero holds beyond the
   * mean of its neighbours. A quantizer keeps these without any error, while all else in a bin is spread over it.
   */
  exactZeros(): number {
    const { zeroPoint } = this.grid;
    const neighbours = [this.counts[zeroPoint - 1], this.counts[zeroPoint + 1]].filter(
      (n) => n !== undefined,
    );
    const mean = neighbours.reduce((sum, count) => sum + count, 0) / neighbours.length;
    return Math.max(0, this.counts[zeroPoint]! - mean);
  }
}

function percentileOf(
  counts: Float64Array,
  total: number,
  p: number,
  centre: (bin: number) => number,
): number {
  const { rank, fraction } = percentileRank(total, p);
  let bin = 0;
  let seen = counts[0]!;
  while (seen <= rank) seen += counts[++bin]!;
  const value = centre(bin);
  if (fraction === 0) return value;
  while (seen <= rank + 1) seen += counts[++bin]!;
  return interpolate(value, centre(bin), fraction);
}

const evenCodes = new Uint32Array(65536);
const oddCodes = new Uint32Array(65536);

/**
 * Counts two codes per load into two tables: half the time of the plain loop, whose increments of one hot bin (the
 * zeros after a ReLU) wait for each other.
 */
function addPairwise(codes: Uint16Array, counts: Float64Array): void {
  const skip = codes.byteOffset % 4 === 0 ? 0 : 1;
  const pairs = new Uint32Array(codes.buffer, codes.byteOffset + 2 * skip, (codes.length - skip) >>> 1);
  for (let i = 0; i < pairs.length; i++) {
    const pair = pairs[i]!;
    evenCodes[pair & 0xffff]!++;
    oddCodes[pair >>> 16]!++;
  }
  if (skip === 1) evenCodes[codes[0]!]!++;
  if (skip + 2 * pairs.length < codes.length) oddCodes[codes[codes.length - 1]!]!++;

  const last = counts.length - 1;
  let moved = 0;
  for (let i = 0; i <= last; i++) {
    const count = evenCodes[i]! + oddCodes[i]!;
    counts[i]! += count;
    moved += count;
  }
  counts[last]! += codes.length - moved;
  const used = moved === codes.length ? counts.length : 65536;
  evenCodes.fill(0, 0, used);
  oddCodes.fill(0, 0, used);
}
