/**
 * Operators on elements, where recorded runs of the interpreter cannot tell: what is not computed, what would end the process, and
 * which nodes stand between convolutions. What they compute is held against the interpreter's own results in fixtures/tflite/ops.
 */
import { describe, expect, it } from 'vitest';
import { inferenceProgram } from '../../../src/compile/measurement-program.js';
import type { ConstantData, Graph } from '../../../src/ir/graph.js';
import { FLOAT_LANE } from '../../../src/ir/lane.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { OptionValue, TfliteTensor } from '../../../src/loader/tflite/model.js';
import type { Feed } from '../../../src/run/data/dataset.js';
import { openSession } from '../../../src/run/runtime.js';
import { described, Subgraph } from './subgraph.js';

type Type = TfliteTensor['type'];

interface Operand {
  readonly type: Type;
  readonly shape?: readonly number[];
  readonly scale?: number;
  readonly data?: ConstantData;
}

function constant(type: 'INT32' | 'FLOAT32', values: readonly number[], dims = [values.length]): Operand {
  const array = type === 'INT32' ? Int32Array.from(values) : Float32Array.from(values);
  const bytes = new Uint8Array(array.buffer);
  const dtype = type === 'INT32' ? 'int32' : 'float32';
  return { type, shape: dims, data: { dtype, dims, byteLength: bytes.length, bytes: () => bytes } };
}

/** A graph of one operator; its output comes last. */
function lowered(
  op: string,
  inputs: readonly Operand[],
  output: Operand,
  options: Record<string, OptionValue> = {},
): Graph {
  const tensors = [...inputs, output].map(({ type, shape = [2, 3], scale, data }, index): TfliteTensor => ({
    index,
    name: `t${index}`,
    type,
    shape,
    isVariable: false,
    ...(data === undefined ? {} : { data }),
    ...(scale === undefined
      ? {}
      : {
          quantization: {
            scale: Float32Array.of(scale),
            zeroPoint: [0],
            quantizedDimension: 0,
            min: [],
            max: [],
          },
        }),
  }));
  const operator = {
    index: 0,
    op,
    custom: false,
    version: 1,
    inputs: inputs.map((_, slot) => slot),
    outputs: [inputs.length],
    options,
    customOptions: new Uint8Array(),
  };
  const activations = tensors.filter(({ data, index }) => data === undefined && index < inputs.length);
  const { graph } = buildGraph({
    name: 'main',
    tensors,
    operators: [operator],
    inputs: activations.map(({ index }) => index),
    outputs: [inputs.length],
  });
  return { ...graph, metadata: new Map(), producer: '' };
}

const CODES: Operand = { type: 'INT8', scale: 0.1 };
const FLOATS: Operand = { type: 'FLOAT32' };
const BOOLS: Operand = { type: 'BOOL' };
const STRINGS: Operand = { type: 'STRING' };
const WIDE: Operand = { type: 'INT64' };
const LISTED = constant('FLOAT32', [0], []);

