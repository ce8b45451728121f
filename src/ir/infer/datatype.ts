/** Attributes that name a dtype by its TensorProto.DataType code (`to`, `dtype`, `output_dtype`...). */
import type { DType, Node } from '../graph.js';
import { intAttr } from '../graph.js';

/** Index = code; https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, TensorProto.DataType. 0 is undefined. */
const DTYPE_OF_CODE: readonly (DType | undefined)[] = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** Undefined when the node has no such attribute, or it says "undefined" (0) or a code of the future. */
export function dtypeAttr(node: Node, name: string): DType | undefined {
  const code = intAttr(node, name);
  return code === undefined ? undefined : DTYPE_OF_CODE[code];
}
