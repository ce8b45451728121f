/**
 * Comparisons of quantized tensors: the kernels bring both to integers of a common unit first, coarse ones where scales are small.
 *
 * Source: tensorflow/lite/kernels/comparisons.cc and internal/reference/comparisons.h.
 */
import type { Value } from '../model-writer.js';
import type { Affine, Operand } from './affine.js';
import { highMul32, quantizeMultiplier, roundingDivideByAnyPot } from './fixed-point.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { evaluate } from './moves.js';
import { quantizedInputs } from './operands.js';
import { lookUp, type Formula } from './tables.js';

/** The real value times 256, rounded, of scales below 1; the kernel makes nothing sensible of others. */
const comparedOf: Formula<Affine> = ({ scale, zeroPoint }) => {
  const { multiplier, shift } = quantizeMultiplier(scale);
  return (x) => roundingDivideByAnyPot(highMul32((x - zeroPoint) * 256, multiplier), -shift);
};

/** `ofWide`: what 16-bit codes are compared as. */
function comparison(ofWide: 'codes' | 'rescaled'): IntegerKernel {
  const compared = (call: OperatorCall, operand: Operand): Value | undefined =>
    operand.dtype === 'int16' && ofWide === 'codes'
      ? call.codes(operand.tensor)
      : lookUp(call, operand, comparedOf, operand);
  return (call) => {
    const inputs = quantizedInputs(call);
    const [output] = call.outputs;
    if (inputs?.length !== 2 || output === undefined) return undefined;
    const values = inputs.map((operand) => compared(call, operand));
    if (!values.every((value) => value !== undefined)) return undefined;
    const given = inputs.map(({ tensor }, i) => [tensor, values[i] as Value] as const);
    const result = evaluate(call, new Map(given)).get(output);
    return result === undefined ? undefined : new Map([[output, result]]);
  };
}

export const COMPARISON_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  EQUAL: comparison('rescaled'),
  GREATER: comparison('codes'),
  GREATER_EQUAL: comparison('codes'),
  LESS: comparison('codes'),
  LESS_EQUAL: comparison('codes'),
  NOT_EQUAL: comparison('rescaled'),
};
