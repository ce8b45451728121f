/** Model files written field by field, so that they can be wrong. */
import { encodeModel } from '../../../src/onnx/proto.js';
import type {
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from '../../../src/onnx/proto.js';

const FLOAT = 1;
export const INT64 = 7;
export const STRING = 8;
export const BOOL = 9;
export const DOUBLE = 11;

/** Without dims, a value of unknown rank; a null dim is unknown. */
export function value(
  name: string,
  dims?: readonly (number | string | null)[],
  elemType = FLOAT,
): ValueInfoProto {
  const dim = dims?.map((d) =>
    typeof d === 'number' ? { dimValue: d } : typeof d === 'string' ? { dimParam: d } : {},
  );
  return { name, type: { tensorType: { elemType, ...(dim === undefined ? {} : { shape: { dim } }) } } };
}

export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  rest: NodeProto = {},
): NodeProto {
  return { opType, input: [...input], output: [...output], name: `${output.join()}_node`, ...rest };
}

/** Small values of both signs, the same for the same dims. */
export function weight(
  name: string,
  dims: readonly number[],
  change: Partial<TensorProto> = {},
): TensorProto {
  return { ...floats(name, dims, filled(dims)), ...change };
}

export function filled(dims: readonly number[]): number[] {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: count }, (_, i) => ((i * 37) % 19) / 20 - 0.45);
}

export function floats(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  const rawData = new Uint8Array(Float32Array.from(values).buffer);
  return { name, dims: [...dims], dataType: FLOAT, rawData };
}

export function doubles(name: string, dims: readonly number[]): TensorProto {
  const rawData = new Uint8Array(Float64Array.from(filled(dims)).buffer);
  return { name, dims: [...dims], dataType: DOUBLE, rawData };
}

export const INPUT = [1, 3, 4, 4] as const;
export const WEIGHT = [2, 3, 1, 1] as const;

/** x -> Conv -> c -> Relu -> y, with parts replaced. */
export function convolution(graph: GraphProto = {}, model: ModelProto = {}): Uint8Array {
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    ...model,
    graph: {
      name: 'g',
      node: [node('Conv', ['x', 'w'], ['c'], { name: 'conv' }), node('Relu', ['c'], ['y'], { name: 'relu' })],
      input: [value('x', INPUT)],
      output: [value('y')],
      initializer: [weight('w', WEIGHT)],
      ...graph,
    },
  });
}

/** A convolution with an operator between it and the output, and whatever else `graph` says. */
export function behindConvolution(nodes: readonly NodeProto[], graph: GraphProto = {}): Uint8Array {
  const custom = {
    opsetImport: [
      { domain: '', version: 17 },
      { domain: 'my.domain', version: 1 },
    ],
  };
  const conv = node('Conv', ['x', 'w'], ['c'], { name: 'conv' });
  return convolution({ node: [conv, ...nodes], ...graph }, custom);
}

/** `levels` graphs within each other, in the then branches of Ifs; written by bytes, since the encoder would recurse. */
export function nestedModel(levels: number): Uint8Array {
  const varint = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
  const field = (number: number, bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.from(varint((number << 3) | 2)), Buffer.from(varint(bytes.length)), bytes]);
  const text = (number: number, content: string): Buffer => field(number, Buffer.from(content));
  const output = text(1, 'o');
  let graph = Buffer.concat([
    field(1, Buffer.concat([text(1, 'c'), text(2, 'o'), text(4, 'Identity')])),
    text(2, 'b'),
    field(12, output),
  ]);
  for (let level = 0; level < levels; level++) {
    const attribute = Buffer.concat([text(1, 'then_branch'), field(6, graph), Buffer.from([0xa0, 1, 5])]);
    const branch = Buffer.concat([text(1, 'c'), text(2, 'o'), text(4, 'If'), field(5, attribute)]);
    graph = Buffer.concat([field(1, branch), text(2, 'b'), field(12, output)]);
  }
  const input = Buffer.from([10, 1, 99, 18, 6, 10, 4, 8, BOOL, 18, 0]); // c, a bool scalar
  const opset = field(8, Buffer.from([16, 17]));
  return Buffer.concat([Buffer.from([8, 8]), field(7, Buffer.concat([graph, field(11, input)])), opset]);
}
