/** Models of a few integer operators, made in the test, and what ONNX Runtime computes in them beside what the loaded lane does. */
import * as ort from 'onnxruntime-node';
import { operatorProgram } from '../../../src/compile/operator-program.js';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import type { ConstantData, DType, Graph, TensorId } from '../../../src/ir/graph.js';
import { FLOAT_LANE, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { operatorsOf } from '../../../src/ir/operators.js';
import { ONNX_DATA_TYPE } from '../../../src/ir/onnx-data-type.js';
import { toFloat32 } from '../../../src/ir/elements.js';
import { decodeModel, encodeModel, onnx, toLong } from '../../../src/onnx/proto.js';
import type { AttributeProto, NodeProto, TensorProto, ValueInfoProto } from '../../../src/onnx/proto.js';
import { openSession } from '../../../src/run/runtime.js';
import type { Feed } from '../../../src/run/data/dataset.js';

export type AttrValue = number | string | readonly number[] | { readonly float: number };

export interface Activation {
  readonly dims: readonly number[];
  readonly dtype?: 'uint8' | 'int8';
  readonly scale: number;
  readonly zeroPoint: number;
}

type Typed = 'uint8' | 'int8' | 'int32' | 'int64' | 'float32' | 'bool';

/** Deterministic numbers in [0, 1). */
function noise(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `count` integers in [low, high]. */
export function codes(seed: number, count: number, low: number, high: number): number[] {
  const next = noise(seed);
  return Array.from({ length: count }, () => low + Math.floor(next() * (high - low + 1)));
}

/** Codes of a weight; int8 in 7 bits: on x86 without VNNI, ONNX Runtime's products of uint8 and int8 saturate beyond. */
export function weightCodes(dtype: 'int8' | 'uint8', seed: number, count: number): number[] {
  return dtype === 'int8' ? codes(seed, count, -64, 63) : codes(seed, count, 0, 255);
}

export function reals(seed: number, count: number, scale = 1): number[] {
  const next = noise(seed);
  return Array.from({ length: count }, () => (next() * 2 - 1) * scale);
}

export function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A graph built node by node; float inputs get random values within what their codes can say, and beyond on both sides. */
export class TestModel {
  readonly feeds = new Map<string, Feed>();
  readonly #opset: number;
  readonly #nodes: NodeProto[] = [];
  readonly #inputs: ValueInfoProto[] = [];
  readonly #outputs: ValueInfoProto[] = [];
  readonly #constants: TensorProto[] = [];

  constructor(opset = 17) {
    this.#opset = opset;
  }

  input(name: string, dims: readonly number[], values: readonly number[], dtype: DType = 'float32'): this {
    this.#inputs.push(info(name, dtype, dims));
    this.feeds.set(name, { dtype, dims, data: array(dtype as Typed, values) });
    return this;
  }

  /** Input `name`, its codes `<name>_q`, its parameters `<name>_scale` and `<name>_zp`. */
  activation(name: string, { dims, dtype = 'uint8', scale, zeroPoint }: Activation): this {
    const next = noise(name.charCodeAt(0) + dims.length);
    const low = dtype === 'uint8' ? 0 : -128;
    const values = Array.from({ length: size(dims) }, () => (low - 10 + next() * 276 - zeroPoint) * scale);
    return this.input(name, dims, values)
      .scale(name, dtype, [scale], [zeroPoint])
      .node('QuantizeLinear', [name, `${name}_scale`, `${name}_zp`], [`${name}_q`]);
  }

  /** `<name>_scale` and `<name>_zp`; scalars where there is one. */
  scale(name: string, dtype: Typed, scale: readonly number[], zeroPoint: readonly number[]): this {
    const dims = (values: readonly number[]): number[] => (values.length === 1 ? [] : [values.length]);
    return this.constant(`${name}_scale`, 'float32', dims(scale), scale).constant(
      `${name}_zp`,
      dtype,
      dims(zeroPoint),
      zeroPoint,
    );
  }

  constant(
    name: string,
    dtype: Typed | 'float16' | 'int4' | 'uint4',
    dims: readonly number[],
    values: readonly number[],
  ): this {
    const rawData = new Uint8Array(array(dtype, values).buffer);
    this.#constants.push({ name, dims: [...dims], dataType: ONNX_DATA_TYPE[dtype], rawData });
    return this;
  }

  node(
    op: string,
    input: readonly string[],
    output: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
    domain = '',
  ): this {
    const attribute = Object.entries(attrs).map(([name, value]) => attributeOf(name, value));
    this.#nodes.push({
      name: `${output[0]}_node`,
      opType: op,
      domain,
      input: [...input],
      output: [...output],
      attribute,
    });
    return this;
  }

  microsoft(
    op: string,
    input: readonly string[],
    output: readonly string[],
    attrs: Readonly<Record<string, AttrValue>> = {},
  ): this {
    return this.node(op, input, output, attrs, 'com.microsoft');
  }

  output(name: string, dtype: DType): this {
    this.#outputs.push(info(name, dtype, undefined));
    return this;
  }

  bytes(): Uint8Array {
    return encodeModel({
      irVersion: 9,
      opsetImport: [
        { domain: '', version: this.#opset },
        { domain: 'com.microsoft', version: 1 },
      ],
      graph: {
        name: 'g',
        node: this.#nodes,
        input: this.#inputs,
        output: this.#outputs,
        initializer: this.#constants,
      },
    });
  }
}

function info(name: string, dtype: DType, dims: readonly number[] | undefined): ValueInfoProto {
  const shape = dims === undefined ? {} : { shape: { dim: dims.map((dimValue) => ({ dimValue })) } };
  return { name, type: { tensorType: { elemType: ONNX_DATA_TYPE[dtype], ...shape } } };
}

function attributeOf(name: string, value: AttrValue): AttributeProto {
  const { AttributeType } = onnx.AttributeProto;
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { name, type: AttributeType.STRING, s: Buffer.from(value) };
  if ('float' in value) return { name, type: AttributeType.FLOAT, f: value.float };
  return { name, type: AttributeType.INTS, ints: value.map((item) => toLong(BigInt(item))) };
}

/** Values of float16, int4 and uint4 are given as the bytes or words that are stored. */
function array(dtype: Typed | 'float16' | 'int4' | 'uint4', values: readonly number[]): Feed['data'] {
  switch (dtype) {
    case 'int8':
      return Int8Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'float32':
      return Float32Array.from(values);
    case 'float16':
      return Uint16Array.from(values);
    default:
      return Uint8Array.from(values);
  }
}

interface FileValue {
  readonly type: string;
  readonly values: Float64Array;
}

/** Every value of a file as ONNX Runtime computes it node by node, by name. */
async function fileValues(
  bytes: Uint8Array,
  feeds: ReadonlyMap<string, Feed>,
): Promise<Map<string, FileValue>> {
  const { graph } = decodeModel(bytes);
  const known = new Set(graph?.output?.map(({ name }) => name));
  const hidden = (graph?.node ?? [])
    .flatMap(({ output }) => output ?? [])
    .filter((name) => name !== '' && !known.has(name));
  // Concatenated messages merge: the file itself stays as it is.
  const more = encodeModel({ graph: { output: hidden.map((name) => ({ name })) } });
  const session = await ort.InferenceSession.create(Buffer.concat([bytes, more]), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const given = Object.fromEntries(
    [...feeds].map(([name, { dtype, data, dims }]) => [
      name,
      new ort.Tensor(dtype as ort.Tensor.Type, data as Float32Array, dims),
    ]),
  );
  const results = await session.run(given);
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { type, data }]) => [
      name,
      { type, values: Float64Array.from(data as ArrayLike<number | bigint>, Number) },
    ]),
  );
}

