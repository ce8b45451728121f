/** Attributes that name a dtype by its TensorProto.DataType code (`to`, `dtype`, `output_dtype`...). */
import type { DType, Node } from '../graph.js';
import { intAttr } from '../graph.js';
import { dtypeName } from '../onnx-data-type.js';

/** Undefined when the node has no such attribute, or it says "undefined" (0) or a code of the future. */
export function dtypeAttr(node: Node, name: string): DType | undefined {
  const code = intAttr(node, name);
  return code === undefined ? undefined : dtypeName(code);
}
