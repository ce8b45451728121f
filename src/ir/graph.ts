/**
 * The one intermediate representation: a float graph in ONNX operator vocabulary and semantics.
 *
 * Identity is an index, never a name: TFLite tensor names repeat and instrumented ONNX graphs rename.
 * Names are kept exactly as in the user's file, for the user only.
 */

/** Index into `Graph.tensors`. */
export type TensorId = number & { readonly __id: 'tensor' };
/** Index into `Graph.nodes`. */
export type NodeId = number & { readonly __id: 'node' };

export const FLOAT_DTYPES = ['float32', 'float16', 'bfloat16', 'float64'] as const;
export type FloatDType = (typeof FLOAT_DTYPES)[number];

export type DType =
  | FloatDType
  | 'int2'
  | 'uint2'
  | 'int4'
  | 'uint4'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'complex64'
  | 'complex128';

export function isFloat(dtype: DType | undefined): dtype is FloatDType {
  return (FLOAT_DTYPES as readonly (string | undefined)[]).includes(dtype);
}

/** A number is a fixed extent; a string is a symbolic one such as "batch"; null is unknown and unnamed. */
export type Dim = number | string | null;
export type Shape = readonly Dim[];

/** Elements of a constant, read on demand: listing a 2 GB model must not copy it. */
export interface ConstantData {
  readonly dtype: DType;
  /** All extents are fixed; `[]` is a scalar. */
  readonly dims: readonly number[];
  readonly byteLength: number;
  /** Little-endian elements in row-major order; sub-byte types packed low nibble first, as ONNX stores them. May be a view: do not write. */
  bytes(): Uint8Array;
  /** Strings of a string tensor, which have no bytes. */
  readonly strings?: readonly Uint8Array[];
  /** Where the bytes lie when they are outside the model file: the runtime then reads them itself. */
  readonly external?: { readonly directory: string; readonly location: string; readonly offset: number };
}

/** A value of the graph: an activation (has a producer or is a graph input) or a constant (has `data`). */
export interface Tensor {
  readonly id: TensorId;
  /** Exactly as in the user's file; made-up tensors (folded constants, fused weights) are named after what they came from. */
  readonly name: string;
  /** Undefined while unknown (an operator without shape inference, an opaque subgraph). */
  readonly dtype: DType | undefined;
  /** Undefined = unknown rank; `[]` = scalar. */
  readonly shape: Shape | undefined;
  readonly data?: ConstantData;
  /** Where the file has the axes in another order than the IR: dimension k of the file is dimension `fileAxes[k]` here. */
  readonly fileAxes?: readonly number[];
}

/**
 * A nested graph (the body of If, Loop, Scan) that the IR does not look into.
 * `captures` are the outer tensors it reads by name; `encode` gives GraphProto bytes in which each capture is
 * called `rename(tensor)`.
 */
export interface OpaqueGraph {
  readonly captures: readonly TensorId[];
  encode(rename: (captured: TensorId) => string): Uint8Array;
}

export type Attr =
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly bigint[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: ConstantData }
  | { readonly type: 'graph'; readonly value: OpaqueGraph }
  /** AttributeProto bytes kept as they came: types qdbg has no use for (sparse tensors, type protos, graph lists). */
  | { readonly type: 'raw'; readonly value: Uint8Array };

/** Where a node came from. Every message to the user is written in these terms. */
export interface Origin {
  /** Name of the node in the file, '' when it has none. */
  readonly name: string;
  /** Operator as the file calls it. */
  readonly op: string;
  /** Position in the file's own node list (of the main graph; for inlined functions, of the call). */
  readonly index: number;
  /** Nodes of the file that were merged into this one, such as the BatchNormalization folded into a Conv. */
  readonly absorbed?: readonly string[];
  /** Call path through inlined model-local functions, outermost first. */
  readonly functionPath?: readonly string[];
  /**
   * Absent on the one node that stands for the operator of the file. 'step': another node of an operator that the file has as
   * one, such as its fused activation; nodes of one operator follow each other and share `index`. 'layout': only brings a
   * tensor into another order of axes, which the file does not do.
   */
  readonly part?: 'step' | 'layout';
  /** A step that the file does not have, for an activation function that only the range of the integers stands for. */
  readonly implied?: true;
}

