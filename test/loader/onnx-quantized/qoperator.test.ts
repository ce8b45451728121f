/** Integer operators of a file become float operators between quantizers, and compute the same codes as ONNX Runtime's kernels. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModel, type LoadedModel } from '../../../src/loader/index.js';
import { inputSpecs } from '../../../src/commands/preconditions.js';
import { openDataset } from '../../../src/run/data/index.js';
import { workspace } from '../../support/workspace.js';
import {
  codes,
  compared,
  comparedByOperator,
  reals,
  size,
  TestModel,
  weightCodes,
  type Activation,
  type Comparison,
} from './qoperator-model.js';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/quantized-onnx');
const SHARED = join(import.meta.dirname, '../../../../shared');

const files = workspace();
let count = 0;

async function load(bytes: Uint8Array): Promise<LoadedModel> {
  return loadModel(files.file(`model${count++}.onnx`, bytes));
}

/**
 * Operators of the folded graph; asserts that the codes are those of the file and that no operator is left on codes.
 *
 * @param worst largest difference in codes: 0 but where the operator is computed in float
 */
async function folded(
  model: TestModel,
  worst = 0,
): Promise<{ ops: string[]; loaded: LoadedModel; result: Comparison }> {
  const bytes = model.bytes();
  const loaded = await load(bytes);
  const result = await compared(bytes, loaded, model.feeds);
  expect(loaded.lane?.unfolded ?? []).toEqual([]);
  expect(result.worst).toBeLessThanOrEqual(worst);
  expect(result.worstFloat).toBeLessThan(1e-5);
  // Codes that end at zero imply a Relu, which another test is about.
  const ops = loaded.graph.nodes.filter(({ origin }) => origin.implied !== true).map(({ op }) => op);
  return { ops, loaded, result };
}

const X: Activation = { dims: [1, 4, 7, 6], scale: 0.02, zeroPoint: 113 };

describe('QLinearConv becomes Conv', () => {
  function convModel(
    weight: 'uint8' | 'int8',
    x: Activation,
    attrs: Parameters<TestModel['node']>[3] & { group?: number },
    perChannel: boolean,
  ): TestModel {
    const channels = 6;
    const group = attrs.group ?? 1;
    const dims = [channels, x.dims[1]! / group, 3, 3];
    const points = weight === 'int8' ? [0] : [129];
    const scales = perChannel ? [0.01, 0.004, 0.02, 0.0007, 0.013, 0.008] : [0.01];
    return new TestModel()
      .activation('x', x)
      .constant('w', weight, dims, weightCodes(weight, 5, size(dims)))
      .scale('w', weight, scales, perChannel ? new Array<number>(channels).fill(points[0]!) : points)
      .constant('b', 'int32', [channels], codes(6, channels, -3000, 3000))
      .scale('y', x.dtype ?? 'uint8', [0.09], [x.dtype === 'int8' ? -7 : 121])
      .node(
        'QLinearConv',
        ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 'y_scale', 'y_zp', 'b'],
        ['y'],
        attrs,
      )
      .output('y', x.dtype ?? 'uint8');
  }

  it.each([
    ['uint8 beside int8, a scale for each channel', 'int8', X, { pads: [1, 0, 2, 1] }, true],
    ['uint8 beside uint8 with zero points, in groups', 'uint8', X, { group: 2, strides: [2, 1] }, false],
    [
      'int8 beside int8, padded to the same size',
      'int8',
      { ...X, dtype: 'int8', zeroPoint: -9 },
      { auto_pad: 'SAME_LOWER', strides: [2, 2] },
      true,
    ],
    ['dilated', 'int8', X, { dilations: [2, 2] }, false],
  ] as const)('%s', async (_, weight, x, attrs, perChannel) => {
    const { ops, loaded, result } = await folded(convModel(weight, x, attrs, perChannel));
    expect(ops).toEqual(['Conv']);
    expect(result.tensors).toEqual(['x', 'y']);
    const [conv] = loaded.graph.nodes;
    expect(conv!.origin).toMatchObject({ name: 'y_node', op: 'QLinearConv' });
    const [, w, b] = conv!.inputs.map((id) => loaded.lane?.tensors.get(id!));
    const granularity = perChannel ? { kind: 'per-axis', axis: 0 } : { kind: 'per-tensor' };
    expect(w).toMatchObject({ dtype: weight, granularity });
    expect(b).toMatchObject({ dtype: 'int32', granularity });
    expect(b!.scale[0]).toBe(Math.fround(Math.fround(0.01) * Math.fround(0.02)));
  });

  it('of a weight that is computed', async () => {
    const model = new TestModel()
      .activation('x', X)
      .activation('k', { dims: [3, 4, 2, 2], scale: 0.01, zeroPoint: 128 })
      .scale('y', 'uint8', [0.1], [100])
      .node('QLinearConv', ['x_q', 'x_scale', 'x_zp', 'k_q', 'k_scale', 'k_zp', 'y_scale', 'y_zp'], ['y'])
      .output('y', 'uint8');
    const { ops, result } = await folded(model, 1);
    expect(ops).toEqual(['Conv']);
    expect(result.tensors).toEqual(['x', 'k', 'y']);
  });

  it('of ONNX Runtime with the channels last, between two Transpose', async () => {
    const model = new TestModel()
      .activation('x', { ...X, dims: [1, 7, 6, 4] })
      .constant('w', 'int8', [6, 4, 3, 3], weightCodes('int8', 5, 216))
      .scale('w', 'int8', [0.01], [0])
      .scale('y', 'uint8', [0.09], [121])
      .microsoft(
        'QLinearConv',
        ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 'y_scale', 'y_zp'],
        ['y'],
        {
          channels_last: 1,
          pads: [1, 1, 1, 1],
          kernel_shape: [3, 3],
        },
      )
      .output('y', 'uint8');
    const { ops, loaded } = await folded(model);
    expect(ops).toEqual(['Transpose', 'Conv', 'Transpose']);
    expect(loaded.graph.nodes.map(({ origin }) => origin.part)).toEqual(['step', undefined, 'step']);
  });
});

