/**
 * Operators on pictures, where recorded runs of the interpreter cannot tell: what it refuses, and which nodes they become. What
 * they compute is held against the interpreter's own results in fixtures/tflite/ops.
 */
import { describe, expect, it } from 'vitest';
import { floatAttr, intAttr, intsAttr } from '../../../src/ir/graph.js';
import type { OptionValue } from '../../../src/loader/tflite/model.js';
import { described, nodeNamed, Subgraph } from './subgraph.js';

type Options = Record<string, OptionValue>;

const CONV: Options = {
  padding: 'SAME',
  strideH: 1,
  strideW: 1,
  strideD: 1,
  dilationHFactor: 1,
  dilationWFactor: 1,
  dilationDFactor: 1,
  fusedActivationFunction: 'NONE',
};
const POOL: Options = { ...CONV, filterHeight: 2, filterWidth: 2 };
const DENSE: Options = { weightsFormat: 'DEFAULT', keepNumDims: false, fusedActivationFunction: 'NONE' };
const RESIZE: Options = { alignCorners: false, halfPixelCenters: false };

/** What one operator becomes; `inputs` are shapes, the first of an activation, or integers. */
function lowered(
  op: string,
  inputs: readonly (readonly number[] | { readonly integers: readonly number[] })[],
  options: Options,
  output: readonly number[] = [1],
) {
  const net = new Subgraph();
  const ids = inputs.map((input, slot) =>
    'integers' in input ? net.integers(input.integers) : net.tensor(input, slot > 0),
  );
  return net.graph(net.op(op, ids, output, options));
}

