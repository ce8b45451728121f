import type { DType } from './graph.js';

/** TensorProto.DataType. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export const ONNX_DATA_TYPE: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
};

const BY_NUMBER: ReadonlyMap<number, DType> = new Map(
  Object.entries(ONNX_DATA_TYPE).map(([dtype, number]) => [number, dtype as DType]),
);

/** Name of a TensorProto.DataType; undefined for 0 (not said) and for numbers that ONNX does not define. */
export function dtypeName(dataType: number | null | undefined): DType | undefined {
  return BY_NUMBER.get(dataType ?? 0);
}
