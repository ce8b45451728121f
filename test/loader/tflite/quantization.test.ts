/** Parameters as a file has them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { QuantParams } from '../../../src/ir/lane.js';
import { quantizationOf } from '../../../src/loader/tflite/quantization.js';
import { CONV, DENSE, DEPTHWISE, HandmadeSubgraph, type TensorSpec } from '../../support/tflite-subgraph.js';
import { projectPath } from '../../support/tflite-network.js';

/** Of one activation or, when it has values, constant that nothing reads. */
function paramsOf(shape: readonly number[], spec: TensorSpec) {
  const net = new HandmadeSubgraph();
  const index = net.tensor(shape, spec);
  const { params, faults } = quantizationOf(net.build(index));
  return { params: params.get(index), faults };
}

/** A convolution or product of an int8 input of scale 0.5 with the given weight and bias. */
function weighted(
  op: string,
  weight: [readonly number[], TensorSpec],
  bias: [readonly number[], TensorSpec],
) {
  const net = new HandmadeSubgraph();
  const x = net.input(op === 'FULLY_CONNECTED' ? [1, 3] : [1, 4, 4, 3], {
    type: 'INT8',
    scale: 0.5,
    zeroPoint: 3,
  });
  const [w, b] = [weight, bias].map(([shape, spec]) => net.constant(shape, 1, spec)) as [number, number];
  const y = net.tensor([1, 4, 4, 4], { type: 'INT8', scale: 0.25 });
  const options = op === 'FULLY_CONNECTED' ? DENSE : op === 'CONV_2D' ? CONV : DEPTHWISE;
  net.op(op, op === 'TRANSPOSE_CONV' ? [net.integers([1, 4, 4, 4]), w, x, b] : [x, w, b], [y], options);
  const { params, faults } = quantizationOf(net.build(y));
  return { weight: params.get(w), bias: params.get(b), faults };
}

function plain(params: QuantParams | undefined) {
  return params && { ...params, scale: Array.from(params.scale), zeroPoint: Array.from(params.zeroPoint) };
}

describe('parameters of a tensor', () => {
  it.each([
    ['INT8', 'int8', -128, 127],
    ['UINT8', 'uint8', 0, 255],
    ['INT16', 'int16', -32768, 32767],
    ['INT4', 'int4', -8, 7],
  ] as const)('of %s are for the whole tensor with one scale', (type, dtype, qmin, qmax) => {
    const { params, faults } = paramsOf([2, 3], { type, scale: 0.5, zeroPoint: 2 });
    expect(plain(params)).toEqual({
      dtype,
      qmin,
      qmax,
      granularity: { kind: 'per-tensor' },
      scale: [0.5],
      zeroPoint: [2],
      source: 'file',
    });
    expect(faults).toEqual([]);
  });

  it.each([
    ['FLOAT32', { scale: 0.5 }],
    ['INT8', {}],
    ['BOOL', { scale: 0.5 }],
    ['INT32', { scale: 0.5 }],
  ] as const)('of %s are none with %o: they hold no codes', (type, spec) => {
    expect(paramsOf([2, 3], { type, ...spec }).params).toBeUndefined();
  });

  it.each([0, 1, 2, 3])('lie along dimension %i when the file says so', (axis) => {
    const shape = [2, 2, 2, 2];
    const { params, faults } = paramsOf(shape, { type: 'INT8', scale: [0.5, 0.25], zeroPoint: [0, 1], axis });
    expect(plain(params)).toMatchObject({
      granularity: { kind: 'per-axis', axis },
      scale: [0.5, 0.25],
      zeroPoint: [0, 1],
    });
    expect(faults).toEqual([]);
  });

  it.each([
    ['a scale of 0', { scale: 0 }, [0]],
    ['a negative scale', { scale: -0.5 }, [-0.5]],
    ['an infinite scale', { scale: Infinity }, [Infinity]],
    ['a scale that is no number', { scale: NaN }, [NaN]],
    ['a denormal scale', { scale: 1e-40 }, [Math.fround(1e-40)]],
  ])('keep %s', (_, spec, scale) => {
    expect(plain(paramsOf([2], { type: 'INT8', ...spec }).params)!.scale).toEqual(scale);
  });

  it('keep a zero point that is no code', () => {
    expect(plain(paramsOf([2], { type: 'INT8', scale: 1, zeroPoint: 200 }).params)!.zeroPoint).toEqual([200]);
  });

  it('keep a zero point beyond 32 bits at the limit of 32 bits, where it is no code either', () => {
    const points = [2 ** 32, -(2 ** 40)];
    const { params } = paramsOf([2], { type: 'INT8', scale: [1, 1], zeroPoint: points });
    expect(plain(params)!.zeroPoint).toEqual([2 ** 31 - 1, -(2 ** 31)]);
  });

  it.each([
    [[1, 2, 3], [4, 5], [4, 5, 4], '3 scales and 2 zero points'],
    [[1, 2, 3], [5], [5, 5, 5], '3 scales and 1 zero point'],
    [[1, 2, 3], [], [0, 0, 0], '3 scales and 0 zero points'],
    [[1], [], [0], '1 scale and 0 zero points'],
  ])('of scales %o have zero points %o as %o, and their number noted', (scale, zeroPoint, taken, counts) => {
    const { params, faults } = paramsOf([3], { type: 'INT8', name: 'w', scale, zeroPoint });
    expect(plain(params)!.zeroPoint).toEqual(taken);
    expect(faults).toEqual([
      { tensor: 0, kind: 'zero-point-count', message: `'w' has ${counts}; as many are wanted` },
    ]);
  });

  it('are those of the first scale, which is noted, when their number fits no dimension', () => {
    const { params, faults } = paramsOf([2, 3], {
      type: 'INT8',
      name: 'w',
      scale: [1, 2, 3, 4, 5],
      zeroPoint: [0, 0, 0, 0, 0],
      axis: 1,
    });
    expect(plain(params)).toMatchObject({ granularity: { kind: 'per-tensor' }, scale: [1], zeroPoint: [0] });
    expect(faults).toMatchObject([{ tensor: 0, kind: 'scale-count' }]);
    expect(faults[0]!.message).toContain("'w' has 5 scales; none of its dimensions (2x3) has that extent");
  });

  it('are found along the dimension that fits, which is noted, when the file names another', () => {
    const { params, faults } = paramsOf([2, 3], { type: 'INT8', name: 'w', scale: [1, 2, 3], axis: 0 });
    expect(params!.granularity).toEqual({ kind: 'per-axis', axis: 1 });
    expect(faults).toMatchObject([{ tensor: 0, kind: 'axis-extent' }]);
  });

  // ai-edge-litert 2.3.0: "quantized_dimension must be in range [0, 4). Was 9."
  it.each([-1, 4, 9])('are noted when dimension %i, which is none, is named even for one scale', (axis) => {
    const { params, faults } = paramsOf([1, 2, 3, 4], { type: 'INT8', name: 'w', scale: 1, axis });
    expect(params!.granularity).toEqual({ kind: 'per-tensor' });
    expect(faults).toEqual([
      {
        tensor: 0,
        kind: 'axis-extent',
        message: `'w' says that its 1 scale lies along dimension ${axis} of 1x2x3x4; newer interpreters refuse the file`,
      },
    ]);
    expect(paramsOf([], { type: 'INT8', scale: 1, axis: 0 }).faults).toEqual([]);
  });
});

