/**
 * Builds IR graphs by hand in tests, without a model file:
 *
 *   const g = graph({ opset: 17 })
 *     .input('x', 'float32', ['N', 3, 8, 8])
 *     .constant('w', 'float32', [4, 3, 3, 3])
 *     .node('Conv', { inputs: ['x', 'w'], outputs: ['y'], attrs: { pads: [1, 1, 1, 1] } })
 *     .output('y')
 *     .build();
 *   tensorNamed(g, 'y').shape;
 *
 * A tensor exists from the first time it is named. Nodes must be added in topological order.
 */
import { packedByteLength } from '../../src/ir/elements.js';
import type {
  Attr,
  ConstantData,
  DType,
  Graph,
  Node,
  NodeId,
  Shape,
  Tensor,
  TensorId,
} from '../../src/ir/graph.js';

/** Plain values for attributes: integers become int/ints; a number with a fraction becomes float; else pass an Attr. */
export type AttrValue = Attr | ConstantData | number | string | readonly number[] | readonly string[];

export interface NodeSpec {
  /** '' or null = omitted optional input. */
  readonly inputs?: readonly (string | null)[];
  readonly outputs?: readonly (string | null)[];
  readonly attrs?: Readonly<Record<string, AttrValue>>;
  readonly domain?: string;
  readonly name?: string;
}

export interface GraphOptions {
  /** Version of ai.onnx; 17 when not given. */
  readonly opset?: number;
  /** Other domains, such as { 'com.microsoft': 1 }. */
  readonly opsets?: Readonly<Record<string, number>>;
  readonly name?: string;
  readonly format?: Graph['format'];
}

/** A float attribute whose value may be integral: `{ alpha: float(1) }`. */
export function float(value: number): Attr {
  return { type: 'float', value };
}

/** A floats attribute: `{ scales: floats([1, 1, 2, 2]) }`. */
export function floats(value: readonly number[]): Attr {
  return { type: 'floats', value };
}

/**
 * Elements of a constant; zeros when no values are given. int4 and uint4 are packed low nibble first.
 *
 * @throws Error when values are given for a type this builder does not encode, or their count is not that of dims.
 */
export function constantData(
  dtype: DType,
  dims: readonly number[],
  values?: readonly number[],
): ConstantData {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (values !== undefined && values.length !== count) {
    throw new Error(`${values.length} values for dims [${dims.join(', ')}]`);
  }
  const bytes = encode(dtype, dims, values);
  return { dtype, dims, byteLength: bytes.byteLength, bytes: () => bytes };
}

/** Tensor of that name. @throws Error when the graph has none. */
export function tensorNamed(graph: Graph, name: string): Tensor {
  const tensor = graph.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`no tensor '${name}'`);
  return tensor;
}

/** Node that writes the tensor of that name. @throws Error when there is none. */
export function producerOf(graph: Graph, name: string): Node {
  const { id } = tensorNamed(graph, name);
  const node = graph.nodes.find((candidate) => candidate.outputs.includes(id));
  if (node === undefined) throw new Error(`no node writes '${name}'`);
  return node;
}

export function graph(options: GraphOptions = {}): GraphBuilder {
  return new GraphBuilder(options);
}

export class GraphBuilder {
  readonly #options: GraphOptions;
  readonly #tensors: Tensor[] = [];
  readonly #ids = new Map<string, TensorId>();
  readonly #nodes: Node[] = [];
  readonly #inputs: TensorId[] = [];
  readonly #outputs: TensorId[] = [];

  constructor(options: GraphOptions) {
    this.#options = options;
  }

  input(name: string, dtype?: DType, shape?: Shape): this {
    this.#inputs.push(this.#declare(name, { dtype, shape }));
    return this;
  }

  /** A graph output, with the type the file declares for it, if any. */
  output(name: string, dtype?: DType, shape?: Shape): this {
    this.#outputs.push(this.#declare(name, { dtype, shape }));
    return this;
  }

  /** What the file says about an intermediate tensor (value_info). */
  value(name: string, dtype: DType | undefined, shape?: Shape): this {
    this.#declare(name, { dtype, shape });
    return this;
  }