describe('an operator on elements that is not computed stays in the graph, opaque, with the reason', () => {
  const onCodes = 'it works on the codes of a quantized tensor';
  const index: Operand = { type: 'INT32', shape: [2] };
  it.each<[string, readonly Operand[], Operand, Record<string, OptionValue>, string]>([
    ['CAST', [CODES], FLOATS, {}, onCodes],
    ['CAST', [FLOATS], CODES, {}, onCodes],
    ['BITWISE_XOR', [CODES, CODES], CODES, {}, onCodes],
    ['RIGHT_SHIFT', [CODES, CODES], CODES, {}, onCodes],
    ['FLOOR_DIV', [CODES, CODES], CODES, {}, onCodes],
    ['FLOOR_MOD', [CODES, CODES], CODES, {}, onCodes],
    ['STABLEHLO_ADD', [CODES, CODES], CODES, {}, onCodes],
    ['CAST', [FLOATS], { type: 'COMPLEX64' }, {}, 'a cast of float32 to complex64'],
    ['QUANTIZE', [FLOATS], { type: 'INT8' }, {}, 'it makes int8 of float32 without a scale'],
    ['EQUAL', [STRINGS, STRINGS], BOOLS, {}, 'its elements are string'],
    ['NOT_EQUAL', [STRINGS, STRINGS], BOOLS, {}, 'its elements are string'],
    ['LESS', [BOOLS, BOOLS], BOOLS, {}, 'its elements are bool'],
    ['SELECT_V2', [BOOLS, STRINGS, STRINGS], STRINGS, {}, 'its elements are string'],
    ['DIV', [WIDE, WIDE], WIDE, { fusedActivationFunction: 'NONE' }, 'its elements are int64'],
    ['RIGHT_SHIFT', [WIDE, WIDE], WIDE, {}, 'its elements are int64'],
    [
      'ATAN2',
      [{ type: 'FLOAT64' }, { type: 'FLOAT64' }],
      { type: 'FLOAT64' },
      {},
      'its elements are float64',
    ],
    [
      'PRELU',
      [FLOATS, { type: 'FLOAT32', shape: [1, 1, 3] }],
      FLOATS,
      {},
      'slopes of rank 3 for an input of rank 2',
    ],
    ['ADD_N', [], FLOATS, {}, 'it has no inputs'],
    ['MEAN', [FLOATS, constant('INT32', [2])], FLOATS, { keepDims: true }, 'axis 2 of a tensor of rank 2'],
    ['MEAN', [FLOATS, constant('INT32', [-3])], FLOATS, { keepDims: true }, 'axis -3 of a tensor of rank 2'],
    ['ARG_MAX', [FLOATS, constant('INT32', [0, 1])], index, { outputType: 'INT32' }, 'it wants one axis'],
    [
      'CUMSUM',
      [FLOATS, constant('INT32', [])],
      FLOATS,
      { exclusive: false, reverse: false },
      'it wants one axis',
    ],
    [
      'SUM',
      [FLOATS, { type: 'INT32', shape: [1] }],
      index,
      { keepDims: false },
      "'t1' is computed while it runs; a constant is wanted",
    ],
    [
      'FILL',
      [constant('INT32', [2 ** 30, 2 ** 30]), LISTED],
      FLOATS,
      {},
      'its output is [1073741824, 1073741824], and [2, 3] in the file',
    ],
    [
      'RANGE',
      [LISTED, constant('FLOAT32', [1], []), constant('FLOAT32', [2 ** -30], [])],
      { type: 'FLOAT32', shape: [2 ** 30] },
      {},
      'a range of 1073741824 floats',
    ],
    [
      'RANGE',
      [LISTED, constant('FLOAT32', [1], []), LISTED],
      { type: 'FLOAT32', shape: [3] },
      {},
      'its output is [Infinity], and [3] in the file',
    ],
  ])('%s %#', (op, inputs, output, options, reason) => {
    expect(described(lowered(op, inputs, output, options))).toEqual([`${op}: ${reason}`]);
  });
});

describe('the least integer divided by -1, which ends a process that divides it as it is', () => {
  async function computed(
    op: string,
    type: 'INT32' | 'INT64',
    pair: readonly (Int32Array | BigInt64Array)[],
  ): Promise<unknown> {
    const operand: Operand = { type, shape: [2] };
    const graph = lowered(op, [operand, operand], operand, { fusedActivationFunction: 'NONE' });
    const { model } = inferenceProgram(graph, FLOAT_LANE, graph.outputs);
    const session = await openSession(model, { threads: 1 });
    try {
      const dtype = type === 'INT32' ? 'int32' : 'int64';
      const feeds = pair.map((data, i): [string, Feed] => [`t${i}`, { dtype, data, dims: [2] }]);
      const [result] = await session.run(new Map(feeds));
      return result;
    } finally {
      await session.close();
    }
  }

  it.each([
    ['DIV', [-(2 ** 31), -3]],
    ['FLOOR_DIV', [-(2 ** 31), -4]],
    ['FLOOR_MOD', [0, -1]],
  ])('%s wraps around as two’s complement does', async (op, expected) => {
    expect(await computed(op, 'INT32', [Int32Array.of(-(2 ** 31), 7), Int32Array.of(-1, -2)])).toEqual(
      Int32Array.from(expected),
    );
  });

  it('FLOOR_MOD of 64 bits leaves nothing', async () => {
    expect(
      await computed('FLOOR_MOD', 'INT64', [BigInt64Array.of(-(2n ** 63n), 7n), BigInt64Array.of(-1n, -2n)]),
    ).toEqual(BigInt64Array.of(0n, -1n));
  });
});

