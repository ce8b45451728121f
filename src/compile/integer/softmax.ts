/**
 * SOFTMAX and LOG_SOFTMAX.
 *
 * Sources, in tensorflow/lite/kernels: activations.cc, internal/optimized/optimized_ops.h (8 bits, in float32 from a table) and
 * internal/reference/softmax.h (16 bits, in fixed point from two tables).
 */
import { toFloat64 } from '../../ir/elements.js';
import { intAttr, tensorOf } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import { Doubles, scalar } from './doubles.js';
import { log2Floor, power2, toCodes } from './fixed-point-values.js';
import { clamp, multiplyByQuantizedMultiplier, quantizeMultiplier } from './fixed-point.js';
import { interpolated, sampled } from './float-tables.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';
import { lookUpIndex, tableOf } from './tables.js';

const f = Math.fround;

/** Along which the operator normalizes: the last axis of the file's tensor. */
function axisOf(call: OperatorCall, input: Operand): number {
  const rank = tensorOf(call.graph, input.tensor).shape?.length ?? 0;
  const axis = intAttr(call.main, 'axis') ?? -1;
  return axis < 0 ? axis + rank : axis;
}

/** The factor that a node in front of the main one multiplies by. */
function betaOf({ graph, nodes, main }: OperatorCall): number {
  for (const node of nodes.slice(0, nodes.indexOf(main))) {
    const constants = node.inputs.map((tensor) =>
      tensor === null ? undefined : tensorOf(graph, tensor).data,
    );
    const data = constants.find((constant) => constant !== undefined);
    if (node.op === 'Mul' && data !== undefined) return f(toFloat64(data)[0] ?? 1);
  }
  return 1;
}

const float = ({ writer }: OperatorCall, value: number): Value => writer.literal('float32', [value], []);

/** Codes minus the largest of them along the axis: 0 and below. */
function belowLargest(call: OperatorCall, input: Operand, axis: number): Value {
  const { writer } = call;
  const codes = call.codes(input.tensor);
  const axes = writer.literal('int64', [axis], [1]);
  return writer.op('Sub', [codes, writer.op('ReduceMax', [codes, axes], { keepdims: 1 })]);
}

interface ExpSpec {
  readonly scale: number;
  readonly beta: number;
}

/** exp(scale · beta · (i - 255)) in float32: PopulateSoftmaxLookupTable. */
function expTable(call: OperatorCall, spec: ExpSpec): ReturnType<typeof tableOf> {
  const step = f(-spec.scale * spec.beta);
  return tableOf(call.graph, expTable, spec, () =>
    Array.from({ length: 256 }, (_, i) => f(Math.exp(f(step * (255 - i))))),
  );
}

/** Exponentials and their sum in float32, added in the order of the file, as the kernel adds them. */
function exponentials(
  call: OperatorCall,
  input: Operand,
  axis: number,
  beta: number,
): readonly [Value, Value] {
  const { writer } = call;
  const below = belowLargest(call, input, axis);
  const index = writer.op('Add', [below, float(call, 255)]);
  const powers = lookUpIndex(call, expTable(call, { scale: input.scale, beta }), index);
  const sums = writer.op('CumSum', [powers, writer.literal('int64', [axis], [])]);
  const last = writer.op('Gather', [sums, writer.literal('int64', [-1], [1])], { axis });
  return [powers, last];
}

/** exp / (sum · scale), rounded away from zero on ties. */
function softmax8(call: OperatorCall, input: Operand, output: Operand): Value {
  const { writer } = call;
  const doubles = new Doubles(writer);
  const [powers, sum] = exponentials(call, input, axisOf(call, input), betaOf(call));
  const scaled = writer.op('Mul', [sum, float(call, output.scale)]);
  const inverse = writer.op('Div', [float(call, 1), scaled]);
  const share = writer.op('Mul', [powers, inverse]);
  // For unsigned codes 1/2 is added in float32, and the zero point is left out.
  const rounded =
    output.dtype === 'uint8'
      ? doubles.of(writer.op('Floor', [writer.op('Add', [share, float(call, 0.5)])]))
      : doubles.floor(doubles.plus(doubles.of(share), scalar(0.5)));
  return toCodes(writer, rounded, output.dtype === 'uint8' ? { ...output, zeroPoint: 0 } : output);
}

const INT16 = 65535;
/** From -1 to 1. */
const UNIT = { scale: 2 / INT16, zeroPoint: 0 };
const exact = (x: number): number => x;

