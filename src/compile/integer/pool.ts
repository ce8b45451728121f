/** AVERAGE_POOL_2D and MAX_POOL_2D: both on codes as they are, whatever the scales. */
import { intsAttr, tensorOf } from '../../ir/graph.js';
import type { ModelWriter, Value } from '../model-writer.js';
import { activationRange } from './fused-activation.js';
import type { Operand } from './affine.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';

const float = (writer: ModelWriter, value: number): Value => writer.literal('float32', [value], []);

/** Cut to what the fused activation function leaves. */
function clamped(call: OperatorCall, codes: Value, output: Operand): Value {
  const { writer } = call;
  const [lowest, highest] = activationRange(call, output);
  return writer.op('Clip', [codes, float(writer, lowest), float(writer, highest)]);
}

/** Padding is below all codes. */
const maxPool: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined) return undefined;
  const { input, output } = operands;
  const [pooled] = call.apply(call.main, [call.codes(input.tensor)]);
  return pooled === undefined ? undefined : codesOf(output, clamped(call, pooled, output));
};

/**
 * (sum + count / 2) / count in integers, away from zero on ties of an even count.
 *
 * Source: tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h. The runtime's mean times the count, rounded, is the
 * exact sum as long as that is within the integers of a float32.
 */
const averagePool: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  const size = (intsAttr(call.main, 'kernel_shape') ?? []).reduce((x, y) => x * y, 1);
  if (operands === undefined) return undefined;
  const { input, output } = operands;
  if (size * Math.max(-input.lowest, input.highest) >= 2 ** 22) return undefined;
  const { writer } = call;
  const [mean] = call.apply(call.main, [call.codes(input.tensor)]);
  const count = countOf(call, input, size);
  if (mean === undefined || count === undefined) return undefined;
  const total = writer.op('Round', [writer.op('Mul', [mean, count])]);
  const half = writer.op('Floor', [writer.op('Mul', [count, float(writer, 0.5)])]);
  const raised = writer.op('Add', [writer.op('Abs', [total]), half]);
  const quotient = writer.op('Floor', [writer.op('Div', [raised, count])]);
  const signed = writer.op('Mul', [quotient, writer.op('Sign', [total])]);
  return codesOf(output, clamped(call, signed, output));
};

/** Elements in each window, without the padding: [1, 1, height, width], or one number where nothing is padded. */
function countOf({ writer, main, graph }: OperatorCall, input: Operand, size: number): Value | undefined {
  const pads = intsAttr(main, 'pads') ?? [];
  if (pads.every((pad) => pad === 0)) return float(writer, size);
  const kernel = intsAttr(main, 'kernel_shape') ?? [];
  const strides = intsAttr(main, 'strides') ?? [];
  const extents = (tensorOf(graph, input.tensor).shape ?? []).slice(2);
  const along = extents.map((extent, axis) => {
    if (typeof extent !== 'number') return undefined;
    const [before = 0, after = 0] = [pads[axis], pads[axis + extents.length]];
    const [length = 1, stride = 1] = [kernel[axis], strides[axis]];
    const windows = Math.floor((extent + before + after - length) / stride) + 1;
    return Array.from({ length: windows }, (_, i) => {
      const start = i * stride - before;
      return Math.min(start + length, extent) - Math.max(start, 0);
    });
  });
  const [rows, columns] = along;
  if (rows === undefined || columns === undefined) return undefined;
  const counts = rows.flatMap((row) => columns.map((column) => row * column));
  return writer.literal('float32', counts, [1, 1, rows.length, columns.length]);
}

export const POOL_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  AVERAGE_POOL_2D: averagePool,
  MAX_POOL_2D: maxPool,
};