describe('QLinearMatMul becomes MatMul', () => {
  it.each([
    ['uint8', [2, 3, 8], [8, 5], true],
    ['int8', [3, 8], [8, 5], true],
    ['uint8', [3, 8], [8, 5], false],
  ] as const)(
    '%s activations %j by %j, a scale for each column: %s',
    async (dtype, dims, weightDims, perColumn) => {
      const model = new TestModel()
        .activation('x', { dims, dtype, scale: 0.03, zeroPoint: dtype === 'int8' ? 5 : 133 })
        .constant('w', 'int8', weightDims, weightCodes('int8', 9, 40))
        .scale(
          'w',
          'int8',
          perColumn ? [0.01, 0.1, 0.003, 0.02, 0.05] : [0.02],
          perColumn ? [0, 0, 0, 0, 0] : [3],
        )
        .scale('y', dtype, [0.7], [dtype === 'int8' ? -3 : 99])
        .node('QLinearMatMul', ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 'y_scale', 'y_zp'], ['y'])
        .output('y', dtype);
      const { ops, loaded } = await folded(model);
      expect(ops).toEqual(['MatMul']);
      expect(loaded.lane?.tensors.get(loaded.graph.nodes[0]!.inputs[1]!)?.granularity).toEqual(
        perColumn ? { kind: 'per-axis', axis: 1 } : { kind: 'per-tensor' },
      );
    },
  );
});

