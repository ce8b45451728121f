/**
 * Integer operators beside ONNX Runtime's own kernels, without optimizations: every code is the same. Scales are such that sums often
 * lie between two codes.
 */
import { describe, expect, it } from 'vitest';
import { operatorProgram } from '../../../../src/compile/operator-program.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { operatorsOf } from '../../../../src/ir/operators.js';
import { loadModel } from '../../../../src/loader/index.js';
import {
  codes,
  compared,
  size,
  TestModel,
  weightCodes,
  type Activation,
} from '../../../loader/onnx-quantized/qoperator-model.js';
import { compiled } from '../../../support/compiled.js';
import { workspace } from '../../../support/workspace.js';

const files = workspace();
let count = 0;

type Byte = 'uint8' | 'int8';
const BYTES: readonly Byte[] = ['uint8', 'int8'];

/** All codes are those of the file, and nothing is computed between a dequantizer and a quantizer. */
async function expectExact(model: TestModel): Promise<void> {
  const bytes = model.bytes();
  const loaded = await loadModel(files.file(`model${count++}.onnx`, bytes));
  const graph = inferShapes(loaded.graph);
  const lane = loaded.lane!;
  expect(lane.arithmetic).toBe('onnxruntime');
  const { apart, count: compareds } = await compared(bytes, { graph, lane }, model.feeds);
  expect({ apart, isCompared: compareds > 0 }).toEqual({ apart: 0, isCompared: true });
  for (const operator of operatorsOf(graph)) {
    if (operator.main.op === 'MaxPool') continue;
    expect(compiled(operatorProgram(graph, lane, operator).model).count('DequantizeLinear')).toBe(0);
  }
}

function zeroPoint(dtype: Byte, seed: number): number {
  return codes(seed, 1, dtype === 'uint8' ? 60 : -60, dtype === 'uint8' ? 190 : 60)[0]!;
}

/** As in the file of an exporter; every third one a power of two of the others, so that many results are halfway between codes. */
function scaleOf(seed: number): number {
  return seed % 3 === 0 ? 2 ** -5 : 0.005 + codes(seed, 1, 0, 100_000)[0]! / 1e6;
}

function activation(dtype: Byte, dims: readonly number[], seed: number): Activation {
  return { dims, dtype, scale: scaleOf(seed), zeroPoint: zeroPoint(dtype, seed + 1) };
}

const SEEDS = Array.from({ length: 12 }, (_, seed) => seed);

describe('QLinearConv', () => {
  const INPUTS = ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 'y_scale', 'y_zp', 'b'];
  it.each(SEEDS.flatMap((seed) => BYTES.map((dtype) => [seed, dtype] as const)))(
    'with scales of seed %i, %s',
    async (seed, dtype) => {
      const group = seed % 4 === 1 ? 2 : 1;
      const weight: Byte = dtype === 'uint8' && seed % 4 === 2 ? 'uint8' : 'int8';
      const dims = [6, 4 / group, 3, 3];
      const scales =
        seed % 2 === 0 ? [scaleOf(seed + 3)] : Array.from({ length: 6 }, (_, i) => scaleOf(seed + i));
      const points = scales.map(() => (weight === 'uint8' ? 131 : 0));
      await expectExact(
        new TestModel()
          .activation('x', activation(dtype, [2, 4, 9, 8], seed))
          .constant('w', weight, dims, weightCodes(weight, seed, size(dims)))
          .scale('w', weight, scales, points)
          .constant('b', 'int32', [6], codes(seed, 6, -20_000, 20_000))
          // Fine, usual and coarse beside the products.
          .scale('y', dtype, [scaleOf(seed + 7) * [0.05, 3, 40][seed % 3]!], [zeroPoint(dtype, seed + 9)])
          .node('QLinearConv', seed % 5 === 0 ? INPUTS.slice(0, 8) : INPUTS, ['y'], {
            group,
            pads: [1, 0, 2, 1],
            strides: [1 + (seed % 2), 1],
          })
          .output('y', dtype),
      );
    },
  );

  it.each([
    ['sums beyond 2^24', 2 ** 26, 700],
    ['biases that wrap in 32 bits', 2 ** 31 - 1, 1],
    ['a factor of 2^-40', 3000, 2 ** 35],
    ['a factor of 2^40', 3000, 2 ** -45],
  ])('%s', async (_, bias, steps) => {
    const dims = [3, 64, 3, 3];
    await expectExact(
      new TestModel()
        .activation('x', { dims: [1, 64, 5, 5], scale: 2 ** -5, zeroPoint: 3 })
        .constant('w', 'int8', dims, codes(3, size(dims), 20, 63))
        .scale('w', 'int8', [2 ** -5], [0])
        .constant('b', 'int32', [3], [bias, -bias, 0])
        .scale('y', 'uint8', [steps], [100])
        .node('QLinearConv', INPUTS, ['y'])
        .output('y', 'uint8'),
    );
  });

  // One code in some thousands lies where a sum of products with scaled weights would round the other way.
  it.each([1, 24])('of many pixels, with %i scales', async (scaleCount) => {
    for (const seed of [1, 2, 4]) {
      const dims = [24, 4, 3, 3];
      const scales = Array.from({ length: scaleCount }, (_, i) => scaleOf(3 * i + seed));
      await expectExact(
        new TestModel()
          .activation('x', activation('uint8', [4, 4, 40, 40], seed))
          .constant('w', 'int8', dims, weightCodes('int8', seed, size(dims)))
          .scale('w', 'int8', scales, new Array<number>(scaleCount).fill(0))
          .constant('b', 'int32', [24], codes(seed, 24, -20_000, 20_000))
          .scale('y', 'uint8', [0.31], [120])
          .node('QLinearConv', INPUTS, ['y'])
          .output('y', 'uint8'),
      );
    }
  });

  it('with the channels last, and an activation function that is left to the range of the codes', async () => {
    await expectExact(
      new TestModel()
        .activation('x', activation('uint8', [1, 7, 6, 4], 3))
        .constant('w', 'int8', [6, 4, 3, 3], weightCodes('int8', 5, 216))
        .scale('w', 'int8', [2 ** -6], [0])
        .scale('y', 'uint8', [6 / 255], [0])
        .microsoft('QLinearConv', INPUTS.slice(0, 8), ['y'], {
          channels_last: 1,
          pads: [1, 1, 1, 1],
          kernel_shape: [3, 3],
        })
        .output('y', 'uint8'),
    );
  });
});

