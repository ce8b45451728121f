import { describe, expect, it } from 'vitest';
import { LoadError } from '../../../src/errors.js';
import type { Attr, Dim, DType, Graph, Shape } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import {
  constantData,
  float,
  floats,
  graph,
  tensorNamed,
  type GraphBuilder,
} from '../../support/graph-builder.js';

function shapeOf(built: Graph | GraphBuilder, name: string): Shape | undefined {
  return tensorNamed(inferShapes('build' in built ? built.build() : built), name).shape;
}

describe('inferShapes and what the file says', () => {
  const relu = (shape: Shape | undefined): GraphBuilder =>
    graph()
      .input('x', 'float32', shape)
      .node('Relu', { inputs: ['x'], outputs: ['y'] });

  it('keeps the more specific dim of each pair', () => {
    expect(shapeOf(relu(['N', 3, null, 'W']).value('y', 'float32', [2, 'C', 'H', null]), 'y')).toEqual([
      2,
      3,
      'H',
      'W',
    ]);
  });

  it('keeps what the file says where nothing can be inferred', () => {
    const built = graph()
      .input('x', 'float32', [1, 4])
      .node('Mystery', { domain: 'com.example', inputs: ['x'], outputs: ['y'] })
      .value('y', 'float16', [1, 'K'])
      .node('Relu', { inputs: ['y'], outputs: ['z'] });
    expect(tensorNamed(inferShapes(built.build()), 'z')).toMatchObject({ dtype: 'float16', shape: [1, 'K'] });
  });

  it('replaces fixed dims of the file that contradict the inputs', () => {
    expect(shapeOf(relu([8, 3]).value('y', 'float32', [1, 3]), 'y')).toEqual([8, 3]);
    expect(shapeOf(relu([8, 3]).value('y', 'float32', [24]), 'y')).toEqual([8, 3]);
  });

  it('leaves nodes, names and constants as they are, and the given graph untouched', () => {
    const before = relu([1, 2]).constant('w', 'int8', [3]).build();
    const after = inferShapes(before);
    expect(after.nodes).toBe(before.nodes);
    expect(after.tensors.map(({ name }) => name)).toEqual(before.tensors.map(({ name }) => name));
    expect(tensorNamed(after, 'w').data).toBe(tensorNamed(before, 'w').data);
    expect(tensorNamed(before, 'y').shape).toBeUndefined();
  });

  it('knows nothing of the outputs of If, and goes on behind them', () => {
    const built = graph()
      .input('c', 'bool', [])
      .input('x', 'float32', [2, 3])
      .node('If', { inputs: ['c'], outputs: ['branch'] })
      .node('Add', { inputs: ['branch', 'x'], outputs: ['sum'] });
    expect(shapeOf(built, 'branch')).toBeUndefined();
    expect(tensorNamed(inferShapes(built.build()), 'sum')).toMatchObject({
      dtype: 'float32',
      shape: undefined,
    });
  });
});

