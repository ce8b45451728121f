/** AVERAGE_POOL_2D and MAX_POOL_2D: both on codes as they are, whatever the scales. */
import { intsAttr, tensorOf } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import { Doubles, scalar } from './doubles.js';
import { activationRange } from './fused-activation.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';

/** Cut to what the fused activation function leaves. */
function clamped(call: OperatorCall, codes: Value, output: Operand): Value {
  const { writer } = call;
  const [lowest, highest] = activationRange(call, output).map((code) =>
    writer.literal('float32', [code], []),
  );
  return writer.op('Clip', [codes, lowest ?? null, highest ?? null]);
}

/** Padding is below all codes. */
const maxPool: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined) return undefined;
  const { input, output } = operands;
  const [pooled] = call.apply(call.main, [call.codes(input.tensor)]);
  return pooled === undefined ? undefined : codesOf(output, clamped(call, pooled, output));
};

/** A window of bytes whose sum float32 still tells from its neighbours behind a division and a multiplication. */
const LARGEST_WINDOW = 2 ** 22 / 256;

/**
 * (sum + count / 2) / count in integers, of the sum's magnitude.
 *
 * Source: tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h.
 */
const averagePool: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  const size = (intsAttr(call.main, 'kernel_shape') ?? []).reduce((x, y) => x * y, 1);
  if (operands === undefined || size > LARGEST_WINDOW) return undefined;
  const { input, output } = operands;
  const { writer } = call;
  const doubles = new Doubles(writer);
  const counts = countsOf(call, input, size);
  if (counts === undefined) return undefined;
  const sum = sumOfWindows(call, input, counts);
  const half = writer.literal(
    'float64',
    counts.values.map((count) => Math.floor(count / 2)),
    counts.dims,
  );
  const raised = doubles.sum(writer.op('Abs', [sum]), half);
  const count = writer.literal('float64', counts.values, counts.dims);
  const quotient = doubles.floor(writer.op('Div', [raised, count]));
  const signed = writer.op('Mul', [quotient, writer.op('Sign', [sum])]);
  const codes = writer.op('Cast', [signed], { to: ONNX_DATA_TYPE.float32 });
  return codesOf(output, clamped(call, codes, output));
};

interface Counts {
  readonly values: readonly number[];
  readonly dims: readonly number[];
}

/**
 * Sums of the windows, exact, as float64: the runtime's mean times the count lies within half of the sum. Codes of 16 bits are
 * pooled as two bytes.
 */
function sumOfWindows(call: OperatorCall, input: Operand, counts: Counts): Value {
  const { writer, main } = call;
  const doubles = new Doubles(writer);
  const count = writer.literal('float32', counts.values, counts.dims);
  const pooled = (codes: Value): Value => {
    const [mean] = call.apply(main, [codes]) as readonly [Value];
    return doubles.of(writer.op('Round', [writer.op('Mul', [mean, count])]));
  };
  const codes = call.codes(input.tensor);
  if (input.highest < 256) return pooled(codes);
  const float = (value: number): Value => writer.literal('float32', [value], []);
  const upper = writer.op('Floor', [writer.op('Mul', [codes, float(1 / 256)])]);
  const lower = writer.op('Sub', [codes, writer.op('Mul', [upper, float(256)])]);
  return doubles.sum(doubles.times(pooled(upper), scalar(256)), pooled(lower));
}

/** Elements in each window, without the padding: [1, 1, height, width], or one number where nothing is padded. */
function countsOf({ main, graph }: OperatorCall, input: Operand, size: number): Counts | undefined {
  const pads = intsAttr(main, 'pads') ?? [];
  if (pads.every((pad) => pad === 0)) return scalar(size);
  const kernel = intsAttr(main, 'kernel_shape') ?? [];
  const strides = intsAttr(main, 'strides') ?? [];
  const extents = (tensorOf(graph, input.tensor).shape ?? []).slice(2);
  const [rows, columns] = extents.map((extent, axis) => {
    if (typeof extent !== 'number') return undefined;
    const [before = 0, after = 0] = [pads[axis], pads[axis + extents.length]];
    const [length = 1, stride = 1] = [kernel[axis], strides[axis]];
    const windows = Math.floor((extent + before + after - length) / stride) + 1;
    return Array.from({ length: windows }, (_, i) => {
      const start = i * stride - before;
      return Math.min(start + length, extent) - Math.max(start, 0);
    });
  });
  if (rows === undefined || columns === undefined) return undefined;
  const values = rows.flatMap((row) => columns.map((column) => row * column));
  return { values, dims: [1, 1, rows.length, columns.length] };
}

export const POOL_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  AVERAGE_POOL_2D: averagePool,
  MAX_POOL_2D: maxPool,
};
