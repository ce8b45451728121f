/**
 * Exponential moving average of the range of each sample, seeded by the first sample:
 * m <- momentum * m + (1 - momentum) * sample.
 *
 * `momentum` as TensorFlow's `momentum`/`ema_decay`; PyTorch's `averaging_constant` is 1 - momentum; ONNX Runtime's
 * CalibMovingAverage is an arithmetic mean and not this. The order of the samples matters, and samples are clipped
 * where their own range exceeds the average.
 */
export class MovingAverage {
  readonly momentum: number;
  #min: number | undefined;
  #max: number | undefined;

  /** @throws RangeError unless 0 <= momentum < 1 */
  constructor(momentum: number) {
    if (!(momentum >= 0 && momentum < 1)) throw new RangeError(`momentum is ${momentum}, wants 0 <= m < 1`);
    this.momentum = momentum;
  }

  /** Takes in the smallest and largest value of one sample. */
  update(min: number, max: number): void {
    this.#min = this.#blend(this.#min, min);
    this.#max = this.#blend(this.#max, max);
  }

  /** Undefined before the first sample. */
  get min(): number | undefined {
    return this.#min;
  }

  get max(): number | undefined {
    return this.#max;
  }

  #blend(average: number | undefined, value: number): number {
    return average === undefined ? value : this.momentum * average + (1 - this.momentum) * value;
  }
}
