/**
 * Sums of products -> output codes, in float64 on exact integers, with the roundings of TFLite's kernels on x86.
 *
 * A real factor is m · 2^(shift - 31) with an integer m of 31 bits. The kernels multiply by m and round at bit 31, then shift
 * right and round again (tensorflow/lite/kernels/internal/common.cc without TFLITE_SINGLE_ROUNDING). The product is rounded up
 * on ties everywhere; the shift too in ruy and in kernels written for vector registers, away from zero in portable code.
 * Nested floors are one floor: floor((floor(x) + n) / d) = floor((x + n) / d) for integers n and d > 0. So the two roundings
 * are floor(sum · factor + 1/2 + 2^-(r+1)) for a shift by r > 0, less 2^-r where the product is negative in portable code.
 */
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { Doubles, mapSpread, productOf, scalar, type Spread } from './doubles.js';
import { quantizeMultiplier } from './fixed-point.js';

/** Integers as float64. */
export interface Sums {
  readonly value: Value;
  /** The same as float32, where that holds all of them. */
  readonly single?: Value;
  /** No element is larger in magnitude. */
  readonly bound: number;
}

export type Rounding =
  /** 32-bit sums. `portable`: 1 where portable code rounds, 0 where vector code does. */
  | { readonly kind: 'fixed'; readonly portable: Spread }
  /** 64-bit sums: the factor is cut to 16 bits, and the product rounds once, up on ties. */
  | { readonly kind: 'fixed64' }
  /** In double precision, once, away from zero on ties. */
  | { readonly kind: 'real' };

export const VECTOR: Rounding = { kind: 'fixed', portable: scalar(0) };
export const PORTABLE: Rounding = { kind: 'fixed', portable: scalar(1) };

export interface OutputCodes {
  readonly zeroPoint: number;
  readonly range: readonly [lowest: number, highest: number];
}

/** Beyond, float64 skips integers. */
const EXACT = 2 ** 53;
const INT32 = 2 ** 31;

/**
 * Codes as float32 of sums times real factors.
 *
 * Undefined where the kernel's own arithmetic is not defined: 64-bit sums with factors from 2^15 on.
 */
export function requantize(
  writer: ModelWriter,
  sums: Sums,
  factors: Spread,
  rounding: Rounding,
  { zeroPoint, range }: OutputCodes,
): Value | undefined {
  const rounded = roundedProduct(new Doubles(writer), sums, factors, rounding, zeroPoint);
  if (rounded === undefined) return undefined;
  const codes = writer.op('Cast', [rounded], { to: ONNX_DATA_TYPE.float32 });
  const [lowest, highest] = range.map((code) => writer.literal('float32', [code], []));
  return writer.op('Clip', [codes, lowest ?? null, highest ?? null]);
}

function roundedProduct(
  doubles: Doubles,
  sums: Sums,
  factors: Spread,
  rounding: Rounding,
  zeroPoint: number,
): Value | undefined {
  switch (rounding.kind) {
    case 'fixed':
      return fixedProduct(doubles, sums, factors, rounding.portable, zeroPoint);
    case 'fixed64':
      return fixed64Product(doubles, sums, factors, zeroPoint);
    case 'real':
      return realProduct(doubles, sums, factors, zeroPoint);
  }
}

/** MultiplyByQuantizedMultiplier(int32, ...). What leaves 32 bits wraps, as there. */
function fixedProduct(
  doubles: Doubles,
  sums: Sums,
  factors: Spread,
  portable: Spread,
  zeroPoint: number,
): Value {
  const parts = factors.values.map(quantizeMultiplier);
  const spread = (to: (multiplier: number, right: number) => number): Spread =>
    mapSpread(factors, (_, i) => to(parts[i]?.multiplier ?? 0, Math.max(0, -(parts[i]?.shift ?? 0))));
  const left = mapSpread(factors, (_, i) => 2 ** Math.max(0, parts[i]?.shift ?? 0));
  const { value, bound } = in32Bits(doubles, in32Bits(doubles, sums, scalar(1)), left);

  // With every bit of the product within a double one multiplication is exact; else the factor's two halves are apart.
  const isExact = parts.every(
    ({ multiplier, shift }) =>
      bound * multiplier + (1 + Math.abs(zeroPoint)) * 2 ** (31 + Math.max(0, -shift)) < EXACT,
  );
  const product = isExact
    ? doubles.times(
        value,
        spread((m, right) => m * 2 ** (-31 - right)),
      )
    : doubles.times(
        highPart(
          doubles,
          value,
          spread((m) => m),
        ),
        spread((_, right) => 2 ** (-15 - right)),
      );

  const lost = productOf(
    spread((_, right) => (right > 0 ? 2 ** -right : 0)),
    portable,
  );
  const signed = lost.values.every((step) => step === 0)
    ? product
    : doubles.sum(product, doubles.times(minusOneBelowZero(doubles, value, spread), lost));
  const half = spread((_, right) => 0.5 + (right > 0 ? 2 ** (-right - 1) : 0));
  if (!isExact) return doubles.plus(doubles.floor(doubles.plus(signed, half)), scalar(zeroPoint));
  return doubles.floor(
    doubles.plus(
      signed,
      mapSpread(half, (offset) => offset + zeroPoint),
    ),
  );
}

