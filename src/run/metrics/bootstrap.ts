/**
 * The Poisson bootstrap: resampling samples that are never held.
 *
 * In a bootstrap of n samples each is drawn Binomial(n, 1/n) times, nearly Poisson(1). So every sample gets such a weight in each
 * replicate when it comes by, and sums are kept by replicate. (Chamandy et al., Estimating Uncertainty for Massive Data Streams, 2012.)
 * A weight follows from the sample's index and the replicate's number alone: all networks, all metrics and all shards see the same
 * resamplings, so that their differences are paired.
 */

import { requireLength, type ResampledState } from './scorer-state.js';

export const DEFAULT_REPLICATES = 1000;

/** Of metrics that must sort or scan what they keep in each replicate: about three seconds, and what an interval still needs. */
const MAX_STEPS = 3e8;
const FEWEST_REPLICATES = 50;

/** As many replicates as the time allows, and a note for the description when they are fewer than wanted. */
export function affordableReplicates(
  wanted: number | undefined,
  stepsEach: number,
): { readonly count: number; readonly note: string } {
  const most = wanted ?? DEFAULT_REPLICATES;
  const count = Math.min(most, Math.max(FEWEST_REPLICATES, Math.floor(MAX_STEPS / Math.max(1, stepsEach))));
  return {
    count,
    note: count < most ? `; interval from ${count} resamplings, since there is much to resample` : '',
  };
}

/** floor(2^32 * P(Poisson(1) <= k)) for k = 0..11; a draw of 32 bits is larger than the last once in 2^32 times. */
const CUMULATIVE = cumulativePoisson();

function cumulativePoisson(): Float64Array {
  const limits = new Float64Array(12);
  let term = Math.exp(-1);
  let sum = 0;
  for (let k = 0; k < limits.length; k++) {
    sum += term;
    limits[k] = Math.floor(2 ** 32 * sum);
    term /= k + 1;
  }
  return limits;
}

/** A bijection of 32 bits without visible structure: Chris Wellons' lowbias32, in the public domain. */
function mix(word: number): number {
  let x = word;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Weights of one sample in all replicates. */
export function weightsOfSample(index: number, into: Uint8Array): Uint8Array {
  const key = mix(index);
  for (let replicate = 0; replicate < into.length; replicate++) into[replicate] = draw(key, replicate);
  return into;
}

/** Weights of samples in one replicate: what weightsOfSample gives, the other way round. */
export function weightsOfReplicate(
  indices: ArrayLike<number>,
  replicate: number,
  into: Uint8Array,
): Uint8Array {
  for (let i = 0; i < indices.length; i++) into[i] = draw(mix(indices[i]!), replicate);
  return into;
}

function draw(key: number, replicate: number): number {
  // Samples and replicates are mixed apart before they meet, else sample 1 in replicate 2 would be sample 2 in replicate 1.
  const bits = mix(key ^ mix(~replicate));
  let weight = 0;
  while (weight < CUMULATIVE.length && bits >= CUMULATIVE[weight]!) weight++;
  return weight;
}

/** Sums over samples, and over each resampling of them. Columns come into being with their first value. */
export class ResampledSums {
  readonly #replicates: number;
  readonly #totals: number[] = [];
  readonly #columns: (Float64Array | undefined)[] = [];

  constructor(replicates: number) {
    this.#replicates = replicates;
  }

  /** `weights`: the sample's, one per replicate. */
  add(column: number, value: number, weights: Uint8Array): void {
    if (value === 0) return;
    this.#totals[column] = (this.#totals[column] ?? 0) + value;
    const sums = (this.#columns[column] ??= new Float64Array(this.#replicates));
    for (let replicate = 0; replicate < sums.length; replicate++)
      sums[replicate]! += weights[replicate]! * value;
  }

  total(column: number): number {
    return this.#totals[column] ?? 0;
  }

  get state(): ResampledState {
    return this.#columns.flatMap((replicates, column) =>
      replicates === undefined ? [] : [{ column, total: this.total(column), replicates }],
    );
  }

  merge(state: ResampledState): void {
    for (const { column, total, replicates } of state) {
      requireLength(replicates, this.#replicates);
      this.#totals[column] = this.total(column) + total;
      const sums = (this.#columns[column] ??= new Float64Array(this.#replicates));
      for (let replicate = 0; replicate < sums.length; replicate++)
        sums[replicate]! += replicates[replicate]!;
    }
  }

  /** `statistic` of every replicate; NaN where it has none. */
  replicates(statistic: (sum: (column: number) => number) => number | undefined): Float64Array {
    const values = new Float64Array(this.#replicates);
    for (let replicate = 0; replicate < values.length; replicate++)
      values[replicate] = statistic((column) => this.#columns[column]?.[replicate] ?? 0) ?? NaN;
    return values;
  }
}