/** Domain of operators that are in the file but that nothing here computes: what depends on them is not measured. */
export const OPAQUE_DOMAIN = 'opaque';

export interface Node {
  readonly id: NodeId;
  readonly op: string;
  /** '' is ai.onnx. */
  readonly domain: string;
  readonly attrs: ReadonlyMap<string, Attr>;
  /** null = omitted optional input. */
  readonly inputs: readonly (TensorId | null)[];
  /** null = omitted optional output. */
  readonly outputs: readonly (TensorId | null)[];
  readonly origin: Origin;
}

export interface Graph {
  readonly name: string;
  readonly format: 'onnx' | 'tflite';
  /** Imported operator sets by domain; '' is ai.onnx. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  readonly tensors: readonly Tensor[];
  /** In topological order. */
  readonly nodes: readonly Node[];
  /** Without the initializers that old ONNX files also list as inputs. */
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  /** Key/value pairs of the file (metadata_props), such as an exporter's class names. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly producer: string;
  /**
   * Tensors that the file does not have: between the nodes of one of its operators, constants of those nodes, or an activation
   * once more in another order of axes. They are never shown or measured.
   */
  readonly inner?: ReadonlySet<TensorId>;
}

/**
 * Name of a node for the user: its own, or operator and position when the file gives none; behind the calls through which
 * inlined functions reached it.
 */
export function nodeLabel(node: Node): string {
  const { name, op, index, functionPath = [] } = node.origin;
  return [...functionPath, name !== '' ? name : `${op}#${index}`].join('/');
}

export function tensorOf(graph: Graph, id: TensorId): Tensor {
  const tensor = graph.tensors[id];
  if (tensor === undefined) throw new RangeError(`tensor ${id} is not in graph ${graph.name}`);
  return tensor;
}

export function nodeOf(graph: Graph, id: NodeId): Node {
  const node = graph.nodes[id];
  if (node === undefined) throw new RangeError(`node ${id} is not in graph ${graph.name}`);
  return node;
}

export function intAttr(node: Node, name: string): number | undefined {
  const attr = node.attrs.get(name);
  return attr?.type === 'int' ? Number(attr.value) : undefined;
}

export function floatAttr(node: Node, name: string): number | undefined {
  const attr = node.attrs.get(name);
  return attr?.type === 'float' ? attr.value : undefined;
}

export function intsAttr(node: Node, name: string): readonly number[] | undefined {
  const attr = node.attrs.get(name);
  return attr?.type === 'ints' ? attr.value.map(Number) : undefined;
}

export function stringAttr(node: Node, name: string): string | undefined {
  const attr = node.attrs.get(name);
  return attr?.type === 'string' ? attr.value : undefined;
}

/** One use of a tensor: input `slot` of `node`. */
export interface Use {
  readonly node: NodeId;
  readonly slot: number;
}

/** Producer and uses of every tensor, computed once per graph. */
export interface Topology {
  /** Node that writes the tensor; undefined for graph inputs and constants. */
  readonly producer: readonly (NodeId | undefined)[];
  /** Uses in node order; a subgraph that captures the tensor counts with slot -1. */
  readonly uses: readonly (readonly Use[])[];
}

const topologies = new WeakMap<Graph, Topology>();

export function topologyOf(graph: Graph): Topology {
  const known = topologies.get(graph);
  if (known !== undefined) return known;
  const producer = new Array<NodeId | undefined>(graph.tensors.length).fill(undefined);
  const uses: Use[][] = Array.from(graph.tensors, () => []);
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== null) producer[output] = node.id;
    node.inputs.forEach((input, slot) => {
      if (input !== null) uses[input]?.push({ node: node.id, slot });
    });
    for (const attr of node.attrs.values()) {
      if (attr.type !== 'graph') continue;
      for (const captured of attr.value.captures) uses[captured]?.push({ node: node.id, slot: -1 });
    }
  }
  const topology: Topology = { producer, uses };
  topologies.set(graph, topology);
  return topology;
}