describe('inferShapes with symbolic dims', () => {
  it('carries them through convolutions that keep the extent, and forgets them where the extent changes', () => {
    const conv = (attrs: Record<string, number | readonly number[]>): Shape | undefined =>
      shapeOf(
        graph()
          .input('x', 'float32', ['N', 3, 'H', 'W'])
          .constant('w', 'float32', [8, 3, 3, 3])
          .node('Conv', { inputs: ['x', 'w'], outputs: ['y'], attrs }),
        'y',
      );
    expect(conv({ pads: [1, 1, 1, 1] })).toEqual(['N', 8, 'H', 'W']);
    expect(conv({ pads: [2, 2, 2, 2], dilations: [2, 2] })).toEqual(['N', 8, 'H', 'W']);
    expect(conv({ pads: [1, 0, 1, 0], strides: [1, 2] })).toEqual(['N', 8, 'H', null]);
  });

  it('broadcasts: a fixed extent decides, equal symbols stay, different ones are unknown', () => {
    const sum = (a: Shape, b: Shape): Shape | undefined =>
      shapeOf(
        graph()
          .input('a', 'float32', a)
          .input('b', 'float32', b)
          .node('Add', { inputs: ['a', 'b'], outputs: ['y'] }),
        'y',
      );
    expect(sum(['N', 1, 'W'], ['C', 'W'])).toEqual(['N', 'C', 'W']);
    expect(sum(['N', 'A', null], [4, 'B', 1])).toEqual([4, null, null]);
    expect(sum(['N'], [null])).toEqual([null]);
  });

  it('computes a reshape to (batch, features) that PyTorch writes as Shape, Gather, Unsqueeze, Concat', () => {
    const built = graph({ opset: 11 })
      .input('x', 'float32', ['batch', 64, 7, 7])
      .constant('zero', 'int64', [], [0])
      .constant('rest', 'int64', [1], [-1])
      .node('Shape', { inputs: ['x'], outputs: ['shape'] })
      .node('Gather', { inputs: ['shape', 'zero'], outputs: ['n'] })
      .node('Unsqueeze', { inputs: ['n'], outputs: ['n1'], attrs: { axes: [0] } })
      .node('Concat', { inputs: ['n1', 'rest'], outputs: ['target'], attrs: { axis: 0 } })
      .node('Reshape', { inputs: ['x', 'target'], outputs: ['y'] });
    expect(shapeOf(built, 'y')).toEqual(['batch', 3136]);
  });

  it.each<[Shape, readonly number[], Shape]>([
    [
      ['N', 3, 'H', 'W'],
      [0, 3, -1],
      ['N', 3, null],
    ],
    [
      ['N', 'C', 4, 4],
      [-1, 16],
      [null, 16],
    ],
    [
      ['N', 12, 'W'],
      [0, 4, 3, -1],
      ['N', 4, 3, 'W'],
    ],
    [
      ['N', 784],
      [-1, 1, 28, 28],
      ['N', 1, 28, 28],
    ],
    [
      ['N', null, 6],
      [0, 0, 2, -1],
      ['N', null, 2, 3],
    ],
    [
      [2, 3, 4],
      [4, -1],
      [4, 6],
    ],
    [
      [2, 3, 4],
      [5, -1],
      [5, null],
    ],
  ])('reshapes %j to %j as %j', (from, target, expected) => {
    const built = graph()
      .input('x', 'float32', from)
      .constant('target', 'int64', [target.length], target)
      .node('Reshape', { inputs: ['x', 'target'], outputs: ['y'] });
    expect(shapeOf(built, 'y')).toEqual(expected);
  });

  it('knows that an extent is not -1, as exporters of expand ask', () => {
    const built = graph()
      .input('x', 'float32', ['N', 4])
      .input('row', 'float32', [1, 4])
      .constant('minus', 'int64', [], [-1])
      .constant('ones', 'int64', [2], [1, 1])
      .node('Shape', { inputs: ['x'], outputs: ['shape'] })
      .node('Equal', { inputs: ['shape', 'minus'], outputs: ['open'] })
      .node('Where', { inputs: ['open', 'ones', 'shape'], outputs: ['target'] })
      .node('Expand', { inputs: ['row', 'target'], outputs: ['y'] });
    expect(shapeOf(built, 'y')).toEqual(['N', 4]);
  });
});

describe('inferShapes on graphs that make no sense', () => {
  it('goes on when a constant cannot be read', () => {
    const data = {
      ...constantData('int64', [2]),
      bytes: (): Uint8Array => {
        throw new LoadError('the external file is gone');
      },
    };
    const built = graph()
      .input('x', 'float32', [2, 6])
      .data('target', data)
      .node('Reshape', { inputs: ['x', 'target'], outputs: ['y'] });
    expect(shapeOf(built, 'y')).toEqual([null, null]);
  });

  it('has no rule for operators named like members of an object', () => {
    for (const op of ['constructor', 'toString', '__proto__']) {
      const built = graph()
        .input('x', 'float32', [2])
        .node(op, { inputs: ['x'], outputs: ['y'] });
      expect(shapeOf(built, 'y')).toBeUndefined();
    }
  });

  it('does not follow a rank that no runtime has', () => {
    const axes = Array.from({ length: 40 }, (_, i) => i);
    const built = graph()
      .input('x', 'float32', [1])
      .constant('axes', 'int64', [40], axes)
      .node('Unsqueeze', { inputs: ['x', 'axes'], outputs: ['a'] })
      .node('Unsqueeze', { inputs: ['a', 'axes'], outputs: ['b'] });
    expect(shapeOf(built, 'a')).toHaveLength(41);
    expect(shapeOf(built, 'b')).toBeUndefined();
    expect(shapeOf(graph().input('x', 'float32', new Array<null>(100_000).fill(null)), 'x')).toBeUndefined();
  });

  it('does not walk large extents of tensors without elements', () => {
    const built = graph()
      .input('x', 'int64', [0, 2 ** 40])
      .node('Concat', { inputs: ['x', 'x'], outputs: ['y'], attrs: { axis: 1 } });
    expect(shapeOf(built, 'y')).toEqual([0, 2 ** 41]);
  });

  it('never throws, and gives only extents, whatever the operator is fed', () => {
    const random = sequence(20);
    const seen = new Set<string>();
    for (let round = 0; round < 10_000; round += 1) {
      const built = nonsense(random);
      for (const { shape } of inferShapes(built).tensors) {
        const bad = shape?.find((dim) => typeof dim === 'number' && !(Number.isSafeInteger(dim) && dim >= 0));
        if (bad !== undefined) throw new Error(`extent ${bad} from ${built.nodes[0]?.op}`);
      }
      seen.add(built.nodes[0]?.op ?? '');
    }
    expect(seen.size).toBe(OPERATORS.length);
  });
});

