/**
 * Fixed-point arithmetic of TFLite's kernels on plain numbers, for tables computed ahead of time.
 *
 * Sources: gemmlowp fixedpoint/fixedpoint.h; tensorflow/lite/kernels/internal/{common.h,common.cc,quantization_util.cc}, in the
 * build without TFLITE_SINGLE_ROUNDING. All integers are exact: products of two 31-bit numbers are taken in two halves.
 */

/** A real factor as `multiplier` · 2^(`shift` - 31), with `multiplier` in [2^30, 2^31). */
export interface QuantizedMultiplier {
  readonly multiplier: number;
  /** Left shift; negative to the right. */
  readonly shift: number;
}

const INT32_MAX = 2 ** 31 - 1;
const INT32_MIN = -(2 ** 31);

/** std::round: to nearest, ties away from zero. */
export function roundHalfAway(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

export function clamp(x: number, lowest: number, highest: number): number {
  return Math.min(Math.max(x, lowest), highest);
}

/** `x` as [fraction, exponent] with fraction in [0.5, 1), of a positive finite number. */
function frexp(x: number): readonly [fraction: number, exponent: number] {
  let exponent = Math.floor(Math.log2(x)) + 1;
  let fraction = x / 2 ** exponent;
  // The logarithm is rounded: next to a power of two it may be off by one.
  if (fraction >= 1) {
    fraction /= 2;
    exponent += 1;
  } else if (fraction < 0.5) {
    fraction *= 2;
    exponent -= 1;
  }
  return [fraction, exponent];
}

/** QuantizeMultiplier: factors below about 2^-31 become 0. */
export function quantizeMultiplier(real: number): QuantizedMultiplier {
  if (real < 0) {
    const { multiplier, shift } = quantizeMultiplier(-real);
    return { multiplier: -multiplier, shift };
  }
  if (!(real > 0) || !Number.isFinite(real)) return { multiplier: 0, shift: 0 };
  const [fraction, exponent] = frexp(real);
  const fixed = roundHalfAway(fraction * 2 ** 31);
  const [multiplier, shift] = fixed === 2 ** 31 ? [2 ** 30, exponent + 1] : [fixed, exponent];
  return shift < -31 ? { multiplier: 0, shift: 0 } : { multiplier, shift };
}

/** floor((a·b + 2^30) / 2^31) for 32-bit integers: SaturatingRoundingDoublingHighMul, which is VQRDMULH. */
export function highMul32(a: number, b: number): number {
  if (a === INT32_MIN && b === INT32_MIN) return INT32_MAX;
  const high = Math.floor(b / 65536);
  const low = b - high * 65536;
  return Math.floor((a * high + Math.floor((a * low + 2 ** 30) / 65536)) / 32768);
}

/** The same for 16-bit integers. */
export function highMul16(a: number, b: number): number {
  return a === -32768 && b === -32768 ? 32767 : Math.floor((a * b + 2 ** 14) / 32768);
}

/** RoundingDivideByPOT: x / 2^exponent to nearest, ties away from zero. */
export function roundingDivideByPot(x: number, exponent: number): number {
  return roundHalfAway(x / 2 ** exponent);
}

/**
 * The same as some kernels call it, with an exponent outside of 0 to 31. That is undefined; x86 shifts 32 bits by the lower 5 bits of
 * the exponent and 64 by the lower 6.
 */
export function roundingDivideByAnyPot(x: number, exponent: number): number {
  if (exponent >= 0 && exponent <= 31) return roundingDivideByPot(x, exponent);
  // A mask of all bits leaves x as the remainder.
  const threshold = x < 0 ? 0 : -1;
  return (x >> (exponent & 31)) + (x > threshold ? 1 : 0);
}

/** MultiplyByQuantizedMultiplier on a 32-bit integer: rounds twice. What leaves 32 bits by the left shift wraps, as there. */
export function multiplyByQuantizedMultiplier(x: number, { multiplier, shift }: QuantizedMultiplier): number {
  const shifted = shift > 0 ? (x * 2 ** shift) | 0 : x;
  return roundingDivideByPot(highMul32(shifted, multiplier), Math.max(-shift, 0));
}
