import type { DType } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../onnx/data-type.js';

const BY_NUMBER: ReadonlyMap<number, DType> = new Map(
  Object.entries(ONNX_DATA_TYPE).map(([dtype, number]) => [number, dtype as DType]),
);

/** Name of a TensorProto.DataType; undefined for 0 (not said) and for numbers ONNX does not define. */
export function dtypeName(dataType: number | null | undefined): DType | undefined {
  return BY_NUMBER.get(dataType ?? 0);
}
