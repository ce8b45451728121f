/**
 * Operators that TFLite computes in float32, once for every code (8 bits) or every 128th code (16 bits), when a model is loaded.
 *
 * Sources, in tensorflow/lite/kernels: internal/common.h (LUTPopulate, LUTLookup), activations.cc, exp.cc, elementwise.cc,
 * internal/reference/gelu.h.
 */
import type { Affine } from './affine.js';
import { clamp, roundHalfAway } from './fixed-point.js';
import { erfc } from './erfc.js';
import type { UnarySpec } from './activations.js';
import type { Formula } from './tables.js';

const f = Math.fround;
const INT16_MIN = -32768;
const INT16_MAX = 32767;

/** A float32 function of a float32. The output's quantizer is for functions that are cut to what it can hold. */
type FloatFunction = (x: number, output: Affine) => number;

const SQRT_2_OVER_PI = f(Math.sqrt(2 / Math.PI));
const MINUS_SQRT_HALF = f(-Math.SQRT1_2);

const tanh: FloatFunction = (x) => f(Math.tanh(x));
const FUNCTIONS = {
  LOGISTIC: (x) => f(1 / f(1 + f(Math.exp(-x)))),
  TANH: tanh,
  ELU: (x) => (x < 0 ? f(Math.expm1(x)) : x),
  GELU: (x) => f(f(0.5 * x) * f(erfc(f(x * MINUS_SQRT_HALF)))),
  GELU_APPROXIMATE: (x, output) => {
    const cubic = f(f(f(f(0.044715) * x) * x) * x);
    return f(f(0.5 * x) * f(1 + tanh(f(SQRT_2_OVER_PI * f(x + cubic)), output)));
  },
  EXP: (x) => f(Math.exp(x)),
  LOG: (x, { lowest, zeroPoint, scale }) => (x <= 0 ? f((lowest - zeroPoint) * scale) : f(Math.log(x))),
  RSQRT: (x, { scale }) => (x <= 0 ? f(INT16_MAX * scale) : f(1 / f(Math.sqrt(x)))),
} as const satisfies Record<string, FloatFunction>;

export type FloatFunctionName = keyof typeof FUNCTIONS;

/** LUTPopulateInt8, and LUTLookup on what LUTPopulateInt16 gives. */
export const floatTableOf: Formula<UnarySpec & { name: FloatFunctionName }> = (spec) => {
  const { input, output } = spec;
  const transform: FloatFunction = FUNCTIONS[spec.name];
  if (input.highest > 255) {
    return interpolated(sampled(spec, f, (x) => transform(x, output)));
  }
  const inverse = f(1 / output.scale);
  return (x) => {
    const real = f(input.scale * (x - input.zeroPoint));
    const rounded = roundHalfAway(f(transform(real, output) * inverse));
    return clamp(f(rounded + output.zeroPoint), output.lowest, output.highest);
  };
};

const STEPS = 512;

/** What integers of an input and of an output stand for. */
export interface Sampling {
  readonly input: Pick<Affine, 'scale' | 'zeroPoint'>;
  readonly output: Pick<Affine, 'scale' | 'zeroPoint'>;
}

/**
 * LUTPopulateInt16: the function at 513 points of the input's range, moved by half of what linear interpolation is off in the
 * middle. `r` is Math.fround for the kernels that compute in float32, the identity for those in float64.
 */
export function sampled(
  { input, output }: Sampling,
  r: (x: number) => number,
  transform: (x: number) => number,
): readonly number[] {
  const inputMin = r(input.scale * (INT16_MIN - input.zeroPoint));
  const inputMax = r(input.scale * (INT16_MAX - input.zeroPoint));
  const outputMin = r(output.scale * (INT16_MIN - output.zeroPoint));
  const outputMax = r(output.scale * (INT16_MAX - output.zeroPoint));
  const step = r(r(inputMax - inputMin) / STEPS);
  const toCodes = r(65536 / r(outputMax - outputMin));
  const at = (i: number): number => r(inputMin + r(i * step));
  // Beyond the range of floats infinities meet; what is no number then becomes 0 on x86.
  const cut = (x: number): number => (Number.isNaN(x) ? 0 : clamp(x, INT16_MIN, INT16_MAX));
  const table = Array.from({ length: STEPS }, (_, i) => {
    const value = roundHalfAway(r(transform(at(i)) * toCodes));
    const next = r(transform(at(i + 1)) * toCodes);
    const middle = roundHalfAway(r(transform(r(at(i) + r(step / 2))) * toCodes));
    const interpolatedMiddle = roundHalfAway(r(r(next + value) / 2));
    const bias = roundHalfAway(r(r(interpolatedMiddle - middle) / 2));
    return cut(r(value - bias));
  });
  return [...table, cut(roundHalfAway(r(transform(inputMax) * toCodes)))];
}

/** LUTLookup on 16 bits: the upper 9 bits find two points, the lower 7 interpolate. */
export function interpolated(table: readonly number[]): (code: number) => number {
  return (code) => {
    const index = 256 + Math.floor(code / 128);
    const base = table[index] ?? 0;
    const slope = (((table[index + 1] ?? 0) - base) << 16) >> 16;
    const offset = code - 128 * Math.floor(code / 128);
    return ((base + Math.floor((slope * offset + 64) / 128)) << 16) >> 16;
  };
}