describe('an operator that its kernel would refuse stays in the graph, opaque, with the reason', () => {
  const picture = [1, 5, 4, 6];
  const filters = [2, 3, 3, 6];
  it.each([
    ['CONV_2D', [picture, filters], { ...CONV, strideW: 0 }, 'a window has stride 0'],
    ['CONV_2D', [picture, filters], { ...CONV, dilationHFactor: 0 }, 'a window has dilation 0'],
    [
      'CONV_2D',
      [picture, filters],
      { ...CONV, dilationHFactor: 2 ** 24 },
      'a window spans 33554433 elements, more than 65536',
    ],
    [
      'CONV_2D',
      [picture, filters],
      { ...CONV, padding: 'VALID', dilationHFactor: 3 },
      'a window spans 7 elements, the input has 5',
    ],
    ['CONV_2D', [picture, [2, 3, 3, 4]], CONV, '2 filters over 4 channels do not fit an input of 6 channels'],
    ['CONV_2D', [picture, [2, 3, 3, 2]], CONV, '2 filters over 2 channels do not fit an input of 6 channels'],
    ['CONV_2D', [[5, 4, 6], filters], CONV, 'input 0 has rank 3, not 4'],
    ['CONV_2D', [picture, [2, 3, 3, 6, 1]], CONV, 'input 1 has rank 5, not 4'],
    ['CONV_3D', [picture, [2, 2, 2, 6, 1]], CONV, 'input 0 has rank 4, not 5'],
    ['DEPTHWISE_CONV_2D', [picture, [2, 3, 3, 6]], CONV, 'depthwise weights start with dimension 2, not 1'],
    [
      'DEPTHWISE_CONV_2D',
      [picture, [1, 3, 3, 8]],
      CONV,
      '8 filters over 1 channels do not fit an input of 6 channels',
    ],
    ['MAX_POOL_2D', [picture], { ...POOL, filterWidth: 0 }, 'a window has kernel 0'],
    [
      'AVERAGE_POOL_2D',
      [picture],
      { ...POOL, filterWidth: 2 ** 30 },
      'a window spans 1073741824 elements, more than 65536',
    ],
    ['LOCAL_RESPONSE_NORMALIZATION', [picture], { radius: -1, alpha: 1, beta: 1, bias: 1 }, 'a radius of -1'],
    [
      'FULLY_CONNECTED',
      [
        [2, 6],
        [3, 4, 1],
      ],
      DENSE,
      'weights have rank 3, not 2',
    ],
    [
      'FULLY_CONNECTED',
      [
        [2, 6],
        [3, 5],
      ],
      DENSE,
      'an input [2, 6] does not fit weights of depth 5',
    ],
    [
      'FULLY_CONNECTED',
      [
        [2, 6],
        [3, 4],
      ],
      { ...DENSE, keepNumDims: true },
      'an input [2, 6] does not fit weights of depth 4',
    ],
    [
      'FULLY_CONNECTED',
      [
        [2, 6],
        [3, 6],
      ],
      { ...DENSE, weightsFormat: 'SHUFFLED4x16INT8' },
      "weights in the order 'SHUFFLED4x16INT8'",
    ],
    ['BATCH_MATMUL', [[6], [6, 2]], { adjX: false, adjY: false }, 'input 0 has rank 1, less than 2'],
    ['DEPTH_TO_SPACE', [picture], { blockSize: 4 }, '6 channels in blocks of 4 by 4'],
    ['SPACE_TO_DEPTH', [picture], { blockSize: 2 }, '5 by 4 elements in blocks of 2 by 2'],
    ['SPACE_TO_DEPTH', [picture], { blockSize: 0 }, '5 by 4 elements in blocks of 0 by 0'],
  ] as const)('%s of %j with %j', (op, inputs, options, reason) => {
    expect(described(lowered(op, inputs, options))).toEqual([`${op}: ${reason}`]);
  });

  it.each([
    ['FULLY_CONNECTED', [1, 4], [2, 4], DENSE],
    ['CONV_2D', picture, filters, CONV],
  ] as const)('%s whose weights are integers without a scale', (op, input, weights, options) => {
    const net = new Subgraph();
    const x = net.tensor(input);
    const graph = net.graph(net.op(op, [x, net.codes(weights)], [1], options));
    const reason = 'its input is float32 and its weights are int8, without a scale';
    expect(described(graph)).toEqual([`${op}: ${reason}`]);
  });

  it.each([
    ['RESIZE_BILINEAR', [{ integers: [0, 3] }], RESIZE, 'a picture of 0 elements'],
    ['RESIZE_NEAREST_NEIGHBOR', [{ integers: [3, 2 ** 30] }], RESIZE, 'a picture of 1073741824 elements'],
    [
      'RESIZE_BILINEAR',
      [{ integers: [3, 3] }],
      { alignCorners: true, halfPixelCenters: true },
      'both aligned corners and half-pixel centers',
    ],
    [
      'SPACE_TO_BATCH_ND',
      [{ integers: [2, 2] }, { integers: [0, 0, 0, 0] }],
      {},
      '5 elements in blocks of 2',
    ],
    [
      'SPACE_TO_BATCH_ND',
      [{ integers: [1, 2] }, { integers: [0, 2 ** 20, 0, 0] }],
      {},
      'its output is [2, 1048581, 2, 6], and [1] in the file',
    ],
    [
      'RESIZE_BILINEAR',
      [{ integers: [3, 40000] }],
      RESIZE,
      'its output is [1, 3, 40000, 6], and [1] in the file',
    ],
    ['SPACE_TO_BATCH_ND', [{ integers: [0, 2] }, { integers: [0, 0, 0, 0] }], {}, 'a block or margin of 0'],
    ['SPACE_TO_BATCH_ND', [{ integers: [2] }, { integers: [0, 0] }], {}, '1 blocks and 2 margins for rank 4'],
    [
      'BATCH_TO_SPACE_ND',
      [{ integers: [2, 1] }, { integers: [0, 0, 0, 0] }],
      {},
      '1 pictures in blocks of 2',
    ],
    ['BATCH_TO_SPACE_ND', [{ integers: [1, 1] }, { integers: [3, 2, 0, 0] }], {}, 'crops of 3 and 2 from 5'],
  ] as const)('%s by %j with %j', (op, sizes, options, reason) => {
    expect(described(lowered(op, [[1, 5, 4, 6], ...sizes], options))).toEqual([`${op}: ${reason}`]);
  });

  it('a transposed convolution to extents that its window does not come from', () => {
    const inputs = [{ integers: [1, 12, 6, 2] }, [2, 3, 3, 6], [1, 4, 3, 6]] as const;
    const options = { ...CONV, strideH: 2, strideW: 2 };
    expect(described(lowered('TRANSPOSE_CONV', inputs, options))).toEqual([
      'TRANSPOSE_CONV: 4 elements do not become 12 with its window',
    ]);
  });

  it('a picture resized to a size that the network computes', () => {
    const net = new Subgraph();
    const size = net.computedIntegers(2);
    const graph = net.graph(
      net.op('RESIZE_BILINEAR', [net.tensor([1, 2, 2, 1]), size], [1, 4, 4, 1], RESIZE),
    );
    expect(described(graph)).toEqual([
      `RESIZE_BILINEAR: 't0' is computed while it runs; a constant is wanted`,
    ]);
  });
});

