/** A graph as an ONNX model in float, with the names of the user's file. */
import { UnsupportedError } from '../../errors.js';
import {
  nodeLabel,
  OPAQUE_DOMAIN,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
  type Tensor,
  type TensorId,
} from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import { onnx } from '../../onnx/proto.js';
import type { WireModel } from '../../onnx/wire-model.js';
import { bytesField, numberField, stringField, type Parts } from '../../onnx/wire.js';
import { tensorProto } from '../../onnx/wire-model.js';
import { encodeAttribute } from '../encoded-values.js';
import { valueInfo } from './new-nodes.js';
import { UnusedNames } from './unused-names.js';

const MODEL = {
  irVersion: 1,
  producer: 2,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  training: 20,
  functions: 25,
} as const;
const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  docString: 10,
  input: 11,
  output: 12,
  metadata: 16,
} as const;

/** What a model made from a graph says itself, or has no more. */
const REPLACED: ReadonlySet<number> = new Set([
  MODEL.irVersion,
  MODEL.graph,
  MODEL.opsetImport,
  MODEL.training,
  MODEL.functions,
]);

export interface GraphFile {
  /** The model, in pieces. */
  readonly parts: Parts;
  /** The same graph as a reader of that model has it: every name once, nodes at their place. */
  readonly graph: Graph;
}

/**
 * @param original the file, whose version, producer, metadata and texts are kept
 * @throws UnsupportedError for operators that nothing computes; all are listed
 */
export function graphFile(graph: Graph, original: WireModel | undefined): GraphFile {
  const opaque = graph.nodes.filter(({ domain }) => domain === OPAQUE_DOMAIN);
  if (opaque.length > 0) {
    throw new UnsupportedError('operators that ONNX has no form for cannot be written as an ONNX model', {
      places: opaque.map((node) => `${nodeLabel(node)} (${node.origin.op})`),
      hint: 'qdbg inspect MODEL shows what is in it',
    });
  }
  const named = withOwnNames(graph);
  return { parts: modelParts(named, original), graph: named };
}

/** Names of TensorFlow Lite may repeat or be empty, and an ONNX model has each only once. Inputs and outputs come first. */
function withOwnNames(graph: Graph): Graph {
  const unused = new UnusedNames(['']);
  const names = new Map<TensorId, string>();
  const ends = [...graph.inputs, ...graph.outputs].map((id) => tensorOf(graph, id));
  for (const { id, name } of [...ends, ...graph.tensors]) {
    // The runtime's C interface ends a name at its first NUL.
    if (!names.has(id)) names.set(id, unused.next(name === '' ? `tensor_${id}` : name.replaceAll('\0', '_')));
  }
  const tensors = graph.tensors.map((tensor): Tensor => ({
    ...tensor,
    name: names.get(tensor.id) ?? tensor.name,
  }));
  const labels = new UnusedNames([]);
  const nodes = graph.nodes.map((node, index): Node => {
    const name = labels.next(nodeLabel(node));
    return { ...node, origin: { name, op: node.op, index } };
  });
  return { ...graph, tensors, nodes };
}

function modelParts(graph: Graph, original: WireModel | undefined): Parts {
  const opsets = [...graph.opsets].flatMap(([domain, version]) =>
    bytesField(MODEL.opsetImport, [...stringField(1, domain), numberField(2, version)]),
  );
  const kept = original?.fields.filter(({ number }) => !REPLACED.has(number)).map(({ bytes }) => bytes) ?? [
    ...stringField(MODEL.producer, 'qdbg'),
    ...[...graph.metadata].flatMap(([key, value]) =>
      bytesField(MODEL.metadata, [...stringField(1, key), ...stringField(2, value)]),
    ),
  ];
  // Below IR version 4, initializers would also have to be listed as inputs.
  const irVersion = numberField(MODEL.irVersion, Math.max(graph.irVersion, 4));
  return [irVersion, ...kept, ...opsets, ...bytesField(MODEL.graph, graphParts(graph, original))];
}

function graphParts(graph: Graph, original: WireModel | undefined): Parts {
  const texts = original?.graphFields
    .filter(({ number }) => number === GRAPH.name || number === GRAPH.docString || number === GRAPH.metadata)
    .map(({ bytes }) => bytes);
  const ends = (ids: readonly TensorId[], field: number): Parts =>
    ids.flatMap((id) => {
      const { name, dtype, shape } = tensorOf(graph, id);
      return bytesField(field, dtype === undefined ? stringField(1, name) : [valueInfo(name, dtype, shape)]);
    });
  return [
    ...(texts ?? stringField(GRAPH.name, graph.name === '' ? 'graph' : graph.name)),
    ...graph.nodes.flatMap((node) => bytesField(GRAPH.node, nodeBytes(graph, node))),
    ...graph.tensors.flatMap(({ name, data }) =>
      data === undefined ? [] : bytesField(GRAPH.initializer, constantParts(name, data)),
    ),
    ...ends(graph.inputs, GRAPH.input),
    ...ends(graph.outputs, GRAPH.output),
  ];
}

function nodeBytes(graph: Graph, { op, domain, attrs, inputs, outputs, origin }: Node): Uint8Array {
  const nameOf = (id: TensorId | null): string => (id === null ? '' : tensorOf(graph, id).name);
  return onnx.NodeProto.encode({
    opType: op,
    ...(domain === '' ? {} : { domain }),
    name: origin.name,
    input: inputs.map(nameOf),
    output: outputs.map(nameOf),
    attribute: [...attrs].map(([name, attr]) => encodeAttribute(name, attr, (inner) => inner.encode(nameOf))),
  }).finish();
}

function constantParts(name: string, data: ConstantData): Parts {
  const { dtype, dims, external, strings, byteLength } = data;
  const dataType = ONNX_DATA_TYPE[dtype];
  if (external === undefined && strings === undefined) return tensorProto(name, dataType, dims, data.bytes());
  const tensor = { name, dims: [...dims], dataType };
  if (external === undefined)
    return [onnx.TensorProto.encode({ ...tensor, stringData: [...(strings ?? [])] }).finish()];
  const { EXTERNAL } = onnx.TensorProto.DataLocation;
  const externalData = [
    { key: 'location', value: external.location },
    { key: 'offset', value: String(external.offset) },
    { key: 'length', value: String(byteLength) },
  ];
  return [onnx.TensorProto.encode({ ...tensor, dataLocation: EXTERNAL, externalData }).finish()];
}