describe('scales of weights', () => {
  const scales = { type: 'INT8' as const, scale: [0.1, 0.2, 0.3, 0.4] };
  const bias: [readonly number[], TensorSpec] = [[4], { type: 'INT32' }];

  it.each([
    ['CONV_2D', [4, 3, 3, 3], 0],
    ['DEPTHWISE_CONV_2D', [1, 3, 3, 4], 3],
    ['FULLY_CONNECTED', [4, 3], 0],
    ['TRANSPOSE_CONV', [4, 3, 3, 3], 0],
  ] as const)('of %s lie along its output channels', (op, shape, axis) => {
    const { weight, faults } = weighted(op, [shape, { ...scales, axis }], bias);
    expect(weight!.granularity).toEqual({ kind: 'per-axis', axis });
    expect(faults).toEqual([]);
  });

  // Found in files of the wild: the dimension is that of a convolution's weight.
  it('of a depthwise convolution lie along its last dimension though the file says the first', () => {
    const { weight, faults } = weighted(
      'DEPTHWISE_CONV_2D',
      [[1, 3, 3, 4], { ...scales, name: 'dw', axis: 0 }],
      bias,
    );
    expect(weight!.granularity).toEqual({ kind: 'per-axis', axis: 3 });
    expect(faults).toEqual([
      {
        tensor: 1,
        kind: 'axis-extent',
        message:
          "'dw' says that its 4 scales lie along dimension 0 of 1x3x3x4; kernels apply them along dimension 3, " +
          'and newer interpreters refuse the file',
      },
    ]);
  });

  it('are taken by output channel even where the dimension of the file fits as well', () => {
    const { weight, faults } = weighted('CONV_2D', [[4, 3, 3, 4], { ...scales, axis: 3 }], bias);
    expect(weight!.granularity).toEqual({ kind: 'per-axis', axis: 0 });
    expect(faults).toMatchObject([{ kind: 'axis' }]);
  });
});

