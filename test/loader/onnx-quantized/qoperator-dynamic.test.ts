/** Products of integers with parameters from the data, and weights packed in blocks, beside ONNX Runtime on the file itself. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeLabel } from '../../../src/ir/graph.js';
import { loadModel, type LoadedModel } from '../../../src/loader/index.js';
import { workspace } from '../../support/workspace.js';
import {
  codes,
  compared,
  elements,
  reals,
  TestModel,
  weightCodes,
  type AttrValue,
} from './qoperator-model.js';

const FIXTURES = join(import.meta.dirname, '../../../fixtures/quantized-onnx');

const files = workspace();
let count = 0;

async function load(model: TestModel): Promise<LoadedModel> {
  return loadModel(files.file(`model${count++}.onnx`, model.bytes()));
}

/** Operators of the loaded graph; asserts that every value is that of the file. */
async function checked(model: TestModel): Promise<{ ops: string[]; loaded: LoadedModel; reasons: string[] }> {
  const loaded = await load(model);
  const { worst, worstFloat, floats } = await compared(model.bytes(), loaded, model.feeds);
  expect(worst).toBeLessThanOrEqual(1);
  expect(worstFloat).toBeLessThan(1e-5);
  expect(floats.length).toBeGreaterThan(0);
  return {
    ops: loaded.graph.nodes.map(({ op }) => op),
    loaded,
    reasons: (loaded.lane?.unfolded ?? []).map(({ reason }) => reason),
  };
}

/** x [3, 8] by W [8, 5] in integers. */
function dense(
  weight: 'int8' | 'uint8' = 'int8',
  scales: readonly number[] = [0.02],
  points: readonly number[] = [0],
): TestModel {
  return new TestModel()
    .input('x', [3, 8], reals(4, 24, 3))
    .constant('w', weight, [8, 5], weightCodes(weight, 5, 40))
    .scale('w', weight, scales, points)
    .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_p'])
    .node('MatMulInteger', ['x_q', 'w', 'x_p', 'w_zp'], ['sums'])
    .node('Cast', ['sums'], ['cast'], { to: 1 });
}

const COLUMNS = [0.02, 0.003, 0.1, 0.05, 0.007];