/** Values that the consumers of the tensors read in the lane. */
async function laneValues(
  graph: Graph,
  lane: Lane,
  tensors: readonly TensorId[],
  feeds: ReadonlyMap<string, Feed>,
): Promise<Float64Array[]> {
  const { model, positions } = inferenceProgram(graph, lane, tensors);
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(feeds);
  await session.close();
  return positions.map((at) =>
    Float64Array.from(results[at] as unknown as ArrayLike<number | bigint>, Number),
  );
}

export interface Comparison {
  /** Tensors whose codes were compared. */
  readonly tensors: readonly string[];
  /** Largest difference in codes, and how many elements differ at all. */
  readonly worst: number;
  readonly apart: number;
  readonly count: number;
  /** Largest difference of tensors without codes, beside the largest magnitude of the same tensor. */
  readonly worstFloat: number;
  readonly floats: readonly string[];
}

/** Every tensor of the loaded network beside the value that the file has for it. */
export async function compared(
  bytes: Uint8Array,
  { graph, lane = FLOAT_LANE }: { readonly graph: Graph; readonly lane?: Lane },
  feeds: ReadonlyMap<string, Feed>,
): Promise<Comparison> {
  const wanted = await fileValues(bytes, feeds);
  const ids = graph.nodes.flatMap(({ outputs }) => outputs).filter((id) => id !== null);
  const coded = [...graph.inputs, ...ids].flatMap((id) => {
    const params = lane.tensors.get(id);
    const name = lane.stored?.get(id)?.codes.find((codesName) => wanted.has(codesName));
    return params === undefined || name === undefined ? [] : [{ id, params, name }];
  });
  const plain = ids.filter((id) => lane.tensors.get(id) === undefined && wanted.has(graph.tensors[id]!.name));
  const values = await laneValues(graph, lane, [...coded.map(({ id }) => id), ...plain], feeds);
  let [worst, apart, count, worstFloat] = [0, 0, 0, 0];
  coded.forEach(({ params, name }, i) => {
    const file = wanted.get(name)!.values;
    const found = codesOf(values[i]!, params);
    if (found.length !== file.length)
      throw new Error(`${name} has ${file.length} codes, the lane ${found.length}`);
    count += file.length;
    for (const [at, code] of file.entries()) {
      const difference = Math.abs(found[at]! - code);
      if (difference > 0) apart++;
      worst = Math.max(worst, difference);
    }
  });
  plain.forEach((id, i) => {
    const file = wanted.get(graph.tensors[id]!.name)!.values;
    const found = values[coded.length + i]!;
    if (found.length !== file.length) throw new Error(`${graph.tensors[id]!.name} has another size`);
    const peak = file.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    for (const [at, value] of file.entries()) {
      worstFloat = Math.max(worstFloat, Math.abs(found[at]! - value) / (peak || 1));
    }
  });
  const named = (id: TensorId): string => graph.tensors[id]!.name;
  return {
    tensors: coded.map(({ id }) => named(id)),
    worst,
    apart,
    count,
    worstFloat,
    floats: plain.map(named),
  };
}

