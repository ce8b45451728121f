/** Constants that a file has as codes: their values, computed when they are first asked for. */
import { toFloat32, toFloat64 } from '../../../ir/elements.js';
import type { ConstantData, FloatDType } from '../../../ir/graph.js';
import type { QuantParams } from '../../../ir/lane.js';
import { lazyData } from '../../../onnx/tensor.js';

/**
 * (code - zero point) * scale in float32, as DequantizeLinear computes it, then rounded to `dtype`.
 * https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html
 *
 * @param params of as many scales as the dims of the codes ask for
 */
export function dequantized(codes: ConstantData, params: QuantParams, dtype: FloatDType): ConstantData {
  return lazyData(dtype, codes.dims, () => encoded(valuesOf(codes, params), dtype));
}

/** One value of each code, float32; scales read as `params.read` says where it does. */
function valuesOf(codes: ConstantData, params: QuantParams): Float32Array {
  const { scale, zeroPoint } = params.read ?? params;
  const { granularity } = params;
  // int32 codes do not fit float32.
  const integers = params.dtype === 'int32' ? toFloat64(codes) : toFloat32(codes);
  const { dims } = codes;
  const values = new Float32Array(integers.length);
  const axis = granularity.kind === 'per-tensor' ? 0 : granularity.axis;
  const extent = granularity.kind === 'per-tensor' ? 1 : (dims[axis] ?? 1);
  const inner = granularity.kind === 'per-tensor' ? integers.length : product(dims.slice(axis + 1));
  const blockSize = granularity.kind === 'per-block' ? granularity.blockSize : 1;
  const blocks = Math.ceil(extent / blockSize);
  for (let i = 0, outer = 0; i < values.length; outer++) {
    for (let along = 0; along < extent; along++) {
      const block = Math.floor(along / blockSize);
      for (let within = 0; within < inner; within++, i++) {
        const at = granularity.kind === 'per-block' ? (outer * blocks + block) * inner + within : block;
        values[i] = Math.fround((integers[i] ?? 0) - (zeroPoint[at] ?? 0)) * (scale[at] ?? 0);
      }
    }
  }
  return values;
}

function product(dims: readonly number[]): number {
  return dims.reduce((count, dim) => count * dim, 1);
}

function encoded(values: Float32Array, dtype: FloatDType): Uint8Array {
  const { buffer } =
    dtype === 'float32'
      ? values
      : dtype === 'float64'
        ? Float64Array.from(values)
        : Uint16Array.from(bitsOf(values), dtype === 'float16' ? halfBits : bfloatBits);
  return new Uint8Array(buffer);
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** float32 bits to bfloat16, its upper half, to nearest even. NaN stays NaN. */
function bfloatBits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** float32 bits to IEEE 754 binary16, to nearest even; Node 20 has no Float16Array. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  const mantissa = exponent > 0 ? magnitude & 0x7fffff : (magnitude & 0x7fffff) | 0x800000;
  // Below 2^-14 halves have no leading one: what is cut off grows with the distance.
  const cut = exponent > 0 ? 13 : 14 - exponent;
  if (cut > 24) return sign;
  const kept = mantissa >>> cut;
  const rest = mantissa & ((1 << cut) - 1);
  const middle = 1 << (cut - 1);
  const up = rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0;
  // A carry goes on into the exponent, and from the largest half to infinity.
  return sign | (((exponent > 0 ? exponent << 10 : 0) + kept + up) & 0x7fff);
}
