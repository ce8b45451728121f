/** Whether two sets of weights are the same but for a factor and for what a quantizer did to them. */
import { floatsOf } from './elementwise.js';
import type { Kernel } from './kernel.js';
import type { Unit } from './units.js';

/** Order in which the input features of two kernels are compared: by what they stand for, or as they are stored. */
export type FeatureOrder = 'named' | 'plain';
export const FEATURE_ORDERS: readonly FeatureOrder[] = ['named', 'plain'];

/**
 * Pearson's correlation; undefined when one of them is constant or holds what is no number.
 *
 * @param every reads one of so many values
 */
export function correlationOf(a: ArrayLike<number>, b: ArrayLike<number>, every = 1): number | undefined {
  const sums = new Sums();
  for (let i = 0; i < a.length && i < b.length; i += every) sums.add(a[i] ?? 0, b[i] ?? 0);
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

/** Places of a kernel that are looked at. */
export const LOOK = 8192;

const samples = new WeakMap<Unit, Partial<Record<FeatureOrder, Float32Array>>>();

/**
 * Values of the kernel at up to LOOK places, the same places in every kernel with as many channels and features; with what is folded
 * behind it. Read once: reading the constants of a file may mean dequantizing them.
 */
function sampledKernel(unit: Unit, order: FeatureOrder): Float32Array | undefined {
  const known = samples.get(unit);
  if (known !== undefined) return known[order];
  const { kernel, folded } = unit;
  const values = kernel === undefined ? undefined : floatsOf(kernel.data);
  const taken: Partial<Record<FeatureOrder, Float32Array>> = {};
  samples.set(unit, taken);
  if (kernel === undefined || values === undefined) return undefined;
  const total = kernel.channels * kernel.features;
  for (const each of FEATURE_ORDERS) {
    const features = offsetsIn(kernel, each);
    if (each === 'plain' && isSorted(kernel)) {
      if (taken.named !== undefined) taken.plain = taken.named;
      break;
    }
    taken[each] = Float32Array.from({ length: Math.min(LOOK, total) }, (_, i) => {
      // All places when they fit, else spread by the golden ratio: equal steps would meet the same tap again and again.
      const place = total <= LOOK ? i : Math.floor(((i * 0.6180339887498949) % 1) * total);
      const channel = Math.floor(place / kernel.features);
      const offset = (kernel.channelOffset[channel] ?? 0) + (features[place % kernel.features] ?? 0);
      return (values[offset] ?? 0) * (folded?.scale[channel] ?? 1);
    });
  }
  return taken[order];
}

/** Whether both orders are the same. */
export function isSorted({ featureOffset, plainOffset }: Kernel): boolean {
  return featureOffset.every((offset, i) => offset === plainOffset[i]);
}

function offsetsIn(kernel: Kernel, order: FeatureOrder): Int32Array {
  return order === 'named' ? kernel.featureOffset : kernel.plainOffset;
}

/** Of two kernels of one kind, each with what is folded into it. */
export function kernelCorrelation(a: Unit, b: Unit, order: FeatureOrder, every = 1): number | undefined {
  const [left, right] = [sampledKernel(a, order), sampledKernel(b, order)];
  return left === undefined || right === undefined ? undefined : correlationOf(left, right, every);
}
