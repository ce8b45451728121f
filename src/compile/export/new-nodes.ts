/** Messages for what a quantized model has more than the float one. */
import type { DType, Shape } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import { onnx } from '../../onnx/proto.js';

/** A node with whole numbers as attributes. */
export interface NewNode {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly output: string | readonly string[];
  readonly attrs?: Readonly<Record<string, number>>;
}

/** NodeProto. */
export function nodeProto({ op, domain, name, inputs, output, attrs = {} }: NewNode): Uint8Array {
  const attribute = Object.entries(attrs).map(([key, i]) => ({
    name: key,
    type: onnx.AttributeProto.AttributeType.INT,
    i,
  }));
  return onnx.NodeProto.encode({
    opType: op,
    ...(domain === '' ? {} : { domain }),
    name,
    input: [...inputs],
    output: typeof output === 'string' ? [output] : [...output],
    attribute,
  }).finish();
}

/** ValueInfoProto of a tensor. An extent that is not known is left open. */
export function valueInfo(name: string, dtype: DType, shape: Shape | undefined): Uint8Array {
  const dim = shape?.map((extent) =>
    typeof extent === 'number' ? { dimValue: extent } : extent === null ? {} : { dimParam: extent },
  );
  const tensorType = { elemType: ONNX_DATA_TYPE[dtype], ...(dim === undefined ? {} : { shape: { dim } }) };
  return onnx.ValueInfoProto.encode({ name, type: { tensorType } }).finish();
}
