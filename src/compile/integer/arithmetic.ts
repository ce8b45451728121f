/**
 * Operators on two tensors, as functions of a pair of codes. The names are those of the kernels' own variables.
 *
 * Sources, in tensorflow/lite/kernels: add.cc, sub.cc, mul.cc, div.cc, squared_difference.cc, activations.cc (PRELU) and
 * internal/reference/{add,sub,mul,div,prelu}.h, internal/reference/integer_ops/{add,mul}.h.
 */
import type { Affine } from './affine.js';
import {
  clamp,
  highMul32,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundingDivideByAnyPot,
  type QuantizedMultiplier,
} from './fixed-point.js';
import { FIXED_POINT_32 } from './gemmlowp.js';
import type { PairFormula } from './tables.js';

/** Quantizers of an operator on two tensors, and the codes that its fused activation function leaves. */
export interface PairSpec {
  readonly a: Affine;
  readonly b: Affine;
  readonly output: Affine;
  readonly range: readonly [lowest: number, highest: number];
}

/** How ADD and SUB bring both inputs to twice the larger scale, `shift` bits finer, and their sum to the output. */
export interface SumScaling {
  /** Left shift of the inputs. */
  readonly shift: number;
  readonly a: QuantizedMultiplier;
  readonly b: QuantizedMultiplier;
  readonly output: QuantizedMultiplier;
}

export function sumScaling({ a, b, output }: PairSpec): SumScaling {
  const shift = output.dtype === 'int16' ? 15 : 20;
  const twiceLargest = 2 * Math.max(a.scale, b.scale);
  return {
    shift,
    a: quantizeMultiplier(a.scale / twiceLargest),
    b: quantizeMultiplier(b.scale / twiceLargest),
    output: quantizeMultiplier(twiceLargest / (2 ** shift * output.scale)),
  };
}

/**
 * How an input is brought to the common scale: multiplied and then shifted right with rounding ('twice'), or, in vectors, without
 * rounding ('down') or shifted before it is multiplied ('once').
 */
export type InputRounding = 'twice' | 'down' | 'once';

function scaledInput(x: number, shift: number, by: QuantizedMultiplier, rounding: InputRounding): number {
  switch (rounding) {
    case 'twice':
      return multiplyByQuantizedMultiplier(x * 2 ** shift, by);
    case 'down':
      return Math.floor(highMul32(x * 2 ** shift, by.multiplier) * 2 ** by.shift);
    case 'once':
      return highMul32(Math.floor(x * 2 ** (shift + by.shift)), by.multiplier);
  }
}

/** `f` of every code, computed once each: a pair has one of few hundred on either side. */
function ofCodes(
  { lowest, highest, zeroPoint }: Affine,
  f: (centered: number) => number,
): (code: number) => number {
  const values = Float64Array.from({ length: highest - lowest + 1 }, (_, i) => f(lowest + i - zeroPoint));
  return (code) => values[code - lowest] ?? 0;
}

/** ADD, and SUB with `sign` -1. */
export const sumOf: PairFormula<PairSpec & { sign: 1 | -1; rounding: InputRounding }> = (spec) => {
  const { a, b, output, range, sign, rounding } = spec;
  const { shift, ...by } = sumScaling(spec);
  const ofA = ofCodes(a, (x) => scaledInput(x, shift, by.a, rounding));
  const ofB = ofCodes(b, (y) => sign * scaledInput(y, shift, by.b, rounding));
  const narrow = rounding === 'twice' ? (value: number): number => value : wrapped16;
  return (x, y) => {
    const scaled = multiplyByQuantizedMultiplier(ofA(x) + ofB(y), by.output);
    return clamp(narrow(narrow(scaled) + output.zeroPoint), ...range);
  };
};

/** The low 16 bits of an integer, signed: vmovn_s32. */
function wrapped16(x: number): number {
  return (x << 16) >> 16;
}

/**
 * Whether a sum of 8-bit codes may need more than 16 bits before it is clamped. The vector code of ADD keeps no more of it, so that
 * what is far above the range wraps around to its lower end.
 */
export function mayWrap({ a, b, output }: PairSpec): boolean {
  const reach = 255 * (a.scale + b.scale) + 256 * output.scale;
  return reach >= 2 ** 15 * output.scale;
}