describe('operators on elements between convolutions', () => {
  const CONV = {
    padding: 'SAME',
    strideH: 1,
    strideW: 1,
    dilationHFactor: 1,
    dilationWFactor: 1,
    fusedActivationFunction: 'NONE',
  };
  const SHAPE = [1, 6, 5, 4];

  /** The nodes between two convolutions with a window of one, the transposes before the first and behind the second left out. */
  function between(
    op: string,
    others: (net: Subgraph) => number[],
    options: Record<string, OptionValue>,
  ): string[] {
    const net = new Subgraph();
    const convolved = (x: number): number =>
      net.op('CONV_2D', [x, net.tensor([4, 1, 1, 4], true)], SHAPE, CONV);
    const made = net.op(op, [convolved(net.tensor(SHAPE)), ...others(net)], SHAPE, options);
    return described(net.graph(convolved(made))).slice(2, -2);
  }
  const nothing = (): number[] => [];
  const perChannel = (net: Subgraph): number[] => [net.tensor([4], true)];
  const none = { fusedActivationFunction: 'NONE' };

  it.each<[string, (net: Subgraph) => number[], Record<string, OptionValue>, string[]]>([
    ['ADD', perChannel, none, ['Add']],
    ['MUL', (net) => [net.tensor([6, 5, 4], true)], none, ['Mul']],
    ['SUB', (net) => [net.tensor([], true)], { fusedActivationFunction: 'RELU6' }, ['Sub', 'Clip']],
    ['MAXIMUM', perChannel, {}, ['Max']],
    ['SQUARED_DIFFERENCE', perChannel, {}, ['Sub', 'Mul']],
    ['PRELU', (net) => [net.tensor([1, 1, 4], true)], {}, ['PRelu']],
    ['HARD_SWISH', nothing, {}, ['HardSwish']],
    ['SOFTMAX', nothing, { beta: 1 }, ['Softmax']],
    ['LOG_SOFTMAX', nothing, {}, ['LogSoftmax']],
    ['L2_NORMALIZATION', nothing, none, ['LpNormalization']],
    ['RSQRT', nothing, {}, ['Sqrt', 'Reciprocal']],
    ['CUMSUM', (net) => [net.integers([3])], { exclusive: false, reverse: false }, ['CumSum']],
    ['QUANTIZE', nothing, {}, ['Identity']],
  ])('%s needs no transposes', (op, others, options, nodes) => {
    expect(between(op, others, options)).toEqual(nodes);
  });

  it.each([
    ['MEAN', [1, 2], [1, 4], ['ReduceMean']],
    ['REDUCE_MAX', [-1], [1, 6, 5], ['ReduceMax']],
    ['SUM', [3, 1, 2], [1], ['ReduceSum']],
    // What remains would lie as [N, C, W].
    ['MEAN', [1], [1, 5, 4], ['Transpose', 'ReduceMean']],
  ])(
    '%s over %j reads the picture as it lies where its result then lies as in the file',
    (op, axes, shape, nodes) => {
      const net = new Subgraph();
      const conv = net.op('CONV_2D', [net.tensor(SHAPE), net.tensor([4, 1, 1, 4], true)], SHAPE, CONV);
      const graph = net.graph(net.op(op, [conv, net.integers(axes)], shape, { keepDims: false }));
      expect(described(graph).slice(2)).toEqual(nodes);
    },
  );
});
