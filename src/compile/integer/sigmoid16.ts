/**
 * LOGISTIC and TANH of 16-bit codes, whose outputs have scale 2^-15.
 *
 * Sources, in tensorflow/lite/kernels: activations.cc, internal/reference/integer_ops/{logistic,tanh}.h and, for inputs whose scale is
 * the fixed-point functions' own, internal/optimized/optimized_ops.h on top of gemmlowp.
 */
import { clamp } from './fixed-point.js';
import { FIXED_POINT_16 } from './gemmlowp.js';
import type { Formula } from './tables.js';

export interface Sigmoid16Spec {
  /** Of the input. */
  readonly scale: number;
}

/** Integer bits of the fixed-point functions' input: its unit is 2^-12. */
const INTEGER_BITS = 3;
const FRACTIONAL_BITS = 15 - INTEGER_BITS;

const sigmoid = (i: number): number => 65536 / (1 + Math.exp(-i / 24));

/** sigmoid_table_uint16 of internal/common.h: steps of 1/24, each moved by half of what interpolation is off in the middle. */
const SIGMOID: readonly number[] = Array.from({ length: 256 }, (_, i) =>
  i === 255 ? 65535 : Math.round(sigmoid(i) - ((sigmoid(i) + sigmoid(i + 1)) / 2 - sigmoid(i + 0.5)) / 2),
);

/** Exponent of a scale that is a power of two within a thousandth of it, as CheckedLog2 finds it. */
function log2OfPower(scale: number): number | undefined {
  const f = Math.fround;
  const log2 = f(f(Math.log(scale)) * f(1 / f(Math.log(2))));
  const rounded = Math.round(log2);
  return Math.abs(f(log2 - rounded)) < f(1e-3) ? rounded : undefined;
}

/** Factor from the input's scale to 1/24 of 2^-9: all significant bits in `multiplier`, `shift` of them behind the point. */
function inputMultiplier(scale: number): { readonly multiplier: number; readonly shift: number } {
  let multiplier = scale * 4096 * 3;
  let shift = 0;
  while (multiplier <= 32767 / 2 && shift <= 30) {
    shift += 1;
    multiplier *= 2;
  }
  return { multiplier: Math.trunc(multiplier), shift };
}

/** The table's value `steps` + `fraction` / 2^bits, times 2^bits. */
function interpolated(steps: number, fraction: number, bits: number): number {
  const from = SIGMOID[steps] ?? 65535;
  const to = SIGMOID[steps + 1] ?? 65535;
  return from * 2 ** bits + fraction * (to - from);
}

export const logistic16Of: Formula<Sigmoid16Spec> = ({ scale }) => {
  const log2 = log2OfPower(scale);
  if (log2 === -FRACTIONAL_BITS) return (x) => FIXED_POINT_16.logistic(x, INTEGER_BITS);
  const { multiplier, shift } = inputMultiplier(scale);
  const half = shift > 0 ? 2 ** (shift - 1) : 0;
  return (x) => {
    const input = Math.floor((x * multiplier + half) / 2 ** shift);
    const size = Math.abs(input);
    const steps = Math.floor(size / 512);
    const value = steps >= 255 ? 0x7fff * 2 ** 10 : interpolated(steps, size % 512, 9);
    return Math.floor((input >= 0 ? value + 512 : 2 ** 25 - value + 511) / 1024);
  };
};

export const tanh16Of: Formula<Sigmoid16Spec> = ({ scale }) => {
  const log2 = log2OfPower(scale);
  const shiftOfPower = FRACTIONAL_BITS + (log2 ?? NaN);
  if (shiftOfPower === 0 || shiftOfPower === 1) {
    return (x) => FIXED_POINT_16.tanh(clamp(x * 2 ** shiftOfPower, -32768, 32767), INTEGER_BITS);
  }
  const { multiplier, shift } = inputMultiplier(scale);
  const half = shift > 0 ? 2 ** (shift - 1) : 0;
  return (x) => {
    const input = Math.floor((x * multiplier + half) / 2 ** shift);
    const size = Math.abs(input);
    const steps = Math.floor(size / 256);
    const value = steps >= 255 ? 0xffff * 2 ** 8 : interpolated(steps, size % 256, 8);
    return Math.floor((input >= 0 ? value - 2 ** 23 + 128 : 2 ** 23 - value + 127) / 256);
  };
};
