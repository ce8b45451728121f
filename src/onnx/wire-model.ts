/**
 * An ONNX file as fields: names are read, all else stays bytes, and a changed copy has every field that was not changed.
 * Field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import {
  bytesField,
  joined,
  numberField,
  numberOf,
  payloadsOf,
  stringField,
  stringOf,
  text,
  wireFields,
  type Parts,
  type WireField,
} from './wire.js';

const MODEL = { irVersion: 1, graph: 7, opsetImport: 8 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparseInitializer: 15 } as const;
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const;
const TENSOR = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;

/** A NodeProto. */
export interface WireNode {
  readonly bytes: Uint8Array;
  readonly op: string;
  /** As the file writes it: 'ai.onnx' and '' are the same. */
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface WireModel {
  readonly irVersion: number;
  /** By domain, ai.onnx as ''. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly nodes: readonly WireNode[];
  /** Dense and sparse. */
  readonly initializers: ReadonlySet<string>;
  readonly inputs: ReadonlySet<string>;
  readonly outputs: readonly string[];
  readonly fields: readonly WireField[];
  /** Of the graph; where a file has the message in several pieces, of all of them. */
  readonly graphFields: readonly WireField[];
}

/** A node as it is to be: its bytes, or undefined for none. */
export interface NodeEdit {
  readonly before: Parts;
  readonly node: Uint8Array | undefined;
  readonly after: Parts;
}

/** Changes to a model. What is not named stays as it is. Bytes are those of messages, without field tags. */
export interface ModelEdits {
  /** Nodes to put before all others. */
  readonly first: Parts;
  /** By position in the file. */
  readonly nodes: ReadonlyMap<number, NodeEdit>;
  /** Initializers to take out; each with the TensorProtos, as parts, that come where it was. */
  readonly initializers: ReadonlyMap<string, readonly Parts[]>;
  readonly addedInitializers: readonly Parts[];
  /** Graph inputs to take out; each with the ValueInfoProtos that come where it was. */
  readonly inputs: ReadonlyMap<string, Parts>;
  readonly addedInputs: Parts;
  /** Operator sets to import that the model does not. */
  readonly opsets: ReadonlyMap<string, number>;
}

/** @throws LoadError when the bytes are no protobuf message */
export function wireModel(bytes: Uint8Array): WireModel {
  const fields = wireFields(bytes);
  const graphFields = fields.flatMap(({ number, payload }) =>
    number === MODEL.graph ? wireFields(payload) : [],
  );
  const messages = (number: number): Uint8Array[] =>
    graphFields.flatMap((field) => (field.number === number ? [field.payload] : []));
  return {
    irVersion: numberOf(bytes, MODEL.irVersion) ?? 0,
    opsets: new Map(
      payloadsOf(bytes, MODEL.opsetImport).map((entry) => [
        standard(stringOf(entry, 1)),
        numberOf(entry, 2) ?? 0,
      ]),
    ),
    nodes: messages(GRAPH.node).map(wireNode),
    initializers: new Set([
      ...messages(GRAPH.initializer).map(initializerName),
      ...messages(GRAPH.sparseInitializer).map(sparseName),
    ]),
    inputs: new Set(messages(GRAPH.input).map((message) => stringOf(message, 1))),
    outputs: messages(GRAPH.output).map((message) => stringOf(message, 1)),
    fields,
    graphFields,
  };
}

/** Domain of operators as `Graph` has it. */
export function standard(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function wireNode(bytes: Uint8Array): WireNode {
  return {
    bytes,
    op: stringOf(bytes, NODE.op),
    domain: stringOf(bytes, NODE.domain),
    name: stringOf(bytes, NODE.name),
    inputs: payloadsOf(bytes, NODE.input).map(text),
    outputs: payloadsOf(bytes, NODE.output).map(text),
  };
}

function initializerName(tensor: Uint8Array): string {
  return stringOf(tensor, TENSOR.name);
}

/** A SparseTensorProto has the name of its values. */
function sparseName(sparse: Uint8Array): string {
  return initializerName(payloadsOf(sparse, 1).at(-1) ?? new Uint8Array(0));
}

/** The parts of the changed model, fields in the order that they had; new ones behind those of their kind. */
export function editedModel(model: WireModel, edits: ModelEdits): Parts {
  const graph = editedGraph(model, edits);
  const opsets = [...edits.opsets].flatMap(([domain, version]) =>
    bytesField(MODEL.opsetImport, [...stringField(1, domain), numberField(2, version)]),
  );
  const lastImport = model.fields.findLastIndex(({ number }) => number === MODEL.opsetImport);
  let isGraphWritten = false;
  return model.fields.flatMap((field, at) => {
    if (field.number !== MODEL.graph) return at === lastImport ? [field.bytes, ...opsets] : [field.bytes];
    if (isGraphWritten) return [];
    isGraphWritten = true;
    return bytesField(MODEL.graph, graph);
  });
}

function editedGraph({ graphFields }: WireModel, edits: ModelEdits): Parts {
  const parts: Uint8Array[] = [];
  const write = (number: number, messages: readonly (Uint8Array | Parts)[]): void => {
    for (const message of messages) for (const part of bytesField(number, message)) parts.push(part);
  };
  let position = 0;
  for (const field of graphFields) {
    if (field.number === GRAPH.node) {
      if (position === 0) write(GRAPH.node, edits.first);
      const edit = edits.nodes.get(position++);
      if (edit === undefined) parts.push(field.bytes);
      else
        write(GRAPH.node, [...edit.before, ...(edit.node === undefined ? [] : [edit.node]), ...edit.after]);
      continue;
    }
    const instead = replacement(field, edits);
    if (instead === undefined) parts.push(field.bytes);
    else write(field.number === GRAPH.input ? GRAPH.input : GRAPH.initializer, instead);
  }
  if (position === 0) write(GRAPH.node, edits.first);
  write(GRAPH.initializer, edits.addedInitializers);
  write(GRAPH.input, edits.addedInputs);
  return parts;
}

/** Messages that come in the place of an initializer or a graph input; undefined where it stays. */
function replacement(
  { number, payload }: WireField,
  edits: ModelEdits,
): readonly (Uint8Array | Parts)[] | undefined {
  if (number === GRAPH.initializer) return edits.initializers.get(initializerName(payload));
  if (number === GRAPH.sparseInitializer) return edits.initializers.get(sparseName(payload));
  return number === GRAPH.input ? edits.inputs.get(stringOf(payload, 1)) : undefined;
}

/**
 * A node with other inputs and outputs and all else as it was. Inputs beyond those that it had are added.
 *
 * @param nested gives what comes in the place of an attribute; the attribute itself where nothing changes
 */
export function editedNode(
  node: WireNode,
  inputs: readonly string[],
  outputs: readonly string[],
  nested: (attribute: Uint8Array) => Uint8Array = (attribute) => attribute,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const put = (number: number, names: readonly string[], from: number, to: number): void => {
    for (const name of names.slice(from, to)) parts.push(...stringField(number, name));
  };
  const fields = wireFields(node.bytes);
  const last = fields.findLastIndex(({ number }) => number === NODE.input);
  if (last < 0) put(NODE.input, inputs, 0, inputs.length);
  let input = 0;
  let output = 0;
  fields.forEach((field, at) => {
    if (field.number === NODE.input) {
      put(NODE.input, inputs, input, at === last ? inputs.length : input + 1);
      input++;
    } else if (field.number === NODE.output) {
      put(NODE.output, outputs, output, output + 1);
      output++;
    } else if (field.number === NODE.attribute) {
      const attribute = nested(field.payload);
      parts.push(...(attribute === field.payload ? [field.bytes] : bytesField(NODE.attribute, attribute)));
    } else parts.push(field.bytes);
  });
  return joined(parts);
}

/** A TensorProto with its elements as raw bytes, which are not copied. */
export function tensorProto(name: string, dataType: number, dims: readonly number[], raw: Uint8Array): Parts {
  return [
    ...dims.map((dim) => numberField(TENSOR.dims, dim)),
    numberField(TENSOR.dataType, dataType),
    ...stringField(TENSOR.name, name),
    ...bytesField(TENSOR.rawData, raw),
  ];
}
