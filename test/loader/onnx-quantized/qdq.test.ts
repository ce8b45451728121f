/** Models with QuantizeLinear and DequantizeLinear, as exporters and as people write them. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Graph, TensorId } from '../../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../../src/ir/lane.js';
import { loadModel } from '../../../src/loader/index.js';
import { comparedWith, readReference } from '../../support/qdq-reference.js';

const FOLDER = fileURLToPath(new URL('../../../fixtures/quantized-onnx/', import.meta.url));
const MODELS = readdirSync(FOLDER).flatMap((file) => /^qdq_(.*)\.onnx$/.exec(file)?.[1] ?? []);

/** Float sums are added up in another order. */
const FLOAT_ERROR = 1e-5;

async function load(name: string): Promise<{ graph: Graph; lane: Lane }> {
  const { graph, lane } = await loadModel(`${FOLDER}qdq_${name}.onnx`);
  if (lane === undefined) throw new Error(`${name} has no lane`);
  return { graph, lane };
}

interface Described {
  /** Those of the file: `op inputs -> outputs`, with the quantizers of single inputs behind their names. */
  readonly nodes: readonly string[];
  readonly tensors: Readonly<Record<string, string>>;
}

async function described(name: string): Promise<Described> {
  const { graph, lane } = await load(name);
  const nameOf = (id: TensorId | null): string => (id === null ? '' : graph.tensors[id]!.name);
  const inFile = graph.nodes.filter(({ origin }) => origin.implied !== true);
  const nodes = inFile.map(({ id, op, inputs, outputs }) => {
    const read = inputs.map((input, slot) => {
      const params = lane.uses.get(`${id}:${slot}`);
      return params === undefined ? nameOf(input) : `${nameOf(input)} as ${params.dtype} ${shown(params)}`;
    });
    return `${op} ${read.join(', ')} -> ${outputs.map(nameOf).join(', ')}`;
  });
  const tensors = [...lane.tensors].map(([id, params]) => [
    nameOf(id),
    `${params.dtype} ${shown(params)}${lane.codes?.has(id) === true ? ' stored' : ''}`,
  ]);
  return { nodes, tensors: Object.fromEntries(tensors) as Record<string, string> };
}

function shown({ dtype, scale, zeroPoint, granularity, qmin, qmax, read }: QuantParams): string {
  const numbers = (params: Pick<QuantParams, 'scale' | 'zeroPoint'>): string =>
    `${Number(params.scale[0]!.toPrecision(4))} ${params.zeroPoint[0]}`;
  const along =
    granularity.kind === 'per-tensor' ? '' : ` ${granularity.kind} ${granularity.axis} x${scale.length}`;
  const limits = { int8: [-128, 127], uint8: [0, 255] }[dtype as string];
  const cut =
    limits === undefined || (limits[0] === qmin && limits[1] === qmax) ? '' : ` from ${qmin} to ${qmax}`;
  const back = read === undefined ? '' : ` read ${numbers(read)}`;
  return `${numbers({ scale, zeroPoint })}${along}${cut}${back}`;
}

describe('a loaded lane computes what ONNX Runtime does, tensor by tensor', () => {
  it.each(MODELS)('%s', async (name) => {
    const compared = await comparedWith(await load(name), readReference(`${FOLDER}qdq_${name}.json`));
    const apart = compared.filter(
      ({ unit, distance }) => !(distance <= (unit === 'relative' ? FLOAT_ERROR : 1.001)),
    );
    expect(apart).toEqual([]);
    expect(compared.some(({ unit }) => unit !== 'relative')).toBe(true);
  });
});

describe('pairs of QuantizeLinear and DequantizeLinear', () => {
  it('become annotations of the tensors that are quantized, and of constants with their codes', async () => {
    const { nodes, tensors } = await described('chain');
    expect(nodes).toEqual([
      'Conv x, w_codes, bias_codes -> conv',
      'Relu conv -> relu',
      'MaxPool relu -> pool',
      'Conv pool, w2_codes -> conv2_unclipped',
      'Flatten conv2 -> flat',
      'MatMul flat, w3_codes -> product',
      'Identity product -> y',
    ]);
    expect(tensors).toMatchObject({
      x: 'uint8 0.02 120',
      w_codes: 'int8 0.004 0 per-axis 0 x4 stored',
      bias_codes: 'int32 0.00008 0 per-axis 0 x4 stored',
      w3_codes: 'int8 0.01 0 per-axis 1 x6 stored',
      product: 'uint8 0.04 130',
      y: 'uint8 0.04 130',
    });
    expect(tensors['conv']).toBeUndefined();
  });

  it('leave no constant that nobody reads, and say where the file has codes and values', async () => {
    const { graph, lane } = await load('chain');
    const constants = graph.tensors.filter(({ data }) => data !== undefined).map(({ name }) => name);
    expect(constants).toEqual(['w_codes', 'bias_codes', 'w2_codes', 'w3_codes']);
    const stored = (name: string): unknown =>
      lane.stored?.get(graph.tensors.find((t) => t.name === name)!.id);
    expect(stored('relu')).toEqual({ codes: ['relu_codes'], values: ['relu_read'] });
    expect(stored('w_codes')).toEqual({ codes: ['w_codes'], values: ['w'] });
  });

  it('of equal parameters are one annotation; of different ones they belong to their readers', async () => {
    const { nodes, tensors } = await described('shared_and_merged');
    expect(tensors).toEqual({ x: 'uint8 0.02 128' });
    expect(nodes).toContain('Sub t as uint8 0.02 128, t as uint8 0.05 100 -> two');
    expect(nodes).toContain('Relu t -> t_relu');
  });

  it('behind each other have a tensor between them where their parameters differ, and none where they do not', async () => {
    const { nodes, tensors } = await described('double_pairs');
    expect(nodes).toEqual([
      'Relu x -> relu',
      'Identity relu -> between',
      'Sigmoid between as int8 0.03 7 -> sigmoid',
      'Add sigmoid, relu -> sum',
    ]);
    expect(tensors).toEqual({ relu: 'uint8 0.05 128', sigmoid: 'uint8 0.05 128' });
  });

  it('that read codes otherwise than they were written carry the parameters of their reader', async () => {
    const { nodes, tensors } = await described('read_otherwise');
    expect(tensors['x']).toBe('uint8 0.02 128 read 0.025 120');
    expect(nodes).toContain('Add relu as uint8 0.01 0, relu as uint8 0.01 0 per-axis 1 x3 read 0.01 0 -> y');
  });

  it('with a Clip between them have narrower limits', async () => {
    const { nodes, tensors } = await described('narrow_limits');
    expect(tensors).toEqual({
      x: 'int8 0.02 0 from -8 to 7',
      w: 'int8 0.05 0 per-axis 0 x3 from -7 to 7',
    });
    expect(nodes).toContain('Add product as int8 0.05 3 from -128 to 7, relu -> y');
  });
});

