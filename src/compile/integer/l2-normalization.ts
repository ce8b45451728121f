/**
 * L2_NORMALIZATION, whose outputs have scale 1/128 and 0 in the middle.
 *
 * Sources, in tensorflow/lite/kernels: internal/reference/l2normalization.h, internal/reference/integer_ops/l2normalization.h,
 * internal/common.h (GetInvSqrtQuantizedMultiplierExp).
 */
import { intAttr, tensorOf } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { Doubles, scalar } from './doubles.js';
import { log2Floor, power2, toCodes } from './fixed-point-values.js';
import type { IntegerKernel } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';

/** 7 bits behind the point. */
const OUTPUT_BITS = 7;

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
  // A sum of 0 counts as 1.
  const sum = doubles.clip(writer.op('ReduceSum', [squares, axes], { keepdims: 1 }), 1, Infinity);

  // The inverse root as the kernel's multiplier and right shift. Its Newton steps are exact to some 27 bits, as is this.
  const pairs = doubles.floor(doubles.plus(doubles.times(log2Floor(writer, sum), scalar(-0.5)), scalar(15)));
  const right = doubles.clip(doubles.plus(doubles.times(pairs, scalar(-1)), scalar(12)), 0, 31);
  const inverse = writer.op('Div', [power2(writer, right), writer.op('Sqrt', [sum])]);

  const isUnsigned = output.dtype === 'uint8';
  const shift = doubles.plus(doubles.times(right, scalar(-1)), scalar(isUnsigned ? 0 : OUTPUT_BITS));
  const left = power2(writer, doubles.clip(shift, 0, 31));
  const raised = isUnsigned
    ? doubles.times(centered, scalar(2 ** OUTPUT_BITS))
    : writer.op('Mul', [centered, left]);
  const product = doubles.floor(doubles.plus(writer.op('Mul', [raised, inverse]), scalar(0.5)));
  const back: Value = power2(writer, doubles.clip(shift, -31, 0));
  const rounded = doubles.round(writer.op('Mul', [product, back]));
  return codesOf(output, toCodes(writer, rounded, { ...output, zeroPoint: isUnsigned ? 128 : 0 }));
};
