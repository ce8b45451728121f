/**
 * Functions of one code in fixed point.
 *
 * Sources, in tensorflow/lite/kernels: activations.cc, quantize.cc, elementwise.cc and
 * internal/reference/{leaky_relu,hard_swish,requantize}.h.
 */
import type { Affine } from './affine.js';
import {
  clamp,
  highMul16,
  highMul32,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundHalfAway,
  roundingDivideByPot,
} from './fixed-point.js';
import { inverseSquareRoot } from './inverse-square-root.js';
import type { Formula } from './tables.js';

export interface UnarySpec {
  readonly input: Affine;
  readonly output: Affine;
}

/** RELU and its relatives: a rescaling, cut to the codes of the real limits. */
export const reluOf: Formula<UnarySpec & { lowest: number; highest: number | null }> = (spec) => {
  const { input, output } = spec;
  const factor = quantizeMultiplier(Math.fround(input.scale / output.scale));
  const codeOf = (real: number): number => output.zeroPoint + roundHalfAway(Math.fround(real / output.scale));
  const lowest = Math.max(output.lowest, codeOf(spec.lowest));
  const highest = spec.highest === null ? output.highest : Math.min(output.highest, codeOf(spec.highest));
  return (x) =>
    clamp(multiplyByQuantizedMultiplier(x - input.zeroPoint, factor) + output.zeroPoint, lowest, highest);
};

/** LEAKY_RELU. A negative slope is a negative multiplier for 16 bits, the negative of the product for 8. */
export const leakyReluOf: Formula<UnarySpec & { alpha: number }> = ({ input, output, alpha }) => {
  const f = Math.fround;
  const identity = quantizeMultiplier(f(input.scale / output.scale));
  const real = f(f(input.scale * f(alpha)) / output.scale);
  const sign = real < 0 && input.dtype !== 'int16' ? -1 : 1;
  const slope = quantizeMultiplier(sign * real);
  return (x) => {
    const value = x - input.zeroPoint;
    const scaled =
      value >= 0
        ? multiplyByQuantizedMultiplier(value, identity)
        : sign * multiplyByQuantizedMultiplier(value, slope);
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};

/** QUANTIZE from codes to codes. In vectors the second rounding is up on ties, else away from zero. */
export const requantizedOf: Formula<UnarySpec & { inVectors: boolean }> = (spec) => {
  const { input, output, inVectors } = spec;
  const { multiplier, shift } = quantizeMultiplier(input.scale / output.scale);
  const shiftRight = (x: number): number =>
    inVectors ? Math.floor(x / 2 ** -shift + 0.5) : roundingDivideByPot(x, -shift);
  return (x) => {
    const product = highMul32((x - input.zeroPoint) * 2 ** Math.max(shift, 0), multiplier);
    const scaled = shift < 0 ? shiftRight(product) : product;
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};

/** NEG: of the code itself, whatever the scales and zero points; the least code stays. */
export const negatedOf: Formula<UnarySpec> =
  ({ input }) =>
  (x) =>
    x === input.lowest ? x : -x;

/** SQRT, cut off. Negative inputs are an error of the kernel; here they give what 0 gives. */
export const squareRootOf: Formula<UnarySpec> = ({ input, output }) => {
  const f = Math.fround;
  return (x) => {
    const real = f(input.scale * Math.max(x - input.zeroPoint, 0));
    const cut = Math.floor(f(f(Math.sqrt(real)) / output.scale));
    return clamp(cut + output.zeroPoint, output.lowest, output.highest);
  };
};

export const absoluteOf: Formula<UnarySpec> = ({ input, output }) => {
  const factor = quantizeMultiplier(Math.fround(input.scale / output.scale));
  const isRescaled = input.scale !== output.scale;
  return (x) => {
    const size = Math.abs(x - input.zeroPoint);
    const scaled = isRescaled ? multiplyByQuantizedMultiplier(size, factor) : size;
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};

/** RSQRT of 8-bit codes. Negative inputs are an error of the kernel; here they give what 0 gives. */
export const inverseSquareRootOf: Formula<UnarySpec> = ({ input, output }) => {
  const guard = 20;
  const root = Math.fround(Math.sqrt(input.scale));
  const factor = quantizeMultiplier(1 / Math.fround(root * output.scale));
  return (x) => {
    const value = x - input.zeroPoint;
    if (value <= 0) return output.highest;
    const inverse = inverseSquareRoot(value);
    const data = multiplyByQuantizedMultiplier(1, { ...inverse, shift: inverse.shift + guard });
    const scaled = multiplyByQuantizedMultiplier(data, { ...factor, shift: factor.shift - guard });
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};

const saturate16 = (x: number): number => clamp(x, -32768, 32767);

/** DownScaleInt32ToInt16Multiplier. */
function multiplier16(multiplier: number): number {
  return multiplier >= 2 ** 31 - 1 - 2 ** 15 ? 32767 : Math.floor((multiplier + 2 ** 15) / 65536);
}

/** HARD_SWISH in 16-bit fixed point: x times (x + 3) / 6, the latter from [-3, 3] saturated. */
export const hardSwishOf: Formula<UnarySpec> = ({ input, output }) => {
  const fine = Math.fround(input.scale / 128);
  const toOutput = quantizeMultiplier(Math.fround(fine / output.scale));
  const toGate = quantizeMultiplier(Math.fround(fine / Math.fround(3 / 32768)));
  const outputMultiplier = multiplier16(toOutput.multiplier);
  const gateMultiplier = multiplier16(toGate.multiplier);
  return (x) => {
    const value = (x - input.zeroPoint) * 128;
    const unshifted = highMul16(value, outputMultiplier);
    let gate = toGate.shift > 0 ? saturate16(value * 2 ** (toGate.shift - 1)) : value;
    gate = highMul16(gate, gateMultiplier);
    if (toGate.shift > 0) gate = saturate16(gate * 2);
    if (toGate.shift < 0) gate = roundingDivideByPot(gate, -toGate.shift);
    gate = Math.floor((gate + 32768) / 2);
    const product = Math.trunc((gate * unshifted) / 32768);
    const scaled = roundingDivideByPot(product, -toOutput.shift);
    return clamp(scaled + output.zeroPoint, output.lowest, output.highest);
  };
};
