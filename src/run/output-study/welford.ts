/** Mean, variance and range of every element of a tensor over samples, without keeping the samples. */

/** Welford's updates: https://doi.org/10.1080/00401706.1962.10490022. Values that are not finite spoil their element only. */
export class Welford {
  readonly count: number;
  readonly #mean: Float64Array;
  /** Sum of squared differences from the mean. */
  readonly #squares: Float64Array;
  readonly #min: Float32Array;
  readonly #max: Float32Array;
  #samples = 0;

  constructor(count: number) {
    this.count = count;
    this.#mean = new Float64Array(count);
    this.#squares = new Float64Array(count);
    this.#min = new Float32Array(count).fill(Infinity);
    this.#max = new Float32Array(count).fill(-Infinity);
  }

  add(values: Float32Array): void {
    this.#samples++;
    for (let i = 0; i < this.count; i++) {
      const value = values[i] as number;
      const before = this.#mean[i] as number;
      const mean = before + (value - before) / this.#samples;
      this.#mean[i] = mean;
      this.#squares[i] = (this.#squares[i] as number) + (value - before) * (value - mean);
      if (value < (this.#min[i] as number)) this.#min[i] = value;
      if (value > (this.#max[i] as number)) this.#max[i] = value;
    }
  }

  /** Unbiased; NaN where a value was not finite, 0 for a single sample. */
  varianceOf(i: number): number {
    return (this.#squares[i] as number) / Math.max(1, this.#samples - 1);
  }

  /** Mean over the elements, without those that had a value that is not finite; 0 where all had. */
  get meanVariance(): number {
    let sum = 0;
    let elements = 0;
    for (let i = 0; i < this.count; i++) {
      const variance = this.varianceOf(i);
      if (!Number.isFinite(variance)) continue;
      sum += variance;
      elements++;
    }
    return elements === 0 ? 0 : sum / elements;
  }

  /** Largest minus smallest value of an element; NaN where one was not finite. */
  rangeOf(i: number): number {
    return Number.isFinite(this.#squares[i]) ? (this.#max[i] as number) - (this.#min[i] as number) : NaN;
  }

  /** Of all finite values. */
  get lowest(): number {
    return this.#extreme(this.#min, Math.min, Infinity);
  }

  get highest(): number {
    return this.#extreme(this.#max, Math.max, -Infinity);
  }

  #extreme(ends: Float32Array, pick: (a: number, b: number) => number, none: number): number {
    let extreme = none;
    ends.forEach((end, i) => {
      if (Number.isFinite(this.#squares[i])) extreme = pick(extreme, end);
    });
    return Number.isFinite(extreme) ? extreme : 0;
  }
}