describe('a bias', () => {
  const perAxis = { type: 'INT8' as const, scale: [0.25, 0.5, 1, 2], axis: 0 };

  it('has the scales of the file', () => {
    const { bias } = weighted(
      'CONV_2D',
      [[4, 3, 3, 3], perAxis],
      [[4], { type: 'INT32', scale: [1, 2, 3, 4] }],
    );
    expect(plain(bias)).toMatchObject({ dtype: 'int32', scale: [1, 2, 3, 4], source: 'file' });
    expect(bias!.granularity).toEqual({ kind: 'per-axis', axis: 0 });
  });

  it.each(['CONV_2D', 'FULLY_CONNECTED', 'TRANSPOSE_CONV'])(
    'of %s without scales has those of the accumulator: input times weight',
    (op) => {
      const shape = op === 'FULLY_CONNECTED' ? [4, 3] : [4, 3, 3, 3];
      const { bias } = weighted(op, [shape, perAxis], [[4], { type: 'INT32' }]);
      expect(plain(bias)).toMatchObject({
        dtype: 'int32',
        scale: [0.125, 0.25, 0.5, 1],
        zeroPoint: [0, 0, 0, 0],
        granularity: { kind: 'per-axis', axis: 0 },
        source: 'derived',
      });
    },
  );

  it('has one scale when the weight has one', () => {
    const { bias } = weighted(
      'CONV_2D',
      [[4, 3, 3, 3], { type: 'INT8', scale: 0.5 }],
      [[4], { type: 'INT32' }],
    );
    expect(plain(bias)).toMatchObject({ scale: [0.25], granularity: { kind: 'per-tensor' } });
  });

  it('has 64 bits behind 16-bit activations', () => {
    const { bias } = weighted(
      'CONV_2D',
      [[4, 3, 3, 3], perAxis],
      [[4], { type: 'INT64', scale: [1, 2, 3, 4] }],
    );
    expect(plain(bias)).toMatchObject({
      dtype: 'int64',
      qmin: Number.MIN_SAFE_INTEGER,
      qmax: Number.MAX_SAFE_INTEGER,
    });
  });

  it('is none where floats are', () => {
    expect(weighted('CONV_2D', [[4, 3, 3, 3], perAxis], [[4], {}]).bias).toBeUndefined();
  });
});

describe('blockwise scales', () => {
  function blockwise(count: number, zeroPoints?: readonly number[]) {
    const net = new HandmadeSubgraph();
    const scales = net.constant(
      [count],
      Array.from({ length: count }, (_, i) => 0.5 + i),
    );
    const points =
      zeroPoints === undefined ? -1 : net.constant([zeroPoints.length], zeroPoints, { type: 'INT32' });
    const w = net.constant([2, 8], 1, {
      name: 'w',
      type: 'INT4',
      blockwise: { scales, zeroPoints: points, blockSize: 4 },
    });
    const { params, faults } = quantizationOf(net.build(w));
    return { params: plain(params.get(w)), faults };
  }

  it('lie along the last dimension, block by block', () => {
    expect(blockwise(4)).toEqual({
      params: {
        dtype: 'int4',
        qmin: -8,
        qmax: 7,
        granularity: { kind: 'per-block', axis: 1, blockSize: 4 },
        scale: [0.5, 1.5, 2.5, 3.5],
        zeroPoint: [0, 0, 0, 0],
        source: 'file',
      },
      faults: [],
    });
    expect(blockwise(4, [1, 2, 3, 4]).params!.zeroPoint).toEqual([1, 2, 3, 4]);
  });

  it('that are too few are noted', () => {
    expect(blockwise(3).faults).toEqual([
      { tensor: 1, kind: 'scale-count', message: "'w' has 3 scales; 2x8 in blocks of 4 has 4 blocks" },
    ]);
  });
});

describe('FAKE_QUANT', () => {
  interface Nudged {
    readonly min: number;
    readonly max: number;
    readonly bits: number;
    readonly scale: number;
    readonly zeroPoint: number;
  }
  const cases = JSON.parse(
    readFileSync(projectPath('fixtures/tflite/fake_quant.json'), 'utf8'),
  ) as readonly Nudged[];

  it('has the scale and zero point to which the kernel nudges its range, to the last bit', () => {
    expect(cases.length).toBeGreaterThan(200);
    for (const { min, max, bits, scale, zeroPoint } of cases) {
      const net = new HandmadeSubgraph();
      const [x, y] = [net.input([4]), net.tensor([4])];
      net.op('FAKE_QUANT', [x], [y], { min, max, numBits: bits, narrowRange: false });
      const params = quantizationOf(net.build(y)).params.get(y);
      expect({ min, max, ...plain(params) }).toMatchObject({
        min,
        max,
        scale: [scale],
        zeroPoint: [zeroPoint],
      });
      expect(params).toMatchObject({ dtype: bits <= 8 ? 'uint8' : 'uint16', qmin: 0, qmax: 2 ** bits - 1 });
    }
  });
});