/** Numbers in [0, n) that are the same in every run (Lehmer). */
function sequence(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (state * 48271) % 2147483647;
    return state % n;
  };
}

const OPERATORS =
  `Add And ArgMax Attention AveragePool BatchNormalization Cast CenterCropPad Col2Im Compress Concat Constant
  ConstantOfShape Conv ConvTranspose DFT DepthToSpace DequantizeLinear Div Einsum Equal Expand Flatten Gather GatherND
  Gemm GlobalMaxPool GridSample LSTM LayerNormalization MatMul MaxPool MaxUnpool Mod NonZero OneHot Pad QLinearConv
  QLinearMatMul QuantizeLinear Range ReduceProd ReduceSum Reshape Resize RoiAlign STFT Shape Size Slice SpaceToDepth Split
  Squeeze Tile TopK Transpose Unique Unsqueeze Upsample Where QLinearConcat QLinearAveragePool NhwcConv FusedMatMul
  MatMulNBits QGemm MultiHeadAttention AffineGrid MelWeightMatrix Multinomial RandomNormal`.split(/\s+/);

const ATTRIBUTES =
  `axis axes perm kernel_shape strides dilations pads output_padding output_shape group auto_pad ceil_mode equation
  starts ends split num_outputs k blocksize scales keepdims noop_with_empty_axes allowzero to shape value value_ints start
  end hidden_size batch_dims direction layout pooled_shape output_height N channels_last keep_aspect_ratio_policy
  q_num_heads sample_size transA dtype`.split(/\s+/);

const DTYPES: readonly DType[] = ['float32', 'int64', 'int32', 'bool', 'uint8', 'string'];
const TEXTS = [
  'SAME_UPPER',
  'VALID',
  'bidirectional',
  'not_larger',
  'ij,jk->ik',
  '...i->',
  '->',
  'i...j,,',
  '',
];
const INTS = [0, 1, 2, 3, -1, -2, 7, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1];

/** One operator with up to four inputs and any attributes, of any type and size. */
function nonsense(random: (n: number) => number): Graph {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)] as T;
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
  const dim = (): Dim => pick<Dim>(['N', null, 0, 1, 2, 3, 5, 2 ** 31, 2 ** 53 - 1]);
  const attr = (): Attr =>
    pick<() => Attr>([
      () => ({ type: 'int', value: BigInt(pick(INTS)) }),
      () => ({ type: 'ints', value: many(5, () => BigInt(pick(INTS))) }),
      () => float(pick([0, -1, NaN, Infinity, 1e30])),
      () => floats(many(4, () => pick([0, 1, -2, NaN, Infinity, 1e30]))),
      () => ({ type: 'string', value: pick(TEXTS) }),
      () => ({ type: 'tensor', value: constantData('int64', [1], [pick(INTS)]) }),
    ])();
  const builder = graph({ opset: pick([7, 9, 10, 11, 13, 18, 23]) });
  const inputs = many(5, () => '').map((_, i) => {
    const name = `i${i}`;
    const kind = random(8);
    if (kind === 0) return '';
    if (kind < 4) {
      const values = many(4, () => pick(INTS));
      builder.constant(name, 'int64', random(3) === 0 ? [1, values.length] : [values.length], values);
    } else if (kind === 4)
      builder.constant(name, 'float32', [2], [pick([1, 0.5, NaN]), pick([2, -1, Infinity])]);
    else builder.input(name, pick([...DTYPES, undefined]), kind === 5 ? undefined : many(6, dim));
    return name;
  });
  const op = pick(OPERATORS);
  const domain = /^QLinear[AC].*[lt]$|Nhwc|Fused|NBits|QGemm|MultiHead/.test(op) ? 'com.microsoft' : '';
  const attrs = Object.fromEntries(many(6, () => [pick(ATTRIBUTES), attr()]));
  return builder.node(op, { domain, inputs, outputs: ['a', '', 'b'], attrs }).build();
}
