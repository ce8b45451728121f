/** Kernels of operators on two tensors: tables for pairs of 8-bit codes, arithmetic on whole tensors for 16 bits. */
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import {
  preluOf,
  productOf,
  productScale,
  quotientOf,
  squaredDifferenceOf,
  sumOf,
  sumScaling,
  type InputRounding,
  type PairSpec,
} from './arithmetic.js';
import { Doubles, scalar } from './doubles.js';
import type { QuantizedMultiplier } from './fixed-point.js';
import { activationRange } from './fused-activation.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { binaryOf, codesOf } from './operands.js';
import { PORTABLE, requantize } from './requantize.js';
import { lookUpPair, type PairFormula } from './tables.js';
import { fileExtents, pairWalk } from './vector-loop.js';

type Operands = { readonly a: Operand; readonly b: Operand; readonly output: Operand };
type Compute = (call: OperatorCall, operands: Operands, spec: PairSpec) => Value | undefined;

function kernel(compute: Compute): IntegerKernel {
  return (call) => {
    const operands = binaryOf(call);
    if (operands === undefined) return undefined;
    const { a, b, output } = operands;
    const spec: PairSpec = { a, b, output, range: activationRange(call, output) };
    return codesOf(output, compute(call, operands, spec));
  };
}

/** One formula for pairs of 8-bit codes; nothing for more bits. */
const pairs = (of: PairFormula<PairSpec>): IntegerKernel =>
  kernel((call, { a, b }, spec) => lookUpPair(call, a, b, of, spec));

const isWide = ({ dtype }: Operand): boolean => dtype === 'int16';