/** exp(x) by x from -10 to 0 in 65535 steps, with 15 bits behind the point. */
const EXP = sampled({ input: { scale: 10 / INT16, zeroPoint: 32767 }, output: UNIT }, exact, Math.exp);
/** 1 / (1 + x) by x from 0 to 1. */
const RECIPROCAL = sampled(
  { input: { scale: 1 / INT16, zeroPoint: -32768 }, output: UNIT },
  exact,
  (x) => 1 / (1 + x),
);

/** By the difference to the largest code, from -65535 to 0. */
function exp16Table(call: OperatorCall, spec: ExpSpec): ReturnType<typeof tableOf> {
  const factor = quantizeMultiplier(f(spec.scale * spec.beta) / (10 / INT16));
  const exp = interpolated(EXP);
  return tableOf(call.graph, exp16Table, spec, () =>
    Array.from({ length: 65536 }, (_, i) => {
      const difference = multiplyByQuantizedMultiplier(i - INT16, factor);
      return exp(clamp(difference + 32767, -32768, 32767));
    }),
  );
}

/** By the sum of exponentials, shifted to 17 bits, minus 65536. */
function reciprocal16Table(call: OperatorCall): ReturnType<typeof tableOf> {
  const reciprocal = interpolated(RECIPROCAL);
  return tableOf(call.graph, reciprocal16Table, null, () =>
    Array.from({ length: 65536 }, (_, i) => reciprocal(i - 32768)),
  );
}

function softmax16(call: OperatorCall, input: Operand, output: Operand): Value {
  const { writer } = call;
  const doubles = new Doubles(writer);
  const axis = axisOf(call, input);
  const index = writer.op('Add', [belowLargest(call, input, axis), float(call, INT16)]);
  const spec = { scale: input.scale, beta: betaOf(call) };
  const powers = doubles.of(lookUpIndex(call, exp16Table(call, spec), index));
  const sum = writer.op('ReduceSum', [powers, writer.literal('int64', [axis], [1])], { keepdims: 1 });
  // The sum shifted until it has 31 bits, then back by 14 with rounding.
  const back = doubles.times(log2Floor(writer, sum), scalar(-1));
  const left = power2(writer, doubles.plus(back, scalar(30)));
  const shifted = doubles.floor(
    doubles.plus(doubles.times(writer.op('Mul', [sum, left]), scalar(2 ** -14)), scalar(0.5)),
  );
  const at = doubles.clip(doubles.plus(shifted, scalar(-65536)), 0, 65535);
  const reciprocal = doubles.of(lookUpIndex(call, reciprocal16Table(call), at));
  const product = writer.op('Mul', [writer.op('Mul', [powers, reciprocal]), power2(writer, back)]);
  const rounded = doubles.floor(doubles.plus(product, scalar(0.5)));
  return toCodes(writer, rounded, { ...output, zeroPoint: 0, lowest: 0, highest: 32767 });
}

const softmax: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined) return undefined;
  const { input, output } = operands;
  if (input.dtype !== 'int16') return codesOf(output, softmax8(call, input, output));
  return output.dtype === 'int16' ? codesOf(output, softmax16(call, input, output)) : undefined;
};

/** (x - log(sum of exp) - largest) / scale in float32, rounded to even on ties. */
const logSoftmax: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined || operands.input.dtype === 'int16') return undefined;
  const { input, output } = operands;
  const { writer } = call;
  const doubles = new Doubles(writer);
  const axis = axisOf(call, input);
  const [, sum] = exponentials(call, input, axis, 1);
  const codes = call.codes(input.tensor);
  const largest = writer.op('ReduceMax', [codes, writer.literal('int64', [axis], [1])], { keepdims: 1 });
  const log = writer.op('Cast', [writer.op('Log', [doubles.of(sum)])], { to: ONNX_DATA_TYPE.float32 });
  const top = writer.op('Add', [writer.op('Mul', [float(call, input.scale), largest]), log]);
  const offset = writer.op('Div', [top, float(call, output.scale)]);
  const scaled = writer.op('Mul', [float(call, f(input.scale / output.scale)), codes]);
  const rounded = writer.op('Round', [writer.op('Sub', [scaled, offset])]);
  return codesOf(output, toCodes(writer, doubles.of(rounded), output));
};

export const SOFTMAX_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  LOG_SOFTMAX: logSoftmax,
  SOFTMAX: softmax,
};
