/** Lanes whose constants, parameters and readers are not those of the plain graph. */
import { describe, expect, it } from 'vitest';
import { declareInputs, LaneValues } from '../../src/compile/lane-values.js';
import { ModelWriter } from '../../src/compile/model-writer.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, useKey, type Lane, type QuantParams } from '../../src/ir/lane.js';
import type { DType, Graph } from '../../src/ir/graph.js';
import { fetched } from '../support/fetched.js';
import { constantData, graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { feedOf } from '../support/measured-networks.js';

/** Nearest integer, halves to the even one. */
function rint(x: number): number {
  const nearest = Math.round(x);
  return nearest - x === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}

async function valuesOf(
  g: Graph,
  lane: Lane,
  names: readonly string[],
  x: readonly number[],
  dtype: DType = 'float32',
): Promise<number[][]> {
  const writer = new ModelWriter(g.opsets, g.irVersion);
  const values = new LaneValues(writer, g, lane, declareInputs(writer, g));
  const dims = tensorNamed(g, 'x').shape as number[];
  const wanted = names.map((name) => writer.op('Cast', [values.value(tensorNamed(g, name).id)], { to: 1 }));
  return fetched(writer, wanted, new Map([['x', feedOf(dtype, dims, x)]]));
}

describe('a lane with other constants than the graph', () => {
  const g = inferShapes(
    graph()
      .input('x', 'float32', [1, 3])
      .constant('w', 'float32', [3], [0.1, 0.2, 0.3])
      .node('Add', { inputs: ['x', 'w'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  const w = tensorNamed(g, 'w').id;
  const OTHER = [5.1, -7.26, 900];
  const values = new Map([[w, constantData('float32', [3], OTHER)]]);
  const codes = new Map([[w, constantData('int8', [3], [0, 0, 1])]]);
  const added = async (lane: Lane) => (await valuesOf(g, lane, ['y'], [0, 0, 0]))[0];
  const floats = (list: readonly number[]) => list.map((value) => Math.fround(value));

  it('computes with them, and leaves the graph as it is', async () => {
    expect(await added({ ...FLOAT_LANE, values })).toEqual(floats(OTHER));
    expect(await added(FLOAT_LANE)).toEqual(floats([0.1, 0.2, 0.3]));
  });

  it.each([
    ['int8', 127],
    ['int32', 1800],
  ] as const)('passes them through the quantizer of the constant: %s', async (dtype, most) => {
    const lane = { ...laneOf(g, { w: perTensor(dtype, 0.5) }), values };
    expect(await added(lane)).toEqual([5, -7.5, most / 2]);
  });

  it("does not take them for what stored codes stand for, as it does the graph's own", async () => {
    const stored = { ...laneOf(g, { w: perTensor('int8', 0.25) }), codes };
    expect(await added(stored)).toEqual(floats([0.1, 0.2, 0.3]));
    expect(await added({ ...stored, values })).toEqual([5, -7.25, 31.75]);
  });
});

describe('a quantizer with parameters from the data', () => {
  const net = (dtype: 'float32' | 'float16') =>
    inferShapes(
      graph()
        .input('x', dtype, [1, 6])
        .node('Identity', { name: 'read', inputs: ['x'], outputs: ['y'] })
        .node('Identity', { name: 'other', inputs: ['x'], outputs: ['z'] })
        .output('y')
        .output('z')
        .build(),
    );

  /** https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html, in float32 where the kernels are. */
  function dynamicallyQuantized(x: readonly number[]): number[] {
    const [low, high] = [Math.min(0, ...x), Math.max(0, ...x)].map(Math.fround) as [number, number];
    const scale = Math.fround(Math.fround(high - low) / 255);
    const zeroPoint = rint(Math.max(0, Math.min(255, Math.fround(0 - Math.fround(low / scale)))));
    return x.map((one) => {
      const code = Math.max(0, Math.min(255, rint(Math.fround(Math.fround(one) / scale)) + zeroPoint));
      return Math.fround((code - zeroPoint) * scale);
    });
  }

  it.each([
    ['on both sides of zero', [-1.3, 0.4, 0.77, 2.9, -0.02, 0]],
    ['that are all positive: zero is a code all the same', [3.1, 3.2, 3.3, 4.7, 9.99, 5]],
    ['that are all negative', [-3.1, -3.2, -3.3, -4.7, -9.99, -5]],
    ['of very different size', [1e-6, 1000, -0.5, 2, 7, -1e-3]],
  ])('gives what the formula of the operator gives for values %s', async (_, x) => {
    const g = net('float32');
    const key = useKey(producerOf(g, 'y').id, 0);
    const lane: Lane = { ...FLOAT_LANE, dynamic: new Map([[key, { kind: 'dynamic-quantize-linear' }]]) };
    const [y, z] = await valuesOf(g, lane, ['y', 'z'], x);
    expect(y).toEqual(dynamicallyQuantized(x));
    expect(z).toEqual(x.map(Math.fround));
  });

  it("takes its parameters from what the tensor's own quantizer leaves", async () => {
    const g = net('float32');
    const key = useKey(producerOf(g, 'y').id, 0);
    const own = laneOf(g, { x: perTensor('int8', 0.5) });
    const lane: Lane = { ...own, dynamic: new Map([[key, { kind: 'dynamic-quantize-linear' }]]) };
    const [y] = await valuesOf(g, lane, ['y'], [-1.3, 0.4, 0.77, 2.9, 0, 100]);
    expect(y).toEqual(dynamicallyQuantized([-1.5, 0.5, 1, 3, 0, 63.5]));
  });

  it('keeps the type of a half-precision tensor', async () => {
    const g = net('float16');
    const key = useKey(producerOf(g, 'y').id, 0);
    const lane: Lane = { ...FLOAT_LANE, dynamic: new Map([[key, { kind: 'dynamic-quantize-linear' }]]) };
    const x = [-1.25, 0.5, 0.75, 3.125, 0, 2];
    const [y] = await valuesOf(g, lane, ['y'], x, 'float16');
    // Half precision keeps 11 bits.
    dynamicallyQuantized(x).forEach((value, i) => expect(Math.abs(y![i]! - value)).toBeLessThan(2 ** -10));
    expect(y).not.toEqual(x);
  });
});

describe('codes that are read with other parameters than they are written with', () => {
  const g = inferShapes(
    graph()
      .input('x', 'float32', [1, 2, 3])
      .node('Identity', { inputs: ['x'], outputs: ['y'] })
      .output('y')
      .build(),
  );
  const X = [0.1, 0.26, -3, 40, 200, -0.75];

  it('stand for (code - zero point of the reader) * scale of the reader', async () => {
    const read = { scale: Float32Array.of(2), zeroPoint: Int32Array.of(4) };
    const params: QuantParams = { ...perTensor('uint8', 0.5, 10), read };
    const [y] = await valuesOf(g, laneOf(g, { x: params }), ['y'], X);
    expect(y).toEqual(X.map((x) => (Math.max(0, Math.min(255, rint(x / 0.5) + 10)) - 4) * 2));
  });

  it('and so in each channel', async () => {
    const read = { scale: Float32Array.of(1, 8), zeroPoint: Int32Array.of(-3, 2) };
    const params: QuantParams = { ...perAxis('int8', 1, [0.25, 0.5]), read };
    const [y] = await valuesOf(g, laneOf(g, { x: params }), ['y'], X);
    expect(y).toEqual(
      X.map((x, i) => {
        const channel = Math.floor(i / 3);
        const code = Math.max(-128, Math.min(127, rint(x / [0.25, 0.5][channel]!)));
        return (code - read.zeroPoint[channel]!) * read.scale[channel]!;
      }),
    );
  });
});