interface OperatorComparison {
  /** File's name of the codes. */
  readonly codes: string;
  readonly worst: number;
  readonly apart: number;
  readonly count: number;
}

/**
 * Every operator by itself, on the inputs that it has in the file. A whole network is farther apart: a sum in the middle between two
 * codes is rounded to either, and operators whose output has finer steps than their input widen that.
 */
export async function comparedByOperator(
  bytes: Uint8Array,
  { graph: loaded, lane = FLOAT_LANE }: { readonly graph: Graph; readonly lane?: Lane },
  feeds: ReadonlyMap<string, Feed>,
): Promise<OperatorComparison[]> {
  const graph = inferShapes(loaded);
  const file = await fileValues(bytes, feeds);
  const { model, inputs, outputs } = operatorProgram(graph, lane, ...operatorsOf(graph));
  const codesName = (tensor: TensorId): string =>
    lane.stored?.get(tensor)?.codes.find((name) => file.has(name)) ?? graph.tensors[tensor]!.name;
  const given = inputs.map(({ tensor, name, isCodes }): [string, Feed] => {
    const { name: own, shape = [] } = graph.tensors[tensor]!;
    const known = feeds.get(own);
    if (!isCodes && known !== undefined) return [name, known];
    const values = file.get(isCodes ? codesName(tensor) : own)?.values;
    if (values === undefined) throw new Error(`${own} is not in the file`);
    return [name, { dtype: 'float32', dims: shape.map(Number), data: Float32Array.from(values) }];
  });
  const session = await openSession(model, { threads: 1 });
  const results = await session.run(new Map(given));
  await session.close();
  return outputs
    .filter(({ tensor, isCodes }) => isCodes && lane.stored?.has(tensor) === true)
    .map(({ tensor, position }) => {
      const codesOfFile = codesName(tensor);
      const wanted = file.get(codesOfFile)!.values;
      const found = results[position] as Float32Array;
      const differences = wanted.map((code, i) => Math.abs(found[i]! - code));
      return {
        codes: codesOfFile,
        worst: differences.reduce((most, difference) => Math.max(most, difference), 0),
        apart: differences.filter((difference) => difference > 0).length,
        count: differences.length,
      };
    });
}

function codesOf(values: Float64Array, { scale, zeroPoint, granularity }: QuantParams): Float64Array {
  if (granularity.kind !== 'per-tensor') throw new Error('activations have one scale');
  return values.map((value) => Math.round(value / scale[0]!) + zeroPoint[0]!);
}

/** Elements of a constant. */
export function elements(data: ConstantData | undefined): number[] {
  return data === undefined ? [] : Array.from(toFloat32(data));
}