describe('operators on elements', () => {
  const A: Activation = { dims: [2, 3, 4, 5], scale: 0.02, zeroPoint: 113 };
  const S8: Activation = { dims: [2, 3, 4, 5], dtype: 'int8', scale: 0.03, zeroPoint: -20 };

  it.each([
    ['QLinearAdd', 'Add', A],
    ['QLinearMul', 'Mul', A],
    ['QLinearAdd', 'Add', S8],
    ['QLinearMul', 'Mul', S8],
  ] as const)('%s of two activations becomes %s', async (op, wanted, x) => {
    const model = new TestModel()
      .activation('x', x)
      .activation('z', { ...x, dims: [3, 1, 5], scale: 0.07, zeroPoint: x.zeroPoint + 4 })
      .scale('y', x.dtype ?? 'uint8', [0.1], [x.zeroPoint])
      .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'z_q', 'z_scale', 'z_zp', 'y_scale', 'y_zp'], ['y'])
      .output('y', x.dtype ?? 'uint8');
    expect((await folded(model)).ops).toEqual([wanted]);
  });

  it('QLinearAdd of a constant, the last zero point omitted', async () => {
    const model = new TestModel()
      .activation('x', { ...A, zeroPoint: 0 })
      .constant('c', 'uint8', [5], codes(1, 5, 0, 255))
      .scale('c', 'uint8', [0.05], [0])
      .constant('y_scale', 'float32', [], [0.09])
      .microsoft('QLinearAdd', ['x_q', 'x_scale', 'x_zp', 'c', 'c_scale', 'c_zp', 'y_scale'], ['y'])
      .output('y', 'uint8');
    const { ops, loaded } = await folded(model);
    expect(ops).toEqual(['Add']);
    expect([...(loaded.lane?.tensors.values() ?? [])].map(({ dtype }) => dtype)).toEqual([
      'uint8',
      'uint8',
      'uint8',
    ]);
  });

  it.each([
    ['QLinearLeakyRelu', 'LeakyRelu', { alpha: { float: 0.2 } }, A],
    ['QLinearLeakyRelu', 'LeakyRelu', {}, S8],
    ['QLinearSigmoid', 'Sigmoid', {}, A],
    ['QLinearSigmoid', 'Sigmoid', {}, S8],
    [
      'QLinearAveragePool',
      'AveragePool',
      { kernel_shape: [3, 2], pads: [1, 1, 1, 0], strides: [2, 1], count_include_pad: 1 },
      A,
    ],
    ['QLinearAveragePool', 'AveragePool', { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }, S8],
    ['QLinearAveragePool', 'AveragePool', { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER' }, A],
    ['QLinearGlobalAveragePool', 'GlobalAveragePool', {}, A],
    ['QLinearGlobalAveragePool', 'GlobalAveragePool', { channels_last: 0 }, S8],
    ['QLinearSoftmax', 'Softmax', { opset: 13, axis: 1 }, A],
    ['QLinearSoftmax', 'Softmax', { opset: 13 }, S8],
  ] as const)('%s becomes %s, %j', async (op, wanted, attrs, x) => {
    const type = x === A ? 'uint8' : 'int8';
    const [scale, zeroPoint] =
      op.endsWith('Softmax') || op.endsWith('Sigmoid')
        ? [1 / 256, x === A ? 0 : -128]
        : [0.019, x.zeroPoint + 3];
    const model = new TestModel()
      .activation('x', x)
      .scale('y', type, [scale], [zeroPoint])
      .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
      .output('y', type);
    expect((await folded(model)).ops).toEqual([wanted]);
  });

  it.each([
    ['QLinearAveragePool', 'AveragePool', { kernel_shape: [3, 2], strides: [2, 1], channels_last: 1 }],
    ['QLinearGlobalAveragePool', 'GlobalAveragePool', { channels_last: 1 }],
  ] as const)('%s with the channels last', async (op, wanted, attrs) => {
    const model = new TestModel()
      .activation('x', A)
      .scale('y', 'uint8', [0.019], [116])
      .microsoft(op, ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
      .output('y', 'uint8');
    expect((await folded(model)).ops).toEqual(['Transpose', wanted, 'Transpose']);
  });

  it.each([
    [17, { opset: 11, axis: 1 }, ['Shape', 'Flatten', 'Softmax', 'Reshape']],
    [17, { opset: 11, axis: 3 }, ['Softmax']],
    [12, { opset: 13, axis: 1 }, ['Transpose', 'Softmax', 'Transpose']],
    [12, { opset: 11, axis: 2 }, ['Softmax']],
    [12, { opset: 13, axis: -1 }, ['Softmax']],
    [17, { opset: 11 }, ['Softmax']],
  ])('QLinearSoftmax in a model of opset %i keeps the meaning that it has, %j', async (opset, attrs, ops) => {
    const model = new TestModel(opset)
      .activation('x', A)
      .scale('y', 'uint8', [1 / 256], [0])
      .microsoft('QLinearSoftmax', ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'], ['y'], attrs)
      .output('y', 'uint8');
    expect((await folded(model)).ops).toEqual(ops);
  });

  // ONNX Runtime has no kernel for it on CPU: the specification is DequantizeLinear, ReduceMean, QuantizeLinear.
  it.each([
    [13, { axes: [1, -1], keepdims: 0 }, 1],
    [18, { axes: [2, 3], keepdims: 1 }, 2],
  ] as const)('QLinearReduceMean becomes ReduceMean in opset %i, %j', async (opset, attrs, inputs) => {
    const source = (): TestModel =>
      new TestModel(opset).activation('x', A).scale('y', 'uint8', [0.01], [100]).output('y', 'uint8');
    const fused = source().microsoft(
      'QLinearReduceMean',
      ['x_q', 'x_scale', 'x_zp', 'y_scale', 'y_zp'],
      ['y'],
      attrs,
    );
    const plain = source()
      .constant('axes', 'int64', [2], attrs.axes)
      .node('DequantizeLinear', ['x_q', 'x_scale', 'x_zp'], ['x_values'])
      .node(
        'ReduceMean',
        inputs === 1 ? ['x_values'] : ['x_values', 'axes'],
        ['mean'],
        inputs === 1 ? attrs : { keepdims: 1 },
      )
      .node('QuantizeLinear', ['mean', 'y_scale', 'y_zp'], ['y']);
    const loaded = await load(fused.bytes());
    expect(loaded.graph.nodes.map(({ op }) => op)).toEqual(['ReduceMean']);
    expect(loaded.graph.nodes[0]!.inputs).toHaveLength(inputs);
    const { worst, tensors } = await compared(plain.bytes(), loaded, fused.feeds);
    expect(tensors).toEqual(['x', 'y']);
    expect(worst).toBeLessThanOrEqual(1);
  });

  it('QLinearConcat becomes Concat, each part with its own scale', async () => {
    const model = new TestModel()
      .activation('x', A)
      .activation('z', { ...A, dims: [2, 2, 4, 5], scale: 0.05, zeroPoint: 7 })
      .constant('c', 'uint8', [2, 1, 4, 5], codes(8, 40, 0, 255))
      .scale('c', 'uint8', [0.01], [128])
      .scale('y', 'uint8', [0.03], [90])
      .microsoft(
        'QLinearConcat',
        ['y_scale', 'y_zp', 'x_q', 'x_scale', 'x_zp', 'c', 'c_scale', 'c_zp', 'z_q', 'z_scale', 'z_zp'],
        ['y'],
        { axis: 1 },
      )
      .output('y', 'uint8');
    expect((await folded(model)).ops).toEqual(['Concat']);
  });

  it('QLinearWhere becomes Where', async () => {
    const model = new TestModel()
      .activation('x', A)
      .activation('z', { ...A, dims: [5], scale: 0.05, zeroPoint: 7 })
      .input('condition', [4, 1], [1, 0, 0, 1], 'bool')
      .scale('y', 'uint8', [0.03], [90])
      .microsoft(
        'QLinearWhere',
        ['condition', 'x_q', 'x_scale', 'x_zp', 'z_q', 'z_scale', 'z_zp', 'y_scale', 'y_zp'],
        ['y'],
      )
      .output('y', 'uint8');
    expect((await folded(model)).ops).toEqual(['Where']);
  });

  it('NhwcMaxPool keeps the parameters of what it reads', async () => {
    const model = new TestModel()
      .activation('x', S8)
      .microsoft('NhwcMaxPool', ['x_q'], ['y'], { kernel_shape: [2, 2], strides: [1, 2], pads: [0, 1, 1, 0] })
      .output('y', 'int8');
    const { ops, result } = await folded(model);
    expect(ops).toEqual(['Transpose', 'MaxPool', 'Transpose']);
    expect(result.apart).toBe(0);
  });
});

describe('QGemm becomes Gemm', () => {
  it.each([
    ['of codes', { transB: 1 }, [5, 8], true, true],
    ['of codes, everything transposed and scaled', { transA: 1, alpha: { float: 0.5 } }, [8, 5], true, true],
    ['of floats', { transB: 1 }, [5, 8], false, true],
    ['without C', { transB: 1 }, [5, 8], true, false],
  ] as const)('%s', async (_, attrs, dims, isCodes, hasC) => {
    const inputs = ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', hasC ? 'c' : '', 'y_scale', 'y_zp'];
    const model = new TestModel()
      .activation('x', { dims: 'transA' in attrs ? [8, 3] : [3, 8], scale: 0.03, zeroPoint: 120 })
      .constant('w', 'int8', dims, weightCodes('int8', 4, 40))
      .scale('w', 'int8', [0.01, 0.1, 0.003, 0.02, 0.05], [0, 0, 0, 0, 0])
      .constant('c', 'int32', [5], codes(3, 5, -9000, 9000))
      .scale('y', 'uint8', [0.5], [130])
      .microsoft('QGemm', inputs.slice(0, isCodes ? 9 : 7), ['y'], attrs)
      .output('y', isCodes ? 'uint8' : 'float32');
    const { ops, loaded, result } = await folded(model);
    expect(ops).toEqual(['Gemm']);
    expect(result.floats).toEqual(isCodes ? [] : ['y']);
    expect(loaded.graph.nodes[0]!.inputs).toHaveLength(hasC ? 3 : 2);
  });
});

describe('what cannot be folded stays, with the reason', () => {
  async function reasons(model: TestModel): Promise<string[]> {
    const bytes = model.bytes();
    const loaded = await load(bytes);
    const { worst, worstFloat } = await compared(bytes, loaded, model.feeds);
    expect(worst).toBeLessThanOrEqual(1);
    expect(worstFloat).toBeLessThan(1e-5);
    return (loaded.lane?.unfolded ?? []).map(({ reason }) => reason);
  }

  it('a QLinearConv whose scale is computed', async () => {
    const model = new TestModel()
      .activation('x', X)
      .input('s', [], [0.1])
      .constant('w', 'int8', [6, 4, 3, 3], weightCodes('int8', 5, 216))
      .scale('w', 'int8', [0.01], [0])
      .scale('y', 'uint8', [0.09], [121])
      .node('QLinearConv', ['x_q', 'x_scale', 'x_zp', 'w', 'w_scale', 'w_zp', 's', 'y_zp'], ['y'])
      .output('y', 'uint8');
    expect(await reasons(model)).toContain("its scale 's' is not a constant");
  });

  it.each([
    ['QAttention', 'quantizes values inside itself'],
    ['DynamicQuantizeLSTM', 'quantizes its hidden state anew at every step'],
    ['QOrderedMatMul', 'one kind of GPU'],
  ])('%s', async (op, reason) => {
    const model = new TestModel()
      .input('x', [3, 4], reals(4, 12))
      .constant('w', 'int8', [4, 2], weightCodes('int8', 5, 8))
      .microsoft(op, ['x', 'w'], ['y'])
      .output('y', 'float32');
    const { graph, lane } = await load(model.bytes());
    expect(graph.nodes.map((node) => node.op)).toEqual([op]);
    expect(lane?.unfolded).toEqual([{ node: 0, reason: expect.stringContaining(reason) as string }]);
  });

  it('a product of integers that never becomes float', async () => {
    const model = new TestModel()
      .input('x', [3, 4], reals(4, 12))
      .constant('w', 'int8', [4, 2], weightCodes('int8', 5, 8))
      .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_zp'])
      .node('MatMulInteger', ['x_q', 'w', 'x_zp'], ['y'])
      .output('y', 'int32');
    expect(await reasons(model)).toContain('its int32 sums go elsewhere than to one Cast');
  });
});

describe('what ONNX Runtime quantizers write', () => {
  it.each(['qoperator_uint8', 'qoperator_int8'])('%s.onnx, every tensor', async (name) => {
    const bytes = readFileSync(join(FIXTURES, `${name}.onnx`));
    const loaded = await loadModel(join(FIXTURES, `${name}.onnx`));
    const feeds = new Map([
      ['x', { dtype: 'float32' as const, dims: [1, 3, 10, 10], data: Float32Array.from(reals(2, 300, 2.5)) }],
    ]);
    const result = await compared(bytes, loaded, feeds);
    expect(loaded.lane?.unfolded ?? []).toEqual([]);
    expect(result.tensors).toHaveLength(16);
    expect(result.apart).toBe(0);
    const ops = new Set(loaded.graph.nodes.map(({ op }) => op));
    expect([...ops].filter((op) => /^Q|Linear/.test(op))).toEqual([]);
  });
});

const NETWORK = join(SHARED, 'models/tinymobilenet/model_qoperator.onnx');
const PICTURES = join(SHARED, 'data/cifar10/eval');
const isHere = existsSync(NETWORK) && existsSync(PICTURES);

describe.skipIf(!isHere)('a real network (1 model of ../shared)', () => {
  it('computes the codes of every tensor on 8 pictures', { timeout: 60_000 }, async () => {
    const loaded = await loadModel(NETWORK);
    expect(loaded.lane?.unfolded ?? []).toEqual([]);
    const pictures = await openDataset({
      sources: [PICTURES],
      inputs: inputSpecs(loaded.graph, loaded.lane),
      preprocessing: { preset: 'imagenet' },
      metadata: loaded.graph.metadata,
    });
    const bytes = readFileSync(NETWORK);
    let samples = 0;
    for await (const { feeds } of pictures.samples()) {
      const operators = await comparedByOperator(bytes, loaded, feeds);
      // 13 QLinearConv, QLinearAdd, QGemm and the Reshape before it.
      expect(operators).toHaveLength(16);
      for (const { codes: tensor, apart } of operators)
        expect({ tensor, apart }).toEqual({ tensor, apart: 0 });
      const whole = await compared(bytes, loaded, feeds);
      expect(whole.tensors).toHaveLength(17);
      expect(whole.apart).toBe(0);
      if (++samples === 8) break;
    }
    expect(samples).toBe(8);
  });
});
