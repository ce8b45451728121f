/** Seeded data for the tests of src/quant, repeated from fixtures/quant/observers.py. */
import { quantize } from '../../src/quant/affine.js';
import type { BinGrid } from '../../src/quant/histogram.js';
import { binGrid, Histogram } from '../../src/quant/histogram.js';

/** mulberry32: uniform in [0, 1) with 32 bits, the same in Python. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** Whole number in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  /** Nearly standard normal: the sum of twelve uniform numbers, minus 6. */
  bell(): number {
    let sum = 0;
    for (let i = 0; i < 12; i++) sum += this.uniform();
    return sum - 6;
  }
}

const cube = (x: number): number => x * x * x;

export const SAMPLES = {
  uniform: (random: Random) => random.uniform() * 3 - 1,
  bell: (random: Random) => random.bell(),
  relu: (random: Random) => Math.max(0, random.bell()),
  sparse: (random: Random) => (random.uniform() < 0.95 ? 0 : random.bell()),
  heavy: (random: Random) => cube(random.bell()),
  shifted: (random: Random) => 10 + random.bell() / 8,
  outliers: (random: Random, i: number) => (i === 0 ? -40 : i === 1 ? 60 : random.bell()),
} as const;
export type SampleName = keyof typeof SAMPLES;
export const SAMPLE_NAMES = Object.keys(SAMPLES) as readonly SampleName[];

export function samples(name: SampleName, count: number): Float32Array {
  const random = new Random(1 + SAMPLE_NAMES.indexOf(name));
  return Float32Array.from({ length: count }, (_, i) => SAMPLES[name](random, i));
}

export function extremes(x: Float32Array): { readonly min: number; readonly max: number } {
  return {
    min: x.reduce((low, value) => Math.min(low, value), Infinity),
    max: x.reduce((high, value) => Math.max(high, value), -Infinity),
  };
}

/** Codes as the model run makes them: QuantizeLinear to uint16 with the scale and zero point of the grid. */
export function gridCodes(x: Float32Array, grid: BinGrid): Uint16Array {
  return Uint16Array.from(
    quantize(x, [x.length], {
      dtype: 'uint16',
      qmin: 0,
      qmax: 65535,
      granularity: { kind: 'per-tensor' },
      scale: Float32Array.of(grid.scale),
      zeroPoint: Int32Array.of(grid.zeroPoint),
      source: 'fixed',
    }),
  );
}

export function histogramOf(x: Float32Array, bins?: number): Histogram {
  const { min, max } = extremes(x);
  const histogram = new Histogram(binGrid(min, max, bins));
  histogram.add(gridCodes(x, histogram.grid));
  return histogram;
}

/** Pooled SQNR of `y` as an approximation of `x`, in dB. */
export function sqnrDb(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < x.length; i++) {
    signal += x[i]! ** 2;
    noise += (x[i]! - y[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
