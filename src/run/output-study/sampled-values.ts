/** Some of the values of an output, for percentiles and for counting different ones. */
import { percentileOf } from '../../quant/quantile.js';
import { spread } from './form.js';

/** Values of one sample that are kept. */
const PER_SAMPLE = 4096;
/** Where 98 % of the values take less of the range than this, what is beyond is the answer. */
const SPARSE = 0.1;

export class SampledValues {
  readonly #float: number[] = [];
  readonly #codes = new Set<number>();

  add(float: Float32Array, quantized: Float32Array): void {
    for (const i of spread(float.length, Math.min(float.length, PER_SAMPLE))) {
      const value = float[i] as number;
      if (Number.isFinite(value)) this.#float.push(value);
      const code = quantized[i] as number;
      if (Number.isFinite(code)) this.#codes.add(code);
    }
  }

  /** Different values of the lane. */
  get codes(): number {
    return this.#codes.size;
  }

  /** P99 - P1 of the float network's values; max - min where nearly all lie close together, as where one of many scores is high. */
  spread({ min, max }: { readonly min: number; readonly max: number }): number {
    if (this.#float.length === 0) return 0;
    const sorted = Float64Array.from(this.#float).sort();
    const inner = percentileOf(sorted, 99) - percentileOf(sorted, 1);
    return inner < SPARSE * (max - min) ? max - min : inner;
  }
}