describe('QLinearMatMul', () => {
  it.each(SEEDS.flatMap((seed) => BYTES.map((dtype) => [seed, dtype] as const)))(
    'with scales of seed %i, %s',
    async (seed, dtype) => {
      const columns = seed % 2 === 0 ? 1 : 5;
      const scales = Array.from({ length: columns }, (_, i) => scaleOf(seed + i));
      const points = scales.map((_, i) => (seed % 3 === 0 ? i - 2 : 0));
      await expectExact(
        new TestModel()
          .activation('x', activation(dtype, [2, 7, 8], seed))
          .constant('w', 'int8', [8, 5], weightCodes('int8', seed, 40))
          .scale('w', 'int8', scales, points)
          .scale('y', dtype, [scaleOf(seed + 7) * [0.5, 3, 40][seed % 3]!], [zeroPoint(dtype, seed + 9)])
          .node('QLinearMatMul', ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 'y_scale', 'y_zp'], ['y'])
          .output('y', dtype),
      );
    },
  );

  it('of two activations', async () => {
    await expectExact(
      new TestModel()
        .activation('x', activation('uint8', [2, 7, 8], 3))
        .activation('w', activation('uint8', [2, 8, 5], 6))
        .scale('y', 'uint8', [2 ** -2], [100])
        .node('QLinearMatMul', ['x_q', 'x_scale', 'x_zp', 'w_q', 'w_scale', 'w_zp', 'y_scale', 'y_zp'], ['y'])
        .output('y', 'uint8'),
    );
  });
});

describe('QGemm', () => {
  it.each([
    ['plain', {}, [8, 5], [5]],
    ['transposed and scaled', { transA: 1, transB: 1, alpha: { float: 0.3 } }, [5, 8], [1, 5]],
    ['one number added', { transB: 1 }, [5, 8], [1]],
    ['nothing added', {}, [8, 5], undefined],
  ] as const)('%s', async (_, attrs, dims, biasDims) => {
    for (const seed of SEEDS) {
      const bias = biasDims === undefined ? '' : 'c';
      // One number has the scale of one product.
      const columns = biasDims?.[0] === 1 && biasDims.length === 1 ? 1 : 5;
      const scales = Array.from({ length: columns }, (_unused, i) => scaleOf(seed + i));
      const model = new TestModel()
        .activation('x', activation('uint8', 'transA' in attrs ? [8, 7] : [7, 8], seed))
        .constant('w', 'int8', dims, weightCodes('int8', seed, 40))
        .scale(
          'w',
          'int8',
          scales,
          scales.map(() => 0),
        )
        .scale('y', 'uint8', [scaleOf(seed + 7) * 20], [zeroPoint('uint8', seed)]);
      if (biasDims !== undefined) {
        model.constant('c', 'int32', biasDims, codes(seed, size(biasDims), -9000, 9000));
      }
      await expectExact(
        model
          .microsoft(
            'QGemm',
            ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', bias, 'y_scale', 'y_zp'],
            ['y'],
            attrs,
          )
          .output('y', 'uint8'),
      );
    }
  });
});

