/**
 * L2_NORMALIZATION, whose outputs have scale 1/128 and 0 in the middle.
 *
 * Sources, in tensorflow/lite/kernels: internal/reference/l2normalization.h, internal/reference/integer_ops/l2normalization.h,
 * internal/common.h (GetInvSqrtQuantizedMultiplierExp).
 */
import { intAttr, tensorOf } from '../../ir/graph.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { Doubles, scalar } from './doubles.js';
import { highProduct, highProductOf, log2Floor, power2, toCodes } from './fixed-point-values.js';
import { NEWTON_STEPS, ONE, ONE_AND_A_HALF, SQRT_HALF } from './inverse-square-root.js';
import type { IntegerKernel } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';

/** Behind the point of the output. */
const OUTPUT_BITS = 7;

/** Float64 integers that stand for multiplier · 2^(-31 - right). */
interface InverseRoot {
  readonly multiplier: Value;
  readonly right: Value;
}

/** `inverseSquareRoot` of inverse-square-root.ts, of integers from 0 below 2^31. */
function inverseRoot(writer: ModelWriter, sum: Value): InverseRoot {
  const doubles = new Doubles(writer);
  const negative = (x: Value): Value => doubles.times(x, scalar(-1));
  const saturated = (x: Value, bits: number): Value =>
    doubles.clip(doubles.times(x, scalar(2 ** bits)), -(2 ** 31), 2 ** 31 - 1);

  // From an even shift to 28 or 29 bits; numbers above that lose their lowest.
  const log2 = log2Floor(writer, doubles.clip(sum, 1, 2 ** 31));
  const pairs = doubles.floor(doubles.plus(doubles.times(log2, scalar(-0.5)), scalar(14)));
  const value = doubles.floor(writer.op('Mul', [sum, power2(writer, doubles.times(pairs, scalar(2)))]));
  const fixed = doubles.floor(doubles.times(value, scalar(0.5)));
  const half = doubles.floor(doubles.times(doubles.plus(fixed, scalar(1)), scalar(0.5)));

  let x = writer.literal('float64', [ONE], []);
  for (let i = 0; i < NEWTON_STEPS; i++) {
    const cube = saturated(highProductOf(writer, highProductOf(writer, x, x), x), 6);
    const step = negative(highProductOf(writer, half, cube));
    x = saturated(doubles.sum(highProduct(doubles, x, ONE_AND_A_HALF), step), 3);
  }
  const root = highProduct(doubles, x, SQRT_HALF);
  const right = doubles.plus(negative(pairs), scalar(11));
  const left = power2(writer, doubles.clip(negative(right), 0, 31));
  const isOne = writer.op('Less', [sum, writer.literal('float64', [2], [])]);
  const largest = writer.literal('float64', [2 ** 31 - 1], []);
  return {
    multiplier: writer.op('Where', [isOne, largest, writer.op('Mul', [root, left])]),
    right: doubles.clip(right, 0, 31),
  };
}

export const l2Normalization: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined || operands.input.dtype === 'int16') return undefined;
  const { input, output } = operands;
  const { writer, graph, main } = call;
  const doubles = new Doubles(writer);
  const rank = tensorOf(graph, input.tensor).shape?.length ?? 1;
  const axis = intAttr(main, 'axis') ?? -1;
  const axes = writer.literal('int64', [axis < 0 ? axis + rank : axis], [1]);
  const centered = doubles.of(call.centered(input.tensor));
  const squares = writer.op('Mul', [centered, centered]);
  const { multiplier, right } = inverseRoot(writer, writer.op('ReduceSum', [squares, axes], { keepdims: 1 }));

  // The output's bits are shifted in before the product for unsigned codes, after it for signed ones.
  const isUnsigned = output.dtype === 'uint8';
  const bits = scalar(isUnsigned ? 0 : OUTPUT_BITS);
  const shift = doubles.plus(doubles.times(right, scalar(-1)), bits);
  const raised = isUnsigned
    ? doubles.times(centered, scalar(2 ** OUTPUT_BITS))
    : writer.op('Mul', [centered, power2(writer, doubles.clip(shift, 0, 31))]);
  const product = highProductOf(writer, raised, multiplier);
  const shifted = writer.op('Mul', [product, power2(writer, doubles.clip(shift, -31, 0))]);
  const middle = isUnsigned ? 128 : 0;
  return codesOf(output, toCodes(writer, doubles.round(shifted), { ...output, zeroPoint: middle }));
};
