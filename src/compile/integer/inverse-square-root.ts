/** GetInvSqrtQuantizedMultiplierExp of tensorflow/lite/kernels/internal/common.h, on plain numbers. */
import { clamp, highMul32, roundingDivideByPot, type QuantizedMultiplier } from './fixed-point.js';

/** With 3 integer bits. */
export const ONE = 2 ** 28;
export const ONE_AND_A_HALF = 2 ** 28 + 2 ** 27;
/** sqrt(1/2) with 0 integer bits. */
export const SQRT_HALF = 1518500250;
export const NEWTON_STEPS = 5;

/** To 3 integer bits from `bits` more, saturating. */
const rescale = (x: number, bits: number): number => clamp(x * 2 ** bits, -(2 ** 31), 2 ** 31 - 1);

/** 1 / sqrt(`input`) of an integer from 0; 0 counts as 1. Newton-Raphson with five steps from 1, in fixed point with 3 integer bits. */
export function inverseSquareRoot(input: number): QuantizedMultiplier {
  if (input <= 1) return { multiplier: 2 ** 31 - 1, shift: 0 };
  let rightShift = 11;
  let value = input;
  while (value >= 2 ** 29) {
    value = Math.floor(value / 4);
    rightShift += 1;
  }
  const pairs = Math.floor((Math.clz32(value) - 1) / 2) - 1;
  rightShift -= pairs;
  value *= 2 ** (2 * pairs);
  const fixed = Math.floor(value / 2);
  const half = roundingDivideByPot(fixed, 1);
  let x = ONE;
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const cube = rescale(highMul32(highMul32(x, x), x), 6);
    x = rescale((highMul32(ONE_AND_A_HALF, x) - highMul32(half, cube)) | 0, 3);
  }
  const multiplier = highMul32(x, SQRT_HALF);
  return rightShift < 0
    ? { multiplier: multiplier * 2 ** -rightShift, shift: 0 }
    : { multiplier, shift: rightShift === 0 ? 0 : -rightShift };
}
