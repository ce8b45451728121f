/**
 * QLinearAdd and QLinearMul on 8-bit codes, in float32 on x86 with AVX2.
 *
 * Source: onnxruntime/core/mlas/lib/intrinsics/avx2/qladd_avx2.cpp, qlmul.cpp; which operand is a scalar to the kernel:
 * onnxruntime/core/providers/cpu/math/element_wise_ops.h.
 */
import { tensorOf, type TensorId } from '../../../ir/graph.js';
import { roundHalfEven } from '../../../quant/affine.js';
import type { Operand } from '../affine.js';
import type { IntegerKernel, OperatorCall } from '../kernel.js';
import { binaryOf, codesOf } from '../operands.js';
import { lookUpPair, type PairFormula } from '../tables.js';
import { areBytes, outputRange } from './byte-operands.js';

export interface PairSpec {
  readonly a: Pick<Operand, 'scale' | 'zeroPoint'>;
  readonly b: Pick<Operand, 'scale' | 'zeroPoint'>;
  readonly output: Pick<Operand, 'scale' | 'zeroPoint'>;
  readonly range: readonly [lowest: number, highest: number];
  /** The kernel takes the second operand first. */
  readonly isSwapped: boolean;
}

const float = Math.fround;

/** a · b + c, rounded once: the product of a float32 and a code is exact in double precision, and so is the sum but for rare ties. */
const fma = (a: number, b: number, c: number): number => float(a * b + c);

/** What does not fit into 32 bits becomes the lowest integer. */
function codeOf(value: number, [lowest, highest]: PairSpec['range']): number {
  if (!(Math.abs(value) < 2 ** 31)) return lowest;
  return Math.min(Math.max(roundHalfEven(value), lowest), highest);
}

/** Zero points and the ratios of the scales in one constant first, then the codes of b and of a. */
const sumOf: PairFormula<PairSpec> = ({ a, b, output, range, isSwapped }) => {
  const [first, second] = isSwapped ? [b, a] : [a, b];
  const ratio = float(first.scale / output.scale);
  const otherRatio = float(second.scale / output.scale);
  const points = fma(ratio, first.zeroPoint, float(otherRatio * second.zeroPoint));
  const fixed = float(output.zeroPoint - points);
  const sum = (code: number, other: number): number => fma(code, ratio, fma(other, otherRatio, fixed));
  return (x, y) => codeOf(isSwapped ? sum(y, x) : sum(x, y), range);
};

const productOf: PairFormula<PairSpec> = ({ a, b, output, range }) => {
  const ratio = float(float(a.scale * b.scale) / output.scale);
  return (x, y) => {
    const scaled = float((x - a.zeroPoint) * (y - b.zeroPoint) * ratio);
    return codeOf(float(scaled + output.zeroPoint), range);
  };
};

function kernel(op: string, formula: PairFormula<PairSpec>, canSwap: boolean): IntegerKernel {
  return (call) => {
    const operands = call.main.op === op ? binaryOf(call) : undefined;
    if (operands === undefined || !areBytes(...Object.values(operands))) return undefined;
    const { a, b, output } = operands;
    const isSwapped = canSwap && isScalar(call, a.tensor, b.tensor);
    const spec: PairSpec = { a, b, output, range: outputRange(call, output), isSwapped };
    return codesOf(output, lookUpPair(call, a, b, formula, spec));
  };
}

/** Whether the broadcast walks along `b` with one element of `a` at a time: by the last axis that either of them has. */
function isScalar({ graph }: OperatorCall, a: TensorId, b: TensorId): boolean {
  const { shape: first = [] } = tensorOf(graph, a);
  const { shape: second = [] } = tensorOf(graph, b);
  const rank = Math.max(1, Math.min(first.length, second.length));
  for (let axis = 1; axis <= rank; axis++) {
    const [extent = 1, other = 1] = [first.at(-axis), second.at(-axis)];
    if (extent !== 1 || other !== 1) return extent === 1;
  }
  return true;
}

export const BINARY_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  QLinearAdd: kernel('Add', sumOf, true),
  QLinearMul: kernel('Mul', productOf, false),
};
