/** Activations as the kernels for uint8 and int8 read them. */
import { QRANGE, type QuantParams } from '../../ir/lane.js';
import { quantize, roundHalfEven } from '../affine.js';
import type { ByteCoding } from './products.js';
import type { ActivationCodes } from './rows.js';

/**
 * @param values of the tensor, before or behind its quantizer
 * @param coding undefined: scale and zero point from the values, as DynamicQuantizeLinear takes them
 * @param dims shape of `values`, row-major
 */
export function activationCodes(
  values: Float32Array,
  dims: readonly number[],
  coding: ByteCoding | undefined,
): ActivationCodes {
  const { params, shift } = coding ?? { params: dynamicParams(values), shift: 0 };
  const stored = quantize(values, dims, params);
  return {
    codes: Uint8Array.from(stored, (code) => code + shift),
    dims,
    scale: params.scale[0] ?? 0,
    zeroPoint: (params.zeroPoint[0] ?? 0) + shift,
  };
}

/** https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html, in float32 as ONNX Runtime computes it. */
function dynamicParams(values: Float32Array): QuantParams {
  const [qmin, qmax] = QRANGE.uint8;
  let low = 0;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    else if (value > high) high = value;
  }
  const scale = high === low ? 1 : Math.fround(Math.fround(high - low) / qmax);
  const zeroPoint = roundHalfEven(Math.min(qmax, Math.max(qmin, Math.fround(-low / scale))));
  return {
    dtype: 'uint8',
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    source: 'derived',
  };
}
