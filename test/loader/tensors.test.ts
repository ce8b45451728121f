import { describe, expect, it } from 'vitest';
import { LoadError, UnsupportedError } from '../../src/errors.js';
import { toFloat64 } from '../../src/ir/elements.js';
import type { Graph } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import { onnx } from '../../src/onnx/proto.js';
import type { TensorProto } from '../../src/onnx/proto.js';
import {
  expectedValues,
  fixture,
  loadProto,
  modelOf,
  refusal,
  temporaryFolder,
  tensorNamed,
} from './model-files.js';

interface Expected {
  'tensor-types': Record<string, { dtype: string; values: number[] }>;
  constants: Record<string, { dims: number[]; values: number[] }>;
}

const EXPECTED = expectedValues() as Expected;
const folder = temporaryFolder();

describe('tensors', () => {
  it.each(Object.entries(EXPECTED['tensor-types']))('%s holds what numpy reads', async (name, expected) => {
    const { graph } = await loadModel(fixture('tensor-types.onnx'));
    const { data, dtype } = tensorNamed(graph, name);
    expect(dtype).toBe(expected.dtype);
    expect([...toFloat64(data!)]).toEqual(expected.values);
  });

  it('in raw_data are views of the model file', async () => {
    const { graph } = await loadModel(fixture('tensor-types.onnx'));
    const bytes = tensorNamed(graph, 'float32_raw').data!.bytes();
    expect(bytes.buffer).toBe(tensorNamed(graph, 'int8_raw').data!.bytes().buffer);
  });

  it.each(Object.entries(EXPECTED.constants))(
    'constant %s holds what its file says',
    async (name, expected) => {
      const { graph } = await loadModel(fixture('constants.onnx'));
      const { data, shape } = tensorNamed(graph, name);
      expect(shape).toEqual(expected.dims);
      expect([...toFloat64(data!)]).toEqual(expected.values);
    },
  );

  it('in Constant nodes leave no node behind, strings included', async () => {
    const { graph } = await loadModel(fixture('constants.onnx'));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Relu']);
    const { data } = tensorNamed(graph, 'strings');
    expect(data!.strings!.map((text) => Buffer.from(text).toString())).toEqual(['a', 'Ünïcode']);
    expect(data!.dims).toEqual([2]);
    expect(tensorNamed(graph, 'string').data!.dims).toEqual([]);
  });

  const withTensor = (tensor: TensorProto): Promise<Graph> =>
    loadProto(folder, modelOf({ initializer: [{ name: 'w', ...tensor }] }));

  it.each<[string, TensorProto, RegExp]>([
    [
      'too few bytes',
      { dataType: 1, dims: [3], rawData: new Uint8Array(8) },
      /"w" \(float32, dims \[3\]\) takes 12 bytes; the file has 8/,
    ],
    [
      'too many bytes',
      { dataType: 22, dims: [3], rawData: new Uint8Array(3) },
      /takes 2 bytes; the file has 3/,
    ],
    ['too few values', { dataType: 1, dims: [2, 2], floatData: [1] }, /takes 4 values; the file has 1/],
    ['no data at all', { dataType: 7, dims: [1] }, /takes 1 values; the file has 0/],
    ['too few strings', { dataType: 8, dims: [2], stringData: [] }, /takes 2 values; the file has 0/],
    ['a negative extent', { dataType: 1, dims: [-1], rawData: new Uint8Array(4) }, /dims \[-1\]/],
    ['extents that overflow', { dataType: 1, dims: [2 ** 40, 2 ** 40] }, /more than 2\^53 elements/],
    ['an extent near 2^62', { dataType: 1, dims: [2 ** 62] }, /dims \[4611686018427388000\]/],
    ['an unknown type', { dataType: 99, dims: [] }, /data type 99/],
    ['no type', { dims: [] }, /data type 0/],
    ['segments', { dataType: 1, dims: [], segment: {} }, /segments/],
  ])('with %s are refused', async (_what, tensor, message) => {
    const error = await refusal(withTensor(tensor));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
  });

  it.each<[string, number[], number[], RegExp]>([
    ['an index outside', [6], [2, 3], /index 6; 0 to 5 is wanted/],
    ['a negative index', [-1], [2, 3], /index -1/],
  ])('sparse with %s are refused', async (_what, indices, dims, message) => {
    const sparse = {
      values: { name: 's', dataType: 1, dims: [1], floatData: [1] },
      indices: { dataType: 7, dims: [1], int64Data: indices },
      dims,
    };
    const error = await refusal(loadProto(folder, modelOf({ sparseInitializer: [sparse] })));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
  });

  it('sparse of a size that nobody means are not made dense', async () => {
    const sparse = {
      values: { name: 's', dataType: 1, dims: [1], floatData: [1] },
      indices: { dataType: 7, dims: [1], int64Data: [0] },
      dims: [2 ** 40],
    };
    const error = await refusal(loadProto(folder, modelOf({ sparseInitializer: [sparse] })));
    expect(error).toBeInstanceOf(UnsupportedError);
  });

  it('that are broken are all listed', async () => {
    const broken = ['a', 'b', 'c'].map((name) => ({
      name,
      dataType: 1,
      dims: [1],
      rawData: new Uint8Array(3),
    }));
    const error = await refusal(loadProto(folder, modelOf({ initializer: broken })));
    expect(error.message).toMatch(/broken in 3 places/);
    expect(error.places).toHaveLength(3);
    expect(error.places?.join()).toMatch(/"a".*"b".*"c"/);
  });

  it('in nested graphs are checked too', async () => {
    const branch = { initializer: [{ name: 'bad', dataType: 1, dims: [2], rawData: new Uint8Array(3) }] };
    const node = {
      opType: 'If',
      input: ['x'],
      output: ['y'],
      attribute: [{ name: 'then_branch', type: onnx.AttributeProto.AttributeType.GRAPH, g: branch }],
    };
    expect((await refusal(loadProto(folder, modelOf({ node: [node] })))).message).toMatch(/"bad"/);
  });
});
