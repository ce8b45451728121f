import { nodeLabel } from '../../src/ir/graph.js';
import type { Attr, Graph, TensorId } from '../../src/ir/graph.js';
import { ONNX_DATA_TYPE } from '../../src/ir/onnx-data-type.js';
import { decodeGraph, encodeModel, onnx, toLong } from '../../src/onnx/proto.js';
import type { AttributeProto, TensorProto, ValueInfoProto } from '../../src/onnx/proto.js';
import type { ConstantData } from '../../src/ir/graph.js';

/** A loaded graph as an ONNX model again, the plainest way, to run it beside the file it came from. */
export function emitOnnx(graph: Graph, name: (tensor: TensorId) => string): Uint8Array {
  const info = (id: TensorId): ValueInfoProto => {
    const { dtype, shape } = graph.tensors[id]!;
    const dim = shape?.map((d) =>
      typeof d === 'number' ? { dimValue: d } : d === null ? {} : { dimParam: d },
    );
    const elemType = dtype === undefined ? 0 : ONNX_DATA_TYPE[dtype];
    return {
      name: name(id),
      type: { tensorType: { elemType, ...(dim === undefined ? {} : { shape: { dim } }) } },
    };
  };
  return encodeModel({
    irVersion: Math.max(4, graph.irVersion),
    opsetImport: [...graph.opsets].map(([domain, version]) => ({ domain, version })),
    graph: {
      name: 'emitted',
      input: graph.inputs.map(info),
      output: graph.outputs.map((id) => ({ name: name(id) })),
      initializer: graph.tensors.flatMap((tensor) =>
        tensor.data === undefined ? [] : [{ ...tensorProto(tensor.data), name: name(tensor.id) }],
      ),
      node: graph.nodes.map((node) => ({
        name: nodeLabel(node),
        opType: node.op,
        domain: node.domain,
        input: node.inputs.map((id) => (id === null ? '' : name(id))),
        output: node.outputs.map((id) => (id === null ? '' : name(id))),
        attribute: [...node.attrs].map(([key, attr]) => attributeProto(key, attr, name)),
      })),
    },
  });
}

function tensorProto(data: ConstantData): TensorProto {
  const head = { dims: [...data.dims], dataType: ONNX_DATA_TYPE[data.dtype] };
  return data.strings === undefined
    ? { ...head, rawData: data.bytes() }
    : { ...head, stringData: [...data.strings] };
}

function attributeProto(name: string, attr: Attr, rename: (tensor: TensorId) => string): AttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  switch (attr.type) {
    case 'int':
      return { name, type: AttributeType.INT, i: toLong(attr.value) };
    case 'float':
      return { name, type: AttributeType.FLOAT, f: attr.value };
    case 'string':
      return { name, type: AttributeType.STRING, s: Buffer.from(attr.value) };
    case 'ints':
      return { name, type: AttributeType.INTS, ints: attr.value.map(toLong) };
    case 'floats':
      return { name, type: AttributeType.FLOATS, floats: [...attr.value] };
    case 'strings':
      return { name, type: AttributeType.STRINGS, strings: attr.value.map((text) => Buffer.from(text)) };
    case 'tensor':
      return { name, type: AttributeType.TENSOR, t: tensorProto(attr.value) };
    case 'graph':
      return { name, type: AttributeType.GRAPH, g: decodeGraph(attr.value.encode(rename)) };
    case 'raw':
      return onnx.AttributeProto.decode(attr.value);
  }
}