/** Sums times powers of two in 32 bits. */
function in32Bits(doubles: Doubles, { value, bound }: Sums, powers: Spread): Sums {
  const reach = bound * Math.max(...powers.values);
  const moved = doubles.times(value, powers);
  return reach < INT32 ? { value: moved, bound: reach } : { value: doubles.wrapped(moved), bound: INT32 };
}

/** floor(value · multiplier / 2^16): the bits below that are no part of any rounding. */
function highPart(doubles: Doubles, value: Value, multipliers: Spread): Value {
  const high = mapSpread(multipliers, (m) => Math.floor(m / 65536));
  const low = mapSpread(multipliers, (m) => (m % 65536) / 65536);
  return doubles.sum(doubles.times(value, high), doubles.floor(doubles.times(value, low)));
}

/** -1 where the rounded product is negative, else 0. A multiplier of 1/2 rounds the product of -1 up to 0. */
function minusOneBelowZero(
  doubles: Doubles,
  value: Value,
  spread: (to: (multiplier: number) => number) => Spread,
): Value {
  const rise = spread((multiplier) => (multiplier === 2 ** 30 ? 1 : 0));
  return doubles.clip(doubles.plus(value, rise), -1, 0);
}

/** MultiplyByQuantizedMultiplier(int64, ...). */
function fixed64Product(
  doubles: Doubles,
  { value, bound }: Sums,
  factors: Spread,
  zeroPoint: number,
): Value | undefined {
  const parts = factors.values.map((factor) => {
    const { multiplier, shift } = quantizeMultiplier(factor);
    const reduced = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 65536) : 0x7fff;
    return { reduced, right: 15 - shift };
  });
  const spread = (to: (reduced: number, right: number) => number): Spread =>
    mapSpread(factors, (_, i) => to(parts[i]?.reduced ?? 0, parts[i]?.right ?? 1));
  const lowest = Math.min(...parts.map(({ right }) => right));
  const isExact = parts.every(({ reduced }) => bound * reduced < EXACT / 2);
  // The low byte of the factor apart: what it adds below the byte is no part of the rounding.
  const isExactInParts = bound < EXACT / 2 ** 8 && lowest > 8;
  if (lowest < 1 || !(isExact || isExactInParts)) return undefined;
  const high = spread((reduced) => Math.floor(reduced / 256));
  const low = spread((reduced) => (reduced % 256) / 256);
  const product = isExact
    ? doubles.times(
        value,
        spread((reduced, right) => reduced * 2 ** -right),
      )
    : doubles.times(
        doubles.sum(doubles.times(value, high), doubles.floor(doubles.times(value, low))),
        spread((_, right) => 2 ** (8 - right)),
      );
  const rounded = doubles.floor(doubles.plus(product, scalar(0.5)));
  const fits = parts.every(({ reduced, right }) => bound * reduced * 2 ** -right + 1 < INT32);
  return doubles.plus(fits ? rounded : doubles.wrapped(rounded), scalar(zeroPoint));
}

/** static_cast<int32_t>(std::round(double(sum) * factor)): what does not fit becomes the lowest integer on x86. */
function realProduct(doubles: Doubles, { value, bound }: Sums, factors: Spread, zeroPoint: number): Value {
  const rounded = doubles.round(
    doubles.times(
      value,
      mapSpread(factors, (factor) => factor),
    ),
  );
  const fits = bound * Math.max(...factors.values) + 1 < INT32;
  return doubles.plus(fits ? rounded : doubles.within(rounded, INT32, -INT32), scalar(zeroPoint));
}