/** Computed in float32 by the kernel, as are the other factors that have no double in them. */
export function productScale({ a, b, output }: PairSpec): QuantizedMultiplier {
  return quantizeMultiplier(Math.fround(Math.fround(a.scale * b.scale) / output.scale));
}

export const productOf: PairFormula<PairSpec> = (spec) => {
  const { a, b, output, range } = spec;
  const factor = productScale(spec);
  return (x, y) => {
    const product = (x - a.zeroPoint) * (y - b.zeroPoint);
    return clamp(multiplyByQuantizedMultiplier(product, factor) + output.zeroPoint, ...range);
  };
};

export const squaredDifferenceOf: PairFormula<PairSpec> = ({ a, b, output, range }) => {
  const unit = 2 ** 7;
  const twiceLargest = 2 * Math.max(a.scale, b.scale);
  const scaleA = quantizeMultiplier(a.scale / twiceLargest);
  const scaleB = quantizeMultiplier(b.scale / twiceLargest);
  const factor = quantizeMultiplier(twiceLargest ** 2 / (unit ** 2 * output.scale));
  const ofA = ofCodes(a, (x) => multiplyByQuantizedMultiplier(x * unit, scaleA));
  const ofB = ofCodes(b, (y) => multiplyByQuantizedMultiplier(y * unit, scaleB));
  return (x, y) => {
    const square = (ofA(x) - ofB(y)) ** 2;
    return clamp(multiplyByQuantizedMultiplier(square, factor) + output.zeroPoint, ...range);
  };
};

/** Redundant sign bits of a 32-bit integer: CountLeadingSignBits. */
function leadingSignBits(x: number): number {
  return x >= 0 ? Math.clz32(x) - 1 : Math.clz32(-2 * x - 1);
}

/** Divisor and numerator of DIV as its kernel prepares them: in full words, and how far they were shifted for that. */
export interface FullWord {
  readonly word: number;
  readonly shift: number;
}

/** 1 / `size` of an integer, by 0 as by 1: the kernel does not define that. */
export function reciprocalWord(size: number): FullWord {
  const divisor = Math.max(size, 1);
  const leadingZeros = Math.clz32(divisor);
  const word = FIXED_POINT_32.reciprocalOfOnePlus(divisor * 2 ** leadingZeros - 2 ** 31);
  return { word, shift: 31 - leadingZeros };
}

export function numeratorWord(x: number): FullWord {
  const shift = leadingSignBits(x);
  return { word: x * 2 ** shift, shift };
}

export function quotientScale({ a, b, output }: PairSpec): QuantizedMultiplier {
  return quantizeMultiplier(Math.fround(a.scale / Math.fround(b.scale * output.scale)));
}

export const quotientOf: PairFormula<PairSpec> = (spec) => {
  const { a, b, output, range } = spec;
  const factor = quotientScale(spec);
  return (x, y) => {
    const divisor = y - b.zeroPoint;
    const numerator = numeratorWord(divisor < 0 ? a.zeroPoint - x : x - a.zeroPoint);
    const reciprocal = reciprocalWord(Math.abs(divisor));
    const quotient = highMul32(highMul32(numerator.word, reciprocal.word), factor.multiplier);
    const shift = numerator.shift + reciprocal.shift - factor.shift;
    return clamp(roundingDivideByAnyPot(quotient, shift) + output.zeroPoint, ...range);
  };
};

/** Of inputs from 0, and of negative ones times their slopes. */
export function preluScales(spec: PairSpec): Readonly<Record<'identity' | 'slope', QuantizedMultiplier>> {
  const { a, output } = spec;
  return { identity: quantizeMultiplier(Math.fround(a.scale / output.scale)), slope: productScale(spec) };
}

/** PRELU: `b` are the slopes. */
export const preluOf: PairFormula<PairSpec> = (spec) => {
  const { a, b, output } = spec;
  const { identity, slope } = preluScales(spec);
  return (x, y) => {
    const value = x - a.zeroPoint;
    const scaled =
      value >= 0
        ? multiplyByQuantizedMultiplier(value, identity)
        : multiplyByQuantizedMultiplier(value * (y - b.zeroPoint), slope);
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};
