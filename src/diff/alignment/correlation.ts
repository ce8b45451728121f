/** Whether two sets of weights are the same but for a factor and for what a quantizer did to them. */
import { floatsOf } from './elementwise.js';
import type { Kernel } from './kernel.js';
import type { Unit } from './units.js';

/** Order in which the input features of two kernels are compared: by what they stand for, or as they are stored. */
export type FeatureOrder = 'named' | 'plain';

/** Pearson's correlation; undefined when one of them is constant or holds what is no number. */
export function correlationOf(a: ArrayLike<number>, b: ArrayLike<number>): number | undefined {
  const sums = new Sums();
  for (let i = 0; i < a.length && i < b.length; i++) sums.add(a[i] ?? 0, b[i] ?? 0);
  return sums.correlation();
}

class Sums {
  #n = 0;
  #a = 0;
  #b = 0;
  #aa = 0;
  #bb = 0;
  #ab = 0;

  add(a: number, b: number): void {
    this.#n++;
    this.#a += a;
    this.#b += b;
    this.#aa += a * a;
    this.#bb += b * b;
    this.#ab += a * b;
  }

  correlation(): number | undefined {
    const n = this.#n;
    const varianceA = this.#aa - (this.#a * this.#a) / n;
    const varianceB = this.#bb - (this.#b * this.#b) / n;
    // What cancels to less than rounding leaves of the squares is constant.
    if (!(varianceA > this.#aa * 1e-12) || !(varianceB > this.#bb * 1e-12)) return undefined;
    const r = (this.#ab - (this.#a * this.#b) / n) / Math.sqrt(varianceA * varianceB);
    return Number.isFinite(r) ? Math.max(-1, Math.min(1, r)) : undefined;
  }
}

/** Values of the kernel at `count` places, the same places in every kernel with as many channels and features. */
export function sampledKernel(unit: Unit, count: number, order: FeatureOrder): Float64Array | undefined {
  const { kernel, folded } = unit;
  const values = kernel === undefined ? undefined : floatsOf(kernel.data);
  if (kernel === undefined || values === undefined) return undefined;
  const total = kernel.channels * kernel.features;
  const features = offsetsIn(kernel, order);
  const result = new Float64Array(Math.min(count, total));
  for (let i = 0; i < result.length; i++) {
    // All places when they fit, else spread by the golden ratio: equal steps would meet the same tap again and again.
    const place = result.length === total ? i : Math.floor(((i * 0.6180339887498949) % 1) * total);
    const channel = Math.floor(place / kernel.features);
    const offset = (kernel.channelOffset[channel] ?? 0) + (features[place % kernel.features] ?? 0);
    result[i] = (values[offset] ?? 0) * (folded?.scale[channel] ?? 1);
  }
  return result;
}

function offsetsIn(kernel: Kernel, order: FeatureOrder): Int32Array {
  return order === 'named' ? kernel.featureOffset : kernel.plainOffset;
}

/** Of all values of two kernels of one kind, each with what is folded into it. */
export function kernelCorrelation(a: Unit, b: Unit, order: FeatureOrder): number | undefined {
  if (a.kernel === undefined || b.kernel === undefined) return undefined;
  const [left, right] = [floatsOf(a.kernel.data), floatsOf(b.kernel.data)];
  if (left === undefined || right === undefined || a.kernel.features !== b.kernel.features) return undefined;
  const [fromA, fromB] = [offsetsIn(a.kernel, order), offsetsIn(b.kernel, order)];
  const sums = new Sums();
  for (let m = 0; m < a.kernel.channels; m++) {
    const [startA, startB] = [a.kernel.channelOffset[m] ?? 0, b.kernel.channelOffset[m] ?? 0];
    const [scaleA, scaleB] = [a.folded?.scale[m] ?? 1, b.folded?.scale[m] ?? 1];
    for (let f = 0; f < fromA.length; f++) {
      sums.add((left[startA + (fromA[f] ?? 0)] ?? 0) * scaleA, (right[startB + (fromB[f] ?? 0)] ?? 0) * scaleB);
    }
  }
  return sums.correlation();
}
