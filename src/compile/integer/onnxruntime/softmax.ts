/**
 * QLinearSoftmax: a table of exponentials in float32, summed one after the other, and quotients in whole steps of the output, cut to the
 * range of its codes.
 *
 * Source: onnxruntime/contrib_ops/cpu/quantization/qlinear_softmax.cc.
 */
import { intAttr, tensorOf } from '../../../ir/graph.js';
import { reduce } from '../../operators.js';
import type { Value } from '../../model-writer.js';
import type { Operand } from '../affine.js';
import type { IntegerKernel, OperatorCall } from '../kernel.js';
import { unaryOf } from '../operands.js';
import { lookUpIndex, tableOf } from '../tables.js';
import { aroundMain } from './around-main.js';
import { areBytes } from './byte-operands.js';
import { roundedCodes } from './requantize.js';

/** From here on Softmax is along one axis. */
const ONE_AXIS = 13;
/** Opset of CumSum. */
const RUNNING_SUMS = 11;
const LARGEST = 255;
const FLOAT_MAX = (2 - 2 ** -23) * 2 ** 127;

/** exp of all codes below the largest, raised as far as their sum leaves room in float32. */
function exponentials({ scale, length }: { readonly scale: number; readonly length: number }): number[] {
  const room = Math.log(Math.fround(FLOAT_MAX / length));
  const shift = Math.max(0, room - 5) / scale;
  return Array.from({ length: LARGEST + 1 }, (_, code) =>
    Math.fround(Math.exp((code - LARGEST + shift) * scale)),
  );
}

export const qLinearSoftmax: IntegerKernel = (call) => {
  const operands = call.main.op === 'Softmax' ? unaryOf(call) : undefined;
  if (operands === undefined || !areBytes(operands.input, operands.output)) return undefined;
  const { input, output } = operands;
  return aroundMain(
    call,
    (tensor) => call.codes(tensor),
    (codes) => softmax(call, codes, input, output),
  );
};

function softmax(call: OperatorCall, codes: Value, input: Operand, output: Operand): Value | undefined {
  const { writer, main, graph } = call;
  const [read = null] = main.inputs;
  const shape = read === null ? [] : (tensorOf(graph, read).shape ?? []);
  const stated = intAttr(main, 'axis') ?? (writer.opset < ONE_AXIS ? 1 : -1);
  const axis = stated < 0 ? stated + shape.length : stated;
  const length = shape[axis];
  const isOneAxis = writer.opset >= ONE_AXIS || axis === shape.length - 1;
  if (!isOneAxis || writer.opset < RUNNING_SUMS || typeof length !== 'number' || length < 1) return undefined;

  const float = (value: number): Value => writer.literal('float32', [value], []);
  const highest = reduce(writer, 'ReduceMax', codes, [axis]);
  const index = writer.op('Add', [writer.op('Sub', [codes, highest]), float(LARGEST)]);
  const spec = { scale: input.scale, length };
  const steps = Math.floor(Math.fround(1 / output.scale));
  // The largest exponential times the steps of the output.
  if (!Number.isFinite(Math.fround((exponentials(spec).at(-1) ?? 0) * steps))) return undefined;
  const table = tableOf(graph, exponentials, spec, () => exponentials(spec));
  const powers = lookUpIndex(call, table, index);
  const ints = (value: number): Value => writer.literal('int64', [value], [1]);
  const running = writer.op('CumSum', [powers, writer.literal('int64', [axis], [])]);
  const sum = writer.op('Slice', [running, ints(length - 1), ints(length), ints(axis)]);
  const quotient = writer.op('Div', [writer.op('Mul', [powers, float(steps)]), sum]);
  return roundedCodes(call, quotient, output, output.zeroPoint);
}
