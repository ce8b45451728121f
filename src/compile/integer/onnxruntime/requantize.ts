/**
 * Sums -> output codes: float32(sum) · factor in float32, cut to the range of the codes, rounded to nearest, ties to even.
 *
 * Source: MlasRequantizeOutputVector, onnxruntime/core/mlas/lib/quantize.cpp.
 */
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import type { QuantParams } from '../../../ir/lane.js';
import { quantizeLinear } from '../../operators.js';
import type { Value } from '../../model-writer.js';
import type { Operand } from '../affine.js';
import { Doubles, type Spread } from '../doubles.js';
import type { OperatorCall } from '../kernel.js';
import type { Sums } from '../requantize.js';
import { outputRange } from './byte-operands.js';

const INT32 = 2 ** 31;

/**
 * Codes as float32.
 *
 * @param sums of at least two dimensions
 * @param factors rounded to float32
 * @returns undefined where a factor is beyond float32: what the kernel makes of infinities is not worth following
 */
export function requantized(
  call: OperatorCall,
  sums: Sums,
  { values, dims }: Spread,
  output: Operand,
): Value | undefined {
  if (!values.every((factor) => Number.isFinite(Math.fround(factor)))) return undefined;
  // The constant first, and no scalar: the runtime's optimizer would else multiply the weights instead of the sums, which rounds otherwise
  // (ConvMulFusion, MatMulScaleFusion).
  const factors = call.writer.literal('float32', values, dims.length === 0 ? [1, 1] : dims);
  const product = call.writer.op('Mul', [factors, inFloat32(call, sums)]);
  return roundedCodes(call, product, output, output.zeroPoint);
}

/**
 * Integers next to `value`, a float32 tensor, plus `zeroPoint`, cut to the range of the output's codes. The runtime's own
 * QuantizeLinear by 1 does just that, and fast.
 */
export function roundedCodes(call: OperatorCall, value: Value, output: Operand, zeroPoint: number): Value {
  const [lowest, highest] = outputRange(call, output);
  const unit: QuantParams = {
    dtype: output.dtype,
    qmin: lowest,
    qmax: highest,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(1),
    zeroPoint: Int32Array.of(zeroPoint),
    source: 'derived',
  };
  return call.writer.op('Cast', [quantizeLinear(call.writer, value, unit, 1)], {
    to: ONNX_DATA_TYPE.float32,
  });
}

/** Rounded to nearest; what leaves 32 bits wraps around first, as in the kernels' accumulators. */
function inFloat32({ writer }: OperatorCall, { value, single, bound }: Sums): Value {
  if (single !== undefined) return single;
  const fitting = bound < INT32 ? value : new Doubles(writer).wrapped(value);
  return writer.op('Cast', [fitting], { to: ONNX_DATA_TYPE.float32 });
}
