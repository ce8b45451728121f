/**
 * Transcendental functions of gemmlowp's fixed-point library on plain numbers. Source: gemmlowp fixedpoint/fixedpoint.h.
 *
 * A value with m integer bits is an integer in [-2^(bits-1), 2^(bits-1)) that stands for integer / 2^(bits-1-m).
 */
import { clamp, highMul16, highMul32, roundingDivideByPot } from './fixed-point.js';

/** The library's templates, for one width of the raw integers. */
export interface FixedPointMath {
  /** 1 / (1 + x) for x in [0, 1), both with 0 integer bits. */
  reciprocalOfOnePlus(x: number): number;
  /** tanh of a value with `integerBits`; the result has 0. */
  tanh(x: number, integerBits: number): number;
  /** 1 / (1 + exp(-x)) of a value with `integerBits`; the result has 0. */
  logistic(x: number, integerBits: number): number;
}

/** Constants are written as 32-bit numbers and rounded to the width. */
const EXP_MINUS_EIGHTH = 1895147668;
const ONE_THIRD = 715827883;
const FRACTION_48_17 = 1515870810;
const FRACTION_32_17 = -1010580540;
/** exp(-2^exponent) by exponent from -2. */
const EXP_MINUS_POT = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];

function fixedPointMath(bits: 16 | 32): FixedPointMath {
  const highest = 2 ** (bits - 1) - 1;
  const mul = bits === 16 ? highMul16 : highMul32;
  const constant = (raw: number): number => roundingDivideByPot(raw, 32 - bits);
  const saturate = (x: number): number => clamp(x, -highest - 1, highest);
  // Sums of 16-bit values saturate where the library says so; elsewhere they wrap, as they do for 32 bits.
  const wrap = (x: number): number => (bits === 16 ? (x << 16) >> 16 : x | 0);
  /** One with `integerBits`. */
  const one = (integerBits: number): number => (integerBits === 0 ? highest : 2 ** (bits - 1 - integerBits));
  /** Times 2^exponent with the integer bits kept. */
  const scale = (x: number, exponent: number): number =>
    exponent < 0 ? roundingDivideByPot(x, -exponent) : saturate(x * 2 ** exponent);

  /** exp(a) for a in [-1/4, 0). */
  function expNearZero(a: number): number {
    const x = wrap(a + 2 ** (bits - 4));
    const x2 = mul(x, x);
    const x3 = mul(x2, x);
    const x4 = mul(x2, x2);
    const tail = scale(wrap(mul(wrap(scale(x4, -2) + x3), constant(ONE_THIRD)) + x2), -1);
    const sum = constant(EXP_MINUS_EIGHTH) + mul(constant(EXP_MINUS_EIGHTH), wrap(x + tail));
    return bits === 16 ? saturate(sum) : wrap(sum);
  }

  function expOfNegative(a: number, integerBits: number): number {
    if (a === 0) return highest;
    const fractionalBits = bits - 1 - integerBits;
    const quarter = 2 ** (fractionalBits - 2);
    const modulo = (a & (quarter - 1)) - quarter;
    let result = expNearZero(scale(modulo, integerBits));
    const remainder = wrap(modulo - a);
    for (let exponent = -2; exponent < integerBits; exponent++) {
      const factor = EXP_MINUS_POT[exponent + 2] ?? 0;
      if ((remainder & (2 ** (fractionalBits + exponent))) !== 0) result = mul(result, constant(factor));
    }
    return result;
  }

  /** Newton-Raphson for 2 / (1 + x), with 2 integer bits. */
  function twiceReciprocal(x: number): number {
    // RoundingHalfSum: (a + b) / 2, ties away from zero.
    const half = roundingDivideByPot(x + highest, 1);
    let y = wrap(constant(FRACTION_48_17) + mul(half, constant(FRACTION_32_17)));
    for (let i = 0; i < 3; i++) {
      const error = wrap(one(2) - mul(half, y));
      // The product has 4 integer bits.
      y = wrap(y + scale(mul(y, error), 2));
    }
    return y;
  }

  // Exact halving by one integer bit less, then from 1 integer bit to 0.
  const reciprocalOfOnePlus = (x: number): number => scale(twiceReciprocal(x), 1);

  function tanh(x: number, integerBits: number): number {
    if (x === 0) return 0;
    const magnitude = expOfNegative(x < 0 ? x : wrap(-x), integerBits + 1);
    const result = scale(wrap(twiceReciprocal(magnitude) - one(2)), 2);
    return x < 0 ? -result : result;
  }

  function logistic(x: number, integerBits: number): number {
    if (x === 0) return constant(2 ** 30);
    const positive = reciprocalOfOnePlus(expOfNegative(x > 0 ? -x : x, integerBits));
    return x > 0 ? positive : highest - positive;
  }

  return { reciprocalOfOnePlus, tanh, logistic };
}

export const FIXED_POINT_16 = fixedPointMath(16);
export const FIXED_POINT_32 = fixedPointMath(32);
