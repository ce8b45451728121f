/** Codes of constants in the types that programs compute with, made once for each constant so that all lanes share them. */
import { toFloat32 } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import type { QuantParams } from '../../ir/lane.js';
import { axisLayout, quantize } from '../../quant/affine.js';

/** What is computed from a constant, kept for as long as the constant is. */
export class Derived<K extends object, T> {
  readonly #known = new WeakMap<ConstantData, WeakMap<K, T>>();
  readonly #make: (data: ConstantData, key: K) => T;

  constructor(make: (data: ConstantData, key: K) => T) {
    this.#make = make;
  }

  of(data: ConstantData, key: K): T {
    const ofData = this.#known.get(data) ?? new WeakMap<K, T>();
    this.#known.set(data, ofData);
    const known = ofData.get(key);
    if (known !== undefined) return known;
    const made = this.#make(data, key);
    ofData.set(key, made);
    return made;
  }
}

export function constantOf(
  dtype: 'float32' | 'int32',
  values: Float32Array | Int32Array,
  dims: readonly number[],
): ConstantData {
  const { buffer, byteOffset, byteLength } = values;
  return { dtype, dims, byteLength, bytes: () => new Uint8Array(buffer, byteOffset, byteLength) };
}

const centered = new Derived((codes, params: QuantParams) =>
  constantOf('float32', centeredArray(codes, params), codes.dims),
);
const floats = new Derived((codes) => constantOf('float32', new Float32Array(toFloat32(codes)), codes.dims));
const signed = new Derived((codes) => {
  const bytes: ConstantData = codes.dtype === 'uint8' ? { ...codes, dtype: 'int8' } : codes;
  return constantOf('float32', new Float32Array(toFloat32(bytes)), codes.dims);
});
const quantized = new Derived((data, params: QuantParams) =>
  constantOf('int32', quantize(toFloat32(data), data.dims, params), data.dims),
);
const ONLY = {};

/** Codes minus zero points, float32. @throws RangeError where zero points differ from block to block */
export function centeredCodes(codes: ConstantData, params: QuantParams): ConstantData {
  return centered.of(codes, params);
}

/** float32. */
export function floatCodes(codes: ConstantData): ConstantData {
  return floats.of(codes, ONLY);
}

/** float32; unsigned bytes as the signed ones that have the same bits. */
export function signedCodes(codes: ConstantData): ConstantData {
  return signed.of(codes, ONLY);
}

/** Codes of a constant that is not stored as codes. */
export function codesOf(data: ConstantData, params: QuantParams): ConstantData {
  return quantized.of(data, params);
}

function centeredArray(codes: ConstantData, { granularity, zeroPoint }: QuantParams): Float32Array {
  const values = new Float32Array(toFloat32(codes));
  if (zeroPoint.every((point) => point === 0)) return values;
  if (granularity.kind === 'per-block') throw new RangeError('weights in blocks have zero point 0');
  const axis = granularity.kind === 'per-axis' ? granularity.axis : undefined;
  const { outer, channels, inner } = axisLayout(values.length, codes.dims, axis);
  for (let o = 0, i = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      const point = zeroPoint[c]!;
      for (const end = i + inner; i < end; i++) values[i] = values[i]! - point;
    }
  }
  return values;
}

/** Kernels of signed weights with a scale for each channel take their zero points for 0, whatever the file says. */
export function withoutPoints(params: QuantParams): QuantParams {
  if (params.zeroPoint.every((point) => point === 0)) return params;
  return { ...params, zeroPoint: new Int32Array(params.zeroPoint.length) };
}
