/** Statistics of a stream of numbers in bounded memory, the same for the same stream. */
import type { ChannelStudy, ValueStudy } from './study.js';

/** Values whose repetitions are counted; those that come first. An image of 8 bits has 256. */
const MOST_COUNTED = 1024;
const PAGE = 256;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/**
 * Moments, percentiles and the commonest value. The histogram's bins are the bfloat16 numbers, so that bins are 0.8 % of the value
 * wide wherever the values lie, and no range needs to be known before.
 */
export class ValueSketch {
  #count = 0;
  /** Moments are taken around the first value: far from zero, squares would cancel. */
  #origin: number | undefined;
  #sum = 0;
  #squares = 0;
  #isWhole = true;
  #min = Infinity;
  #max = -Infinity;
  /** Bins by the upper half of a float32, in pages of one upper byte: values of one data set need few of them. */
  readonly #pages: (Float64Array | undefined)[] = new Array<Float64Array | undefined>(PAGE).fill(undefined);
  readonly #repeated = new Map<number, number>();

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Different values, the first 1024 of them. */
  get values(): Iterable<number> {
    return this.#repeated.keys();
  }

  /** Extremes that count whether all values are added or some. */
  widen(min: number, max: number): void {
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
  }

  add(values: Float64Array): void {
    const origin = (this.#origin ??= values[0]);
    if (origin === undefined) return;
    let [sum, squares] = [0, 0];
    const floats = new Float32Array(values);
    const codes = new Uint32Array(floats.buffer);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      const far = value - origin;
      sum += far;
      squares += far * far;
      const bin = (codes[i] as number) >>> 16;
      const page = (this.#pages[bin >>> 8] ??= new Float64Array(PAGE));
      page[bin & 255] = (page[bin & 255] as number) + 1;
    }
    this.#count += values.length;
    this.#sum += sum;
    this.#squares += squares;
    this.#isWhole &&= values.every(Number.isInteger);
    this.#repeat(values);
  }

  #repeat(values: Float64Array): void {
    const repeated = this.#repeated;
    for (const value of values) {
      const times = repeated.get(value);
      if (times !== undefined) repeated.set(value, times + 1);
      else if (repeated.size < MOST_COUNTED) repeated.set(value, 1);
    }
  }

  /** Adds what another one has seen, except which values it saw again. */
  merge(other: ValueSketch): void {
    if (other.#count === 0) return;
    this.widen(other.#min, other.#max);
    this.#origin ??= other.#origin ?? 0;
    const shift = (other.#origin ?? 0) - this.#origin;
    this.#squares += other.#squares + 2 * shift * other.#sum + other.#count * shift * shift;
    this.#sum += other.#sum + other.#count * shift;
    this.#count += other.#count;
    this.#isWhole &&= other.#isWhole;
    other.#pages.forEach((page, at) => {
      if (page === undefined) return;
      const own = (this.#pages[at] ??= new Float64Array(PAGE));
      page.forEach((count, bin) => {
        own[bin] = (own[bin] ?? 0) + count;
      });
    });
  }

  /** Undefined before the first value. */
  study(): ValueStudy | undefined {
    if (this.#count === 0) return undefined;
    const mean = this.#sum / this.#count;
    return {
      min: this.#min,
      max: this.#max,
      p001: this.#percentile(0.001),
      p999: this.#percentile(0.999),
      mean: mean + (this.#origin ?? 0),
      std: Math.sqrt(Math.max(0, this.#squares / this.#count - mean * mean)),
    };
  }

  /** The same with the commonest value; of equally common ones the first seen. */
  channelStudy(): ChannelStudy | undefined {
    const study = this.study();
    if (study === undefined) return undefined;
    let [mode, most] = [0, 0];
    for (const [value, times] of this.#repeated) if (times > most) [mode, most] = [value, times];
    return { ...study, mode, modeShare: most / this.#count };
  }

  #percentile(share: number): number {
    const rank = share * (this.#count - 1);
    let seen = 0;
    for (const { value, count } of this.#ascending()) {
      seen += count;
      if (seen > rank) return Math.min(this.#max, Math.max(this.#min, value));
    }
    return this.#max;
  }

  *#ascending(): Generator<{ readonly value: number; readonly count: number }> {
    for (let at = 0xffff; at >= 0x8000; at--) yield* this.#bin(at);
    for (let at = 0; at < 0x8000; at++) yield* this.#bin(at);
  }

  /** A bin by the middle of it; the bin of zero by zero. */
  *#bin(at: number): Generator<{ readonly value: number; readonly count: number }> {
    const count = this.#pages[at >>> 8]?.[at & 255] ?? 0;
    if (count === 0) return;
    bits[0] = (at & 0x7fff) === 0 ? 0 : ((at << 16) | 0x8000) >>> 0;
    yield { value: float[0] ?? 0, count };
  }
}
