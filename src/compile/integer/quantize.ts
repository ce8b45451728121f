/**
 * QUANTIZE of real values.
 *
 * Source: AffineQuantize of tensorflow/lite/kernels/internal/optimized/optimized_ops.h. Vectors of 8 multiply by the reciprocal of the
 * scale and round ties to even; what is left behind them is divided in double precision and rounded away from zero.
 */
import { tensorOf, type TensorId } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import { Doubles } from './doubles.js';
import { toCodes } from './fixed-point-values.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, quantizedOutput } from './operands.js';
import { fileExtents, inVectors, product } from './vector-loop.js';

/** What does not fit into 32 bits becomes the lowest integer on x86, NaN too; a negative zero point then wraps it around. */
function fitted({ writer }: OperatorCall, rounded: Value, { zeroPoint, lowest, highest }: Operand): Value {
  const literal = (value: number): Value => writer.literal('float64', [value], []);
  const isInside = writer.op('Less', [writer.op('Abs', [rounded]), literal(2 ** 31)]);
  const beyond = (zeroPoint < 0 ? highest : lowest) - zeroPoint;
  return writer.op('Where', [isInside, rounded, literal(beyond)]);
}

export const quantizeReals: IntegerKernel = (call) => {
  const { main, graph, writer } = call;
  const output = quantizedOutput(call);
  const input: TensorId | null | undefined = main.inputs[0];
  if (output === undefined || input == null || tensorOf(graph, input).dtype !== 'float32') return undefined;
  const doubles = new Doubles(writer);
  const value = call.value(input);
  const codes = (rounded: Value): Value => toCodes(writer, fitted(call, rounded, output), output);
  const inVector = (): Value => {
    const inverse = writer.literal('float32', [Math.fround(1 / output.scale)], []);
    return codes(doubles.of(writer.op('Round', [writer.op('Mul', [value, inverse])])));
  };
  const behind = (): Value => {
    const scale = writer.literal('float64', [output.scale], []);
    return codes(doubles.round(writer.op('Div', [doubles.of(value), scale])));
  };
  const length = product(fileExtents(call, output.tensor));
  const where = inVectors(call, output.tensor, { length, width: 8 });
  if (where === 'all') return codesOf(output, inVector());
  if (where === 'none') return codesOf(output, behind());
  return codesOf(output, writer.op('Where', [where, inVector(), behind()]));
};