describe('operators on pictures become the nodes that a runtime is fast with', () => {
  it('a chain of them has no transposes but at its ends', () => {
    const net = new Subgraph();
    const x = net.tensor([1, 8, 8, 4]);
    const conv = net.op('CONV_2D', [x, net.tensor([4, 3, 3, 4], true)], [1, 8, 8, 4], CONV);
    const pool = net.op('MAX_POOL_2D', [conv], [1, 4, 4, 4], { ...POOL, strideH: 2, strideW: 2 });
    const packed = net.op('SPACE_TO_DEPTH', [pool], [1, 2, 2, 16], { blockSize: 2 });
    const wide = net.op('RESIZE_NEAREST_NEIGHBOR', [packed, net.integers([4, 6])], [1, 4, 6, 16], RESIZE);
    const depthwise = net.op(
      'DEPTHWISE_CONV_2D',
      [wide, net.tensor([1, 3, 3, 16], true)],
      [1, 4, 6, 16],
      CONV,
    );
    expect(described(net.graph(depthwise))).toEqual([
      'Transpose',
      'Conv',
      'MaxPool',
      'SpaceToDepth',
      'Resize',
      'Conv',
      'Transpose',
    ]);
  });

  it('the block form of a dilated convolution is not transposed to the order of the file in between', () => {
    const net = new Subgraph();
    const x = net.tensor([1, 4, 4, 2]);
    const block = net.integers([2, 2]);
    const none = net.integers([0, 0, 0, 0]);
    const first = net.op('CONV_2D', [x, net.tensor([2, 1, 1, 2], true)], [1, 4, 4, 2], CONV);
    const split = net.op('SPACE_TO_BATCH_ND', [first, block, none], [4, 2, 2, 2]);
    const conv = net.op('CONV_2D', [split, net.tensor([2, 3, 3, 2], true)], [4, 2, 2, 2], CONV);
    const joined = net.op('BATCH_TO_SPACE_ND', [conv, block, none], [1, 4, 4, 2]);
    const graph = net.graph(net.op('CONV_2D', [joined, net.tensor([2, 1, 1, 2], true)], [1, 4, 4, 2], CONV));
    expect(graph.nodes.filter(({ origin }) => origin.part === 'layout')).toHaveLength(2);
  });

  it('a dense layer behind a picture of one element reads it without a transpose', () => {
    const net = new Subgraph();
    const x = net.tensor([2, 3, 3, 4]);
    const point = net.op('CONV_2D', [x, net.tensor([6, 3, 3, 4], true)], [2, 1, 1, 6], {
      ...CONV,
      padding: 'VALID',
    });
    const dense = net.op('FULLY_CONNECTED', [point, net.tensor([5, 6], true), -1], [2, 5], DENSE);
    expect(described(net.graph(dense))).toEqual(['Transpose', 'Conv', 'Reshape', 'Gemm']);
  });

  it('one node stands for the operator, the others are its steps', () => {
    const options = { ...POOL, fusedActivationFunction: 'RELU6' };
    const { nodes } = lowered('L2_POOL_2D', [[1, 4, 4, 2]], options, [1, 4, 4, 2]);
    expect(nodes.map((node) => `${node.op} ${node.origin.part ?? 'main'}`)).toEqual([
      'Transpose layout',
      'Mul step',
      'AveragePool main',
      'Sqrt step',
      'Clip step',
      'Transpose layout',
    ]);
  });

  it('a convolution without a bias has none', () => {
    const conv = nodeNamed(
      lowered(
        'CONV_2D',
        [
          [1, 4, 4, 2],
          [3, 1, 1, 2],
        ],
        CONV,
      ),
      'Conv',
    );
    expect(conv.inputs).toHaveLength(2);
  });

  it('an odd element of padding lies behind, below and to the right', () => {
    const options = { ...CONV, strideH: 2, strideW: 2 };
    const conv = nodeNamed(
      lowered(
        'CONV_2D',
        [
          [1, 6, 7, 1],
          [1, 3, 4, 1],
        ],
        options,
      ),
      'Conv',
    );
    expect(intsAttr(conv, 'pads')).toEqual([0, 1, 1, 2]);
  });

  it('a radius beyond all channels is all channels, with the factor it is divided by', () => {
    const options = { radius: 2 ** 30, alpha: 0.5, beta: 0.75, bias: 1 };
    const lrn = nodeNamed(lowered('LOCAL_RESPONSE_NORMALIZATION', [[1, 2, 2, 3]], options), 'LRN');
    expect([intAttr(lrn, 'size'), floatAttr(lrn, 'alpha')]).toEqual([7, 3.5]);
  });

  it('a transposed convolution whose output shape is computed takes the one the file has', () => {
    const net = new Subgraph();
    const inputs = [net.computedIntegers(4), net.tensor([2, 3, 3, 1], true), net.tensor([1, 4, 3, 1])];
    const graph = net.graph(
      net.op('TRANSPOSE_CONV', inputs, [1, 7, 6, 2], { ...CONV, strideH: 2, strideW: 2 }),
    );
    const node = nodeNamed(graph, 'ConvTranspose');
    expect([intsAttr(node, 'pads'), intsAttr(node, 'output_padding')]).toEqual([
      [1, 0, 1, 1],
      [0, 0],
    ]);
  });
});