describe.each(['QLinearAdd', 'QLinearMul'])('%s', (op) => {
  it.each([
    ['of the same shape', [3, 40, 50], [3, 40, 50]],
    ['of a row', [3, 40, 50], [50]],
    ['of one number for each row', [3, 40, 50], [40, 1]],
    ['of one number for each row, the other way round', [40, 1], [3, 40, 50]],
    ['of one number', [3, 40, 50], []],
    ['of one number, the other way round', [], [3, 40, 50]],
    ['of two that both broadcast', [30, 1, 50], [40, 1]],
    ['with a last axis of one element', [30, 40, 1], [40, 1]],
    ['of one element on an axis', [30, 40, 1], [1]],
  ])('%s', async (_, first, second) => {
    for (const seed of SEEDS.slice(0, 4)) {
      for (const dtype of BYTES) {
        await expectExact(
          new TestModel()
            .activation('x', activation(dtype, first, seed))
            .activation('z', activation(dtype, second, seed + 4 - (seed % 2)))
            .scale('y', dtype, [scaleOf(seed) * [1, 2, 0.3][seed % 3]!], [zeroPoint(dtype, seed + 9)])
            .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'z_q', 'z_scale', 'z_zp', 'y_scale', 'y_zp'], ['y'])
            .output('y', dtype),
        );
      }
    }
  });

  it('with steps far finer than those of what it reads', async () => {
    await expectExact(
      new TestModel()
        .activation('x', { dims: [400], scale: 1e4, zeroPoint: 100 })
        .activation('z', { dims: [400], scale: 1e4, zeroPoint: 130 })
        .scale('y', 'uint8', [1e-6], [100])
        .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'z_q', 'z_scale', 'z_zp', 'y_scale', 'y_zp'], ['y'])
        .output('y', 'uint8'),
    );
  });
});

describe.each([
  ['QLinearAveragePool', { kernel_shape: [3, 2], pads: [1, 1, 1, 0], strides: [2, 1], count_include_pad: 1 }],
  ['QLinearAveragePool', { kernel_shape: [3, 2], pads: [1, 1, 1, 0], strides: [2, 1] }],
  ['QLinearAveragePool', { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }],
  ['QLinearAveragePool', { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER', strides: [2, 1] }],
  ['QLinearAveragePool', { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' }],
  ['QLinearAveragePool', { kernel_shape: [7, 9] }],
  ['QLinearAveragePool', { kernel_shape: [7, 6], strides: [1, 2], channels_last: 1 }],
  ['QLinearAveragePool', { kernel_shape: [2, 2], channels_last: 1 }],
  ['QLinearGlobalAveragePool', {}],
  ['QLinearGlobalAveragePool', { channels_last: 1 }],
] as const)('%s %j', (op, attrs) => {
  it.each(BYTES)('of %s', async (dtype) => {
    for (const seed of SEEDS) {
      await expectExact(
        new TestModel()
          .activation('x', activation(dtype, [3, 7, 9, 8], seed))
          .scale('y', dtype, [scaleOf(seed) * [0.5, 1, 0.7][seed % 3]!], [zeroPoint(dtype, seed + 9)])
          .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
          .output('y', dtype),
      );
    }
  });
});

describe.each([
  [
    'in three dimensions',
    [2, 3, 5, 6, 4],
    { kernel_shape: [2, 3, 2], strides: [2, 1, 1], pads: [0, 1, 0, 0, 1, 1] },
  ],
  ['in one', [2, 3, 15], { kernel_shape: [3], strides: [2] }],
] as const)('QLinearAveragePool %s', (_, dims, attrs) => {
  it.each(BYTES)('of %s', async (dtype) => {
    await expectExact(
      new TestModel()
        .activation('x', activation(dtype, dims, 5))
        .scale('y', dtype, [0.02], [zeroPoint(dtype, 9)])
        .microsoft('QLinearAveragePool', ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
        .output('y', dtype),
    );
  });
});

describe('QLinearSoftmax', () => {
  it.each([
    [{ opset: 13, axis: -1 }, [40, 10]],
    [{ opset: 13, axis: 1 }, [5, 30, 7]],
    [{ opset: 11, axis: 1 }, [5, 4, 7]],
    [{ opset: 13 }, [4, 1000]],
  ] as const)('%j of %j', async (attrs, dims) => {
    for (const seed of SEEDS) {
      for (const dtype of BYTES) {
        await expectExact(
          new TestModel()
            .activation('x', activation(dtype, dims, seed))
            .scale('y', dtype, [seed % 4 === 1 ? 0.0021 : 1 / 256], [dtype === 'uint8' ? 0 : -128])
            .microsoft('QLinearSoftmax', ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
            .output('y', dtype),
        );
      }
    }
  });
});

describe.each([
  ['QLinearSigmoid', {}],
  ['QLinearLeakyRelu', { alpha: { float: 0.13 } }],
] as const)('%s, in float between its quantizers', (op, attrs) => {
  it.each(BYTES)('of %s', async (dtype) => {
    for (const seed of SEEDS) {
      const model = new TestModel()
        .activation('x', activation(dtype, [3, 7, 31], seed))
        .scale(
          'y',
          dtype,
          [op === 'QLinearSigmoid' ? 1 / 256 : scaleOf(seed) * 2],
          [zeroPoint(dtype, seed + 9)],
        )
        .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
        .output('y', dtype);
      const bytes = model.bytes();
      const loaded = await loadModel(files.file(`model${count++}.onnx`, bytes));
      expect((await compared(bytes, loaded, model.feeds)).apart).toBe(0);
    }
  });
});