  /** An initializer; zeros when no values are given. */
  constant(name: string, dtype: DType, dims: readonly number[], values?: readonly number[]): this {
    return this.data(name, constantData(dtype, dims, values));
  }

  /** An initializer with elements made elsewhere. */
  data(name: string, data: ConstantData): this {
    this.#declare(name, { dtype: data.dtype, shape: data.dims, data });
    return this;
  }

  node(op: string, spec: NodeSpec = {}): this {
    const index = this.#nodes.length;
    this.#nodes.push({
      id: index as NodeId,
      op,
      domain: spec.domain ?? '',
      attrs: new Map(Object.entries(spec.attrs ?? {}).map(([name, value]) => [name, attrOf(value)])),
      inputs: (spec.inputs ?? []).map((name) => this.#optional(name)),
      outputs: (spec.outputs ?? []).map((name) => this.#optional(name)),
      origin: { name: spec.name ?? '', op, index },
    });
    return this;
  }

  build(): Graph {
    const { opset = 17, opsets = {}, name = 'test', format = 'onnx' } = this.#options;
    return {
      name,
      format,
      opsets: new Map([['', opset], ...Object.entries(opsets)]),
      irVersion: 10,
      tensors: [...this.#tensors],
      nodes: [...this.#nodes],
      inputs: [...this.#inputs],
      outputs: [...this.#outputs],
      metadata: new Map(),
      producer: 'graph-builder',
    };
  }

  #optional(name: string | null): TensorId | null {
    return name === null || name === '' ? null : this.#declare(name, {});
  }

  #declare(name: string, known: Partial<Omit<Tensor, 'id' | 'name'>>): TensorId {
    const id = this.#ids.get(name) ?? (this.#tensors.length as TensorId);
    this.#ids.set(name, id);
    const before = this.#tensors[id];
    const data = known.data ?? before?.data;
    this.#tensors[id] = {
      id,
      name,
      dtype: known.dtype ?? before?.dtype,
      shape: known.shape ?? before?.shape,
      ...(data === undefined ? {} : { data }),
    };
    return id;
  }
}

function attrOf(value: AttrValue): Attr {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { type: 'int', value: BigInt(value) } : { type: 'float', value };
  }
  if (typeof value === 'string') return { type: 'string', value };
  if (isStrings(value)) return { type: 'strings', value };
  if (isNumbers(value)) {
    return value.every(Number.isInteger)
      ? { type: 'ints', value: value.map(BigInt) }
      : { type: 'floats', value };
  }
  return 'dims' in value ? { type: 'tensor', value } : value;
}

function isStrings(value: AttrValue): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}

function isNumbers(value: AttrValue): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

const TYPED: Partial<Record<DType, (values: readonly number[]) => ArrayBufferView>> = {
  float32: (values) => Float32Array.from(values),
  float64: (values) => Float64Array.from(values),
  int8: (values) => Int8Array.from(values),
  uint8: (values) => Uint8Array.from(values),
  bool: (values) => Uint8Array.from(values),
  int16: (values) => Int16Array.from(values),
  uint16: (values) => Uint16Array.from(values),
  int32: (values) => Int32Array.from(values),
  uint32: (values) => Uint32Array.from(values),
  int64: (values) => BigInt64Array.from(values, BigInt),
  uint64: (values) => BigUint64Array.from(values, BigInt),
  int4: packNibbles,
  uint4: packNibbles,
};

function encode(dtype: DType, dims: readonly number[], values: readonly number[] | undefined): Uint8Array {
  if (values === undefined) return new Uint8Array(packedByteLength(dtype, dims));
  const view = TYPED[dtype]?.(values);
  if (view === undefined) throw new Error(`the builder does not encode ${dtype}`);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function packNibbles(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 2));
  values.forEach((value, i) => {
    bytes[i >> 1] = (bytes[i >> 1] ?? 0) | ((value & 15) << (i % 2 === 0 ? 0 : 4));
  });
  return bytes;
}
