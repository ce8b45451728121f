/** Attributes and small constants of a model that is written, as ONNX has them. */
import type { Attr, OpaqueGraph } from '../ir/graph.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import { decodeAttribute, decodeGraph, onnx, toLong, type AttributeProto } from '../onnx/proto.js';

const TYPE = onnx.AttributeProto.AttributeType;

export type LiteralAttrs = Readonly<
  Record<string, number | string | readonly number[] | { readonly float: number }>
>;

/** Types of the small constants that this program writes. */
export type LiteralDType =
  'float32' | 'float64' | 'int32' | 'int64' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int4' | 'uint4';

export function encodeLiteral(dtype: LiteralDType, values: ArrayLike<number>): Uint8Array {
  const list = Array.from(values);
  switch (dtype) {
    case 'float32':
      return new Uint8Array(Float32Array.from(list).buffer);
    case 'float64':
      return new Uint8Array(Float64Array.from(list).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(list).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(list.map(BigInt)).buffer);
    case 'int8':
    case 'uint8':
      return Uint8Array.from(list);
    case 'int16':
    case 'uint16':
      return new Uint8Array(Uint16Array.from(list).buffer);
    case 'int4':
    case 'uint4':
      // Two codes a byte, the first in the low half (onnx.proto, TensorProto.raw_data).
      return Uint8Array.from(
        { length: Math.ceil(list.length / 2) },
        (_, i) => ((list[2 * i] ?? 0) & 15) | (((list[2 * i + 1] ?? 0) & 15) << 4),
      );
  }
}

export function literalAttributes(attrs: LiteralAttrs): AttributeProto[] {
  return Object.entries(attrs).map(([name, value]) => {
    if (typeof value === 'number') return { name, type: TYPE.INT, i: value };
    if (typeof value === 'string') return { name, type: TYPE.STRING, s: Buffer.from(value) };
    if ('float' in value) return { name, type: TYPE.FLOAT, f: value.float };
    return { name, type: TYPE.INTS, ints: [...value] };
  });
}

export function encodeAttribute(
  name: string,
  attr: Attr,
  encodeGraph: (graph: OpaqueGraph) => Uint8Array,
): AttributeProto {
  switch (attr.type) {
    case 'int':
      return { name, type: TYPE.INT, i: toLong(attr.value) };
    case 'float':
      return { name, type: TYPE.FLOAT, f: attr.value };
    case 'string':
      return { name, type: TYPE.STRING, s: Buffer.from(attr.value) };
    case 'ints':
      return { name, type: TYPE.INTS, ints: attr.value.map(toLong) };
    case 'floats':
      return { name, type: TYPE.FLOATS, floats: [...attr.value] };
    case 'strings':
      return { name, type: TYPE.STRINGS, strings: attr.value.map((s) => Buffer.from(s)) };
    case 'tensor': {
      const { dtype, dims, strings } = attr.value;
      const tensor = { dims: [...dims], dataType: ONNX_DATA_TYPE[dtype] };
      return {
        name,
        type: TYPE.TENSOR,
        t:
          strings === undefined
            ? { ...tensor, rawData: attr.value.bytes() }
            : { ...tensor, stringData: [...strings] },
      };
    }
    case 'graph':
      return { name, type: TYPE.GRAPH, g: decodeGraph(encodeGraph(attr.value)) };
    case 'raw':
      return decodeAttribute(attr.value);
  }
}