describe('codes at the ends of a network', () => {
  it('become floats of the same name, with the parameters of the codes', async () => {
    const { graph, lane } = await load('integer_ends');
    const ends = [...graph.inputs, ...graph.outputs].map((id) => graph.tensors[id]!);
    expect(ends.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['image', 'float32'],
      ['mask', 'float32'],
      ['codes_out', 'float32'],
      ['y', 'float32'],
    ]);
    for (const { id, name } of ends.slice(0, 3)) {
      expect(lane.stored?.get(id)?.codes).toContain(name);
      expect(lane.tensors.has(id)).toBe(true);
    }
  });
});

describe('operators on codes', () => {
  it('that only hand them on act on the values, with the same parameters behind them', async () => {
    const { graph, lane } = await load('moved_codes');
    expect(lane.unfolded).toBeUndefined();
    expect(graph.nodes.filter(({ op }) => /QuantizeLinear/.test(op))).toEqual([]);
    const { tensors } = await described('moved_codes');
    expect(new Set(Object.values(tensors))).toEqual(new Set(['int8 0.02 7', 'int8 0.02 7 from -20 to 60']));
  });

  it('that compute with them stay, and so do parameters that are not constant and 8-bit floats, each with the reason', async () => {
    const { graph, lane } = await load('kept_codes');
    const reasons = lane.unfolded?.map(
      ({ node, reason }) =>
        `${graph.nodes[node]!.outputs.map((id) => graph.tensors[id!]!.name).join()}: ${reason}`,
    );
    expect(reasons).toEqual([
      'x_codes: plain/Cast (Cast) reads its codes',
      "sum_codes: its scale 'computed_scale' is not a constant",
      "dynamic: its scale 'computed_scale' is not a constant",
      'dynamic_codes: codes of type float8e4m3fn are not simulated',
      'f8_read: codes of type float8e4m3fn are not simulated',
      'q2: halved/BitShift (BitShift) reads its codes',
      "y: it reads 'halved', what halved/BitShift (BitShift) writes: codes of no known tensor",
    ]);
    expect((await described('kept_codes')).tensors).toEqual({ x: 'uint8 0.02 128' });
  });

  it('in nested graphs find what they capture under its name', async () => {
    const { nodes, tensors } = await described('nested_graphs');
    expect(nodes).toEqual([
      'Relu x as uint8 0.02 128 -> relu',
      'QuantizeLinear x, x_scale, x_zero_point -> x_codes',
      'Identity relu -> relu_read',
      'If condition -> chosen',
      'Add chosen, relu -> y',
    ]);
    expect(tensors).toEqual({ relu: 'uint8 0.02 128', relu_read: 'uint8 0.02 128' });
  });
});

describe('constants', () => {
  it('under several parameters are several constants, blocks and float weights among them', async () => {
    const { nodes, tensors } = await described('constants');
    expect(tensors).toMatchObject({
      codes: 'int8 0.01 3 stored',
      floats: 'int8 0.01 0 per-axis 1 x8',
      four: `int4 ${tensors['four']?.split(' ')[1]} 0 per-block 0 x18 stored`,
      unsigned: 'uint4 0.07 8 stored',
      turned: 'uint4 0.07 8',
    });
    expect(nodes.slice(0, 4)).toEqual([
      'MatMul x, codes -> m1',
      'MatMul m1, codes_values_2 -> m2',
      'MatMul m2, codes -> m3',
      'MatMul m3, floats -> m4',
    ]);
  });

  it('are not folded with a normalization behind them, and neither is a quantized convolution', async () => {
    const { nodes } = await described('normalized_after');
    expect(nodes.map((node) => node.split(' ')[0])).toEqual([
      'Conv',
      'BatchNormalization',
      'Conv',
      'BatchNormalization',
      'Conv',
    ]);
  });
});
