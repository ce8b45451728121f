/** How another implementation's values of one tensor differ from simulated ones, summed over samples in float64. */
import { sqnr } from '../../ir/sums.js';
import { dequantize, quantize } from '../../quant/affine.js';
import type { Agreement, OtherTensor } from '../other-run.js';
import type { Target } from './targets.js';

export type Values = Float32Array | Float64Array;

/** Of float tensors, what counts as a difference: sums in another order are this far apart. */
const FLOAT_TOLERANCE = 1e-6;
/** Integer kernels round differently by design; more than this is more than rounding. */
const FAR = 2;

interface Energies {
  signal: number;
  error: number;
}

export class OtherSums {
  readonly target: Target;
  #values = 0;
  #differing = 0;
  #beyondTwoCodes = 0;
  #maxCodes = 0;
  #nonFinite = 0;
  #nonFiniteOfReference = 0;
  readonly #simulated: Energies = { signal: 0, error: 0 };
  #reference: Energies | undefined;

  constructor(target: Target) {
    this.target = target;
  }

  /** Seen so far. */
  get values(): number {
    return this.#values;
  }

  get differs(): boolean {
    return this.#differing > 0;
  }

  /**
   * One sample. All arrays have the elements of the tensor in its order of axes.
   *
   * @param simulated what the simulation computes
   * @param actual the other implementation's codes, or its values
   * @param reference what the values should be
   */
  add(simulated: Values, actual: Int32Array | Values, reference: Values | undefined): void {
    this.#values += actual.length;
    const { coding, dims } = this.target;
    if (coding === undefined) {
      if (actual instanceof Int32Array) throw new RangeError(`${this.target.name} has no codes`);
      this.#countFloats(simulated, actual);
      this.#addEnergies(simulated, actual, reference);
      return;
    }
    const codes =
      actual instanceof Int32Array ? actual : quantize(Float32Array.from(actual), dims, coding.decode);
    const wanted = quantize(Float32Array.from(simulated), dims, coding.encode);
    this.#countCodes(wanted, codes, actual);
    const values = actual instanceof Int32Array ? dequantize(actual, dims, coding.decode) : actual;
    this.#addEnergies(dequantize(wanted, dims, coding.decode), values, reference);
  }

  #countCodes(wanted: Int32Array, codes: Int32Array, actual: Int32Array | Values): void {
    for (let i = 0; i < codes.length; i++) {
      // No code stands for a NaN, and an infinite value is off by more than codes can say.
      if (!Number.isFinite(actual[i])) {
        this.#differing++;
        this.#beyondTwoCodes++;
        continue;
      }
      const apart = Math.abs(codes[i]! - wanted[i]!);
      if (apart === 0) continue;
      this.#differing++;
      if (apart > FAR) this.#beyondTwoCodes++;
      if (apart > this.#maxCodes) this.#maxCodes = apart;
    }
  }

  #countFloats(simulated: Values, actual: Values): void {
    let largest = 0;
    for (const value of simulated) {
      const magnitude = Math.abs(value);
      if (magnitude > largest && magnitude < Infinity) largest = magnitude;
    }
    const tolerance = largest * FLOAT_TOLERANCE;
    for (let i = 0; i < actual.length; i++) {
      const [a, b] = [simulated[i]!, actual[i]!];
      // The same infinity or NaN on both sides is no difference.
      if (Math.abs(a - b) > tolerance || (Number.isFinite(a - b) ? false : !Object.is(a, b)))
        this.#differing++;
    }
  }

  #addEnergies(simulated: Values, actual: Values, reference: Values | undefined): void {
    if (reference !== undefined) this.#reference ??= { signal: 0, error: 0 };
    for (let i = 0; i < actual.length; i++) {
      const value = actual[i]!;
      const wanted = simulated[i]!;
      const error = value - wanted;
      if (!Number.isFinite(error)) {
        if (!Object.is(value, wanted)) this.#nonFinite++;
        continue;
      }
      this.#simulated.signal += wanted * wanted;
      this.#simulated.error += error * error;
    }
    if (reference === undefined || this.#reference === undefined) return;
    for (let i = 0; i < actual.length; i++) {
      const wanted = reference[i]!;
      const error = actual[i]! - wanted;
      if (!Number.isFinite(error)) {
        if (!Object.is(actual[i], wanted)) this.#nonFiniteOfReference++;
        continue;
      }
      this.#reference.signal += wanted * wanted;
      this.#reference.error += error * error;
    }
  }

  /** @param read how the other implementation's values were taken, where that is not plain */
  result(inputsDiffer: boolean, read?: string): OtherTensor {
    const { name, node, op, coding } = this.target;
    return {
      tensor: name,
      node,
      op,
      values: this.#values,
      differing: this.#differing,
      ...(coding === undefined ? {} : { beyondTwoCodes: this.#beyondTwoCodes, maxCodes: this.#maxCodes }),
      ...(this.#nonFinite === 0 ? {} : { nonFinite: this.#nonFinite }),
      simulated: agreement(this.#simulated, this.#nonFinite),
      ...(this.#reference === undefined
        ? {}
        : { reference: agreement(this.#reference, this.#nonFiniteOfReference) }),
      ...(this.#differing === 0 ? {} : { inputsDiffer }),
      ...(read === undefined ? {} : { read }),
    };
  }
}

/**
 * SQNR of energies pooled over samples.
 *
 * @param nonFinite values that are left out of the energies, being NaN or infinite on one side only
 */
export function agreement({ signal, error }: Energies, nonFinite: number): Agreement {
  return error === 0 && nonFinite > 0 ? {} : sqnr(signal, error);
}