describe('MatMulInteger between DynamicQuantizeLinear and Mul becomes MatMul', () => {
  it('scales multiplied first, a scale and zero point for each column', async () => {
    const model = dense('uint8', COLUMNS, [128, 120, 1, 250, 128])
      .node('Mul', ['x_s', 'w_scale'], ['s'])
      .node('Mul', ['cast', 's'], ['y'])
      .output('y', 'float32');
    const { ops, loaded, reasons } = await checked(model);
    expect(ops).toEqual(['MatMul']);
    expect(reasons).toEqual([]);
    const { graph, lane } = loaded;
    const [node] = graph.nodes;
    expect(nodeLabel(node!)).toBe('sums_node');
    expect(node!.origin.op).toBe('MatMulInteger');
    expect(node!.origin.absorbed).toEqual(expect.arrayContaining(['cast_node', 's_node', 'y_node']));
    expect([...(lane?.dynamic ?? [])]).toEqual([[`${node!.id}:0`, { kind: 'dynamic-quantize-linear' }]]);
    expect(lane?.tensors.get(node!.inputs[1]!)).toMatchObject({
      dtype: 'uint8',
      granularity: { kind: 'per-axis', axis: 1 },
      scale: Float32Array.from(COLUMNS),
      zeroPoint: Int32Array.of(128, 120, 1, 250, 128),
    });
    expect(elements(lane?.codes?.get(node!.inputs[1]!))).toEqual(codes(5, 40, 0, 255));
  });

  it.each([
    ['the sums second', ['s', 'cast'], ['w_scale', 'x_s']],
    ['the scale of the weight as a row', ['cast', 's'], ['x_s', 'row']],
  ] as const)('%s', async (_, last, first) => {
    const model = dense('int8', COLUMNS, [0])
      .constant('row', 'float32', [1, 5], COLUMNS)
      .node('Mul', first, ['s'])
      .node('Mul', last, ['y'])
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['MatMul']);
  });

  it.each([
    ['the scale of the activation first', 'x_s', 'w_scale'],
    ['the scale of the weight first', 'w_scale', 'x_s'],
  ])('one Mul after the other, %s', async (_, first, second) => {
    const model = dense()
      .node('Mul', ['cast', first], ['part'])
      .node('Mul', ['part', second], ['y'])
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['MatMul']);
  });

  it('leaves the Mul by another constant and the Add behind it where they are', async () => {
    const model = dense()
      .constant('eighth', 'float32', [], [0.125])
      .constant('b', 'float32', [5], reals(9, 5))
      .node('Mul', ['x_s', 'w_scale'], ['s'])
      .node('Mul', ['cast', 's'], ['product'])
      .node('Mul', ['product', 'eighth'], ['part'])
      .node('Add', ['part', 'b'], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(['MatMul', 'Mul', 'Add']);
    expect(loaded.lane?.tensors.get(loaded.graph.nodes[0]!.inputs[1]!)?.scale).toEqual(Float32Array.of(0.02));
  });

  it('of two activations', async () => {
    const model = new TestModel()
      .input('x', [2, 3, 4], reals(1, 24, 2))
      .input('z', [2, 4, 5], reals(2, 40, 5))
      .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_p'])
      .node('DynamicQuantizeLinear', ['z'], ['z_q', 'z_s', 'z_p'])
      .node('Mul', ['x_s', 'z_s'], ['s'])
      .node('MatMulInteger', ['x_q', 'z_q', 'x_p', 'z_p'], ['sums'])
      .node('Cast', ['sums'], ['cast'], { to: 1 })
      .node('Mul', ['cast', 's'], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(['MatMul']);
    expect(loaded.lane?.dynamic?.size).toBe(2);
  });

  it('of codes that were written with constant parameters', async () => {
    const model = new TestModel()
      .activation('x', { dims: [3, 8], scale: 0.02, zeroPoint: 100 })
      .constant('w', 'int8', [8, 5], weightCodes('int8', 5, 40))
      .constant(
        's',
        'float32',
        [5],
        COLUMNS.map((scale) => scale * 0.02),
      )
      .node('MatMulInteger', ['x_q', 'w', 'x_zp'], ['sums'])
      .node('Cast', ['sums'], ['cast'], { to: 1 })
      .node('Mul', ['cast', 's'], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(['MatMul']);
    const scale = loaded.lane?.tensors.get(loaded.graph.nodes[0]!.inputs[1]!)?.scale ?? [];
    for (const [i, value] of COLUMNS.entries()) expect(scale[i]).toBeCloseTo(value, 7);
  });

  it('keeps the DynamicQuantizeLinear that another operator reads too', async () => {
    const model = dense()
      .node('Mul', ['x_s', 'w_scale'], ['s'])
      .node('Mul', ['cast', 's'], ['y'])
      .node('MatMulInteger', ['x_q', 'w', 'x_p'], ['other'])
      .output('y', 'float32')
      .output('other', 'int32');
    const { ops, reasons } = await checked(model);
    expect(ops.sort()).toEqual(['DynamicQuantizeLinear', 'MatMul', 'MatMulInteger']);
    expect(reasons).toContain('its int32 sums go elsewhere than to one Cast');
  });
});

describe('what is not that pattern stays as it is, with the reason', () => {
  it.each([
    ['another zero point', (model: TestModel) => model, ['x_q', 'w', 'w_zp'], 'another zero point'],
    [
      'no scale of the activation',
      (model: TestModel) => model,
      ['x_q', 'w', 'x_p'],
      'not multiplied by "x_s"',
    ],
  ] as const)('%s', async (_, __, inputs, reason) => {
    const model = new TestModel()
      .input('x', [3, 8], reals(4, 24, 3))
      .constant('w', 'uint8', [8, 5], codes(5, 40, 0, 255))
      .scale('w', 'uint8', [0.02], [128])
      .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_p'])
      .node('MatMulInteger', inputs, ['sums'])
      .node('Cast', ['sums'], ['cast'], { to: 1 })
      .node('Mul', ['cast', 'w_scale'], ['y'])
      .output('y', 'float32');
    const { ops, reasons } = await checked(model);
    expect(ops).toEqual(['DynamicQuantizeLinear', 'MatMulInteger', 'Cast', 'Mul']);
    expect(reasons.join()).toContain(reason);
  });

  it('scales that lie along the rows', async () => {
    const model = dense()
      .constant('rows', 'float32', [3, 1], [0.1, 0.2, 0.3])
      .node('Mul', ['x_s', 'rows'], ['s'])
      .node('Mul', ['cast', 's'], ['y'])
      .output('y', 'float32');
    const { ops, reasons } = await checked(model);
    expect(ops).toContain('MatMulInteger');
    expect(reasons.join()).toContain('dims 3x1');
  });
});

describe('ConvInteger between DynamicQuantizeLinear and Mul becomes Conv', () => {
  it.each([
    ['one scale', 'int8', [0.02], [], {}],
    ['a scale for each channel', 'int8', [0.02, 0.01, 0.3, 0.004], [1, 4, 1, 1], { pads: [1, 1, 1, 1] }],
    ['a zero point, in groups', 'uint8', [0.02], [], { group: 2, strides: [2, 1], auto_pad: 'SAME_UPPER' }],
  ] as const)('%s', async (_, dtype, scales, dims, attrs: Readonly<Record<string, AttrValue>>) => {
    const group = attrs['group'] === 2 ? 2 : 1;
    const model = new TestModel()
      .input('x', [1, 4, 6, 5], reals(7, 120, 2))
      .constant('w', dtype, [4, 4 / group, 3, 3], weightCodes(dtype, 5, (16 / group) * 9))
      .constant('w_zp', dtype, [], [dtype === 'int8' ? 0 : 131])
      .constant('ws', 'float32', dims, scales)
      .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_p'])
      .node('ConvInteger', ['x_q', 'w', 'x_p', 'w_zp'], ['sums'], attrs)
      .node('Cast', ['sums'], ['cast'], { to: 1 })
      .node('Mul', ['x_s', 'ws'], ['s'])
      .node('Mul', ['cast', 's'], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(['Conv']);
    expect(loaded.lane?.tensors.get(loaded.graph.nodes[0]!.inputs[1]!)?.granularity).toEqual(
      scales.length === 1 ? { kind: 'per-tensor' } : { kind: 'per-axis', axis: 0 },
    );
  });

  it('finds scales for each channel behind a Reshape', async () => {
    const model = new TestModel()
      .input('x', [1, 2, 6, 5], reals(7, 60, 2))
      .constant('w', 'int8', [3, 2, 3, 3], weightCodes('int8', 5, 54))
      .constant('ws', 'float32', [3], [0.02, 0.01, 0.3])
      .constant('to', 'int64', [4], [1, -1, 1, 1])
      .node('Reshape', ['ws', 'to'], ['ws4'])
      .node('DynamicQuantizeLinear', ['x'], ['x_q', 'x_s', 'x_p'])
      .node('ConvInteger', ['x_q', 'w', 'x_p'], ['sums'])
      .node('Cast', ['sums'], ['cast'], { to: 1 })
      .node('Mul', ['x_s', 'ws4'], ['s'])
      .node('Mul', ['s', 'cast'], ['y'])
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['Conv']);
  });
});

describe('the same in one operator of ONNX Runtime', () => {
  it.each([true, false])('DynamicQuantizeMatMul, bias: %s', async (hasBias) => {
    const model = new TestModel()
      .input('x', [2, 3, 8], reals(4, 48, 3))
      .constant('w', 'int8', [8, 5], weightCodes('int8', 5, 40))
      .scale('w', 'int8', COLUMNS, [0, 0, 0, 0, 0])
      .constant('b', 'float32', [5], reals(3, 5))
      .microsoft('DynamicQuantizeMatMul', ['x', 'w', 'w_scale', 'w_zp', ...(hasBias ? ['b'] : [])], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(hasBias ? ['MatMul', 'Add'] : ['MatMul']);
    expect(loaded.graph.nodes.map(({ origin }) => origin.part)).toEqual(
      hasBias ? [undefined, 'step'] : [undefined],
    );
    expect(loaded.lane?.dynamic?.size).toBe(1);
  });

  it('MatMulIntegerToFloat of an activation with parameters from the data', async () => {
    const model = dense('uint8', COLUMNS, [128])
      .constant('points', 'uint8', [5], [128, 1, 2, 3, 130])
      .constant('b', 'float32', [5], reals(3, 5))
      .microsoft('MatMulIntegerToFloat', ['x_q', 'w', 'x_s', 'w_scale', 'x_p', 'points', 'b'], ['y'])
      .output('y', 'float32');
    const { ops, loaded } = await checked(model);
    expect(ops).toEqual(expect.arrayContaining(['MatMul', 'Add']));
    expect(loaded.lane?.dynamic?.size).toBe(1);
  });

  it('MatMulIntegerToFloat of an activation with constant parameters', async () => {
    const model = new TestModel()
      .activation('x', { dims: [3, 8], scale: 0.02, zeroPoint: 100 })
      .constant('w', 'int8', [8, 5], weightCodes('int8', 5, 40))
      .scale('w', 'int8', COLUMNS, [0, 0, 0, 0, 0])
      .microsoft('MatMulIntegerToFloat', ['x_q', 'w', 'x_scale', 'w_scale', 'x_zp', 'w_zp'], ['y'])
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['MatMul']);
  });
});

describe('MatMulNBits becomes MatMul', () => {
  function nBits(
    bits: number,
    k: number,
    size: number,
    points: readonly string[],
    more: Readonly<Record<string, AttrValue>> = {},
  ): TestModel {
    const n = 6;
    const blocks = Math.ceil(k / size);
    const blob = (size * bits) / 8;
    const packed = Math.ceil((blocks * bits) / 8);
    return new TestModel()
      .input('x', [2, 3, k], reals(4, 6 * k, 2))
      .constant('w', 'uint8', [n, blocks, blob], codes(5, n * blocks * blob, 0, 255))
      .constant('s', 'float32', [n * blocks], reals(6, n * blocks, 0.1))
      .constant('packed', 'uint8', [n * packed], codes(7, n * packed, 0, 255))
      .constant('whole', 'float32', [n * blocks], codes(8, n * blocks, 0, 2 ** bits - 1))
      .constant(
        'halves',
        'float32',
        [n * blocks],
        codes(8, n * blocks, 0, 3).map((code) => code + 0.5),
      )
      .constant(
        'order',
        'int32',
        [k],
        Array.from({ length: k }, (_, i) => (i * 7) % blocks),
      )
      .constant('b', 'float32', [n], reals(9, n))
      .microsoft('MatMulNBits', ['x', 'w', 's', ...points], ['y'], {
        K: k,
        N: n,
        bits,
        block_size: size,
        ...more,
      })
      .output('y', 'float32');
  }

  it.each([
    ['half of the range as zero point', 4, 64, 16, []],
    ['packed zero points, an odd end', 4, 48, 32, ['packed']],
    ['a bias, an odd number of blocks', 4, 40, 16, ['packed', '', 'b']],
    ['zero points as floats', 4, 64, 32, ['whole']],
    ['a byte each', 8, 40, 16, ['packed']],
    ['four in a byte', 2, 64, 32, []],
    ['four in a byte, packed zero points', 2, 64, 16, ['packed']],
  ] as const)('%s: %i bits, K %i in blocks of %i, %j', async (_, bits, k, size, points) => {
    const { ops, loaded } = await checked(nBits(bits, k, size, points));
    expect(ops).toEqual(points.length === 3 ? ['MatMul', 'Add'] : ['MatMul']);
    const weight = loaded.graph.nodes[0]!.inputs[1]!;
    expect(loaded.graph.tensors[weight]!.shape).toEqual([k, 6]);
    expect(loaded.lane?.tensors.get(weight)?.granularity).toEqual({
      kind: 'per-block',
      axis: 0,
      blockSize: size,
    });
    const stored = elements(loaded.lane?.codes?.get(weight));
    expect(Math.max(...stored)).toBeGreaterThan(2 ** bits - 4);
    expect(Math.max(...stored)).toBeLessThan(2 ** bits);
  });

  it('takes rows in order and leaves other orders (g_idx) to the runtime', async () => {
    const { lane } = await load(nBits(4, 64, 16, ['', 'order']));
    expect(lane?.unfolded?.map(({ reason }) => reason).join()).toContain('g_idx');
  });

  it('leaves zero points between codes to the runtime', async () => {
    const { ops, reasons } = await checked(nBits(4, 64, 16, ['halves']));
    expect(ops).toEqual(['MatMulNBits']);
    expect(reasons.join()).toMatch(/a zero point of \d\.5/);
  });

  it('refuses a weight that is shorter than its attributes say', async () => {
    const { lane } = await load(nBits(4, 64, 16, [], { N: 2 ** 20 }));
    expect(lane?.unfolded?.map(({ reason }) => reason).join()).toContain(
      'it has 24 scales; 4194304 are wanted',
    );
  });
});

describe('GatherBlockQuantized becomes Gather', () => {
  it.each([
    ['uint4', [6, 32], {}],
    ['int4', [6, 32], { quantize_axis: -1 }],
    ['uint4', [3, 32, 4], { quantize_axis: 1, gather_axis: 2 }],
    ['uint8', [6, 16], { bits: 4 }],
    ['uint8', [6, 32], { bits: 8 }],
  ] as const)('%s of dims %j, %j', async (dtype, dims, attrs: Readonly<Record<string, AttrValue>>) => {
    const count = dims.reduce<number>((product, dim) => product * dim, 1);
    const bytes = dtype === 'uint8' ? count : count / 2;
    const [rows, , inner = 1] = dims;
    const blocks = 2;
    const model = new TestModel(21)
      .constant('data', dtype, dims, codes(3, bytes, 0, 255))
      .input('at', [2, 2], [1, 0, 2, 1], 'int64')
      .constant(
        's',
        'float32',
        dims.length === 3 ? [rows, blocks, inner] : [rows, blocks],
        reals(4, rows * blocks * inner, 0.2),
      )
      .microsoft('GatherBlockQuantized', ['data', 'at', 's'], ['y'], { block_size: 16, ...attrs })
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['Gather']);
  });

  it('with packed zero points', async () => {
    const model = new TestModel(21)
      .constant('data', 'uint8', [6, 24], codes(3, 144, 0, 255))
      .input('at', [3], [5, 0, 2], 'int64')
      .constant('s', 'float32', [6, 3], reals(4, 18, 0.2))
      .constant('p', 'uint8', [6, 2], codes(8, 12, 0, 255))
      .microsoft('GatherBlockQuantized', ['data', 'at', 's', 'p'], ['y'], { block_size: 16, bits: 4 })
      .output('y', 'float32');
    expect((await checked(model)).ops).toEqual(['Gather']);
  });
});

describe('what ONNX Runtime quantizers write', () => {
  it.each([
    ['qoperator_dynamic', [1, 3, 8, 8], ['Conv', 'MatMul'], 6],
    ['qoperator_nbits', [2, 40], ['MatMul'], 2],
  ] as const)('%s.onnx', async (name, dims, products, count) => {
    const path = join(FIXTURES, `${name}.onnx`);
    const loaded = await loadModel(path);
    const data = Float32Array.from(
      reals(
        2,
        dims.reduce<number>((product, dim) => product * dim, 1),
        2,
      ),
    );
    const feeds = new Map([['x', { dtype: 'float32' as const, dims, data }]]);
    const { worstFloat, floats } = await compared(readFileSync(path), loaded, feeds);
    expect(loaded.lane?.unfolded ?? []).toEqual([]);
    expect(worstFloat).toBeLessThan(1e-5);
    expect(floats.length).toBeGreaterThan(2);
    const found = loaded.graph.nodes.filter(({ op }) => (products as readonly string[]).includes(op));
    expect(found).toHaveLength(count);
    expect(
      loaded.graph.nodes.map(({ op }) => op).filter((op) => /Integer|Quantize|NBits|Cast/.test(op)),
    ).toEqual([]);
  });
});
