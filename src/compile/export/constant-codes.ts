/** Quantized constants as the integers that a file stores. */
import { toFloat32, toInts } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import type { QDType, QuantParams } from '../../ir/lane.js';
import { dequantize, quantize } from '../../quant/affine.js';

/** Types that DequantizeLinear reads. */
export type StoredType = Exclude<QDType, 'int2' | 'int64'>;

/** No runtime reads 2 bits from QuantizeLinear: they are 4 with narrower limits. */
export function storedType(dtype: QDType): StoredType | undefined {
  if (dtype === 'int64') return undefined;
  return dtype === 'int2' ? 'int4' : dtype;
}

/**
 * Codes of a constant.
 *
 * @param stored where the constant came from a file as codes: its elements are then what they stand for
 * @returns undefined where no codes of that type stand for the elements: blocks, 64 bits, parameters that its file's codes are not of
 */
export function constantCodes(
  data: ConstantData,
  params: QuantParams,
  stored: ConstantData | undefined,
): Int32Array | undefined {
  if (storedType(params.dtype) === undefined || params.granularity.kind === 'per-block') return undefined;
  const values = toFloat32(data);
  if (stored === undefined) return quantize(values, data.dims, params);
  const read = { ...params, ...params.read };
  const standFor = (codes: Int32Array): boolean =>
    dequantize(codes, data.dims, read).every((value, at) => value === values[at]);
  const own = Int32Array.from(toInts(stored));
  if (own.length === values.length && standFor(own)) return own;
  const again = quantize(values, data.dims, read);
  return standFor(again) ? again : undefined;
}

/** Little-endian, 4-bit codes two a byte with the first in the low half (onnx.proto, TensorProto.raw_data). */
export function codeBytes(dtype: StoredType, codes: ArrayLike<number>): Uint8Array {
  switch (dtype) {
    case 'int8':
    case 'uint8':
      return Uint8Array.from(codes);
    case 'int16':
    case 'uint16':
      return new Uint8Array(Uint16Array.from(codes).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(codes).buffer);
    case 'int4':
    case 'uint4': {
      const bytes = new Uint8Array(Math.ceil(codes.length / 2));
      for (let i = 0; i < codes.length; i++) bytes[i >> 1]! |= ((codes[i] ?? 0) & 15) << (4 * (i & 1));
      return bytes;
    }
  }
}

export function floatBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
