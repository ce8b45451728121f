import { describe, expect, it } from 'vitest';
import { DataError, LoadError } from '../../src/errors.js';
import type { Graph } from '../../src/ir/graph.js';
import type { Lane, QuantParams } from '../../src/ir/lane.js';
import { useKey } from '../../src/ir/lane.js';
import { buildLane } from '../../src/quant/lane.js';
import type { Range } from '../../src/quant/observers/index.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { SCHEMES, overrideScheme } from '../../src/quant/presets.js';
import type { Scheme } from '../../src/quant/scheme.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import type { GraphBuilder } from '../support/graph-builder.js';
import { withFloatTensors } from '../support/plan-view.js';

const ORT = SCHEMES['ort']!;
const PER_AXIS = overrideScheme(ORT, { granularity: 'per-axis' });

const f32 = Math.fround;

/** x [N, 2] -> Gemm with weight [2, 3] and bias [3] -> y. */
function gemm(weight: readonly number[], bias: readonly number[] = [0, 0, 0], dims = [2, 3]): GraphBuilder {
  return graph()
    .input('x', 'float32')
    .constant('w', 'float32', dims, weight)
    .constant('b', 'float32', [3], bias)
    .node('Gemm', { inputs: ['x', 'w', 'b'], outputs: ['y'], name: 'gemm' })
    .output('y');
}

const WEIGHT = [1.27, -0.5, 0.1, -0.2, 2.54, 0.05];

function laneOf(
  builder: GraphBuilder,
  scheme: Scheme = ORT,
  ranges: Readonly<Record<string, Range>> = {},
): { readonly built: Graph; readonly lane: Lane; readonly params: (name: string) => QuantParams } {
  const built = withFloatTensors(builder.build());
  const plan = planQuantization(built, scheme, NO_SELECTION);
  const rangeOf = (tensor: number): Range => ranges[built.tensors[tensor]!.name] ?? { rmin: -1, rmax: 1 };
  const lane = buildLane(built, plan, rangeOf, 'simulated');
  return { built, lane, params: (name) => lane.tensors.get(tensorNamed(built, name).id)! };
}

describe('buildLane', () => {
  it('quantizes activations over their ranges, weights over their elements, biases at s_in * s_w', () => {
    const { lane, params } = laneOf(gemm(WEIGHT), ORT, {
      x: { rmin: -1, rmax: 1.55 },
      y: { rmin: 0.5, rmax: 5.1 },
    });
    expect(lane.name).toBe('simulated');
    // uint8 over [-1, 1.55]: 2.55 / 255, zero at 1 / 0.01.
    expect(params('x')).toEqual({
      dtype: 'uint8',
      qmin: 0,
      qmax: 255,
      granularity: { kind: 'per-tensor' },
      scale: Float32Array.of(0.01),
      zeroPoint: Int32Array.of(100),
      source: 'observer',
    });
    expect(params('y')).toMatchObject({ scale: Float32Array.of(0.02), zeroPoint: Int32Array.of(0) });
    // int8 over [-2.54, 2.54]: 2.54 / 127.
    expect(params('w')).toMatchObject({
      dtype: 'int8',
      qmin: -127,
      scale: Float32Array.of(0.02),
      source: 'observer',
    });
    expect(params('b')).toMatchObject({
      dtype: 'int32',
      qmin: -(2 ** 31),
      qmax: 2 ** 31 - 1,
      scale: Float32Array.of(f32(f32(0.01) * f32(0.02))),
      zeroPoint: Int32Array.of(0),
      source: 'derived',
    });
  });

  it('gives a per-axis weight and its bias one scale per output channel', () => {
    const { params } = laneOf(gemm(WEIGHT), PER_AXIS, { x: { rmin: -1, rmax: 1.55 } });
    const scales = [1.27, 2.54, 0.1].map((absmax) => f32(f32(absmax) / 127));
    expect(params('w').granularity).toEqual({ kind: 'per-axis', axis: 1 });
    expect(Array.from(params('w').scale)).toEqual(scales);
    expect(params('b').granularity).toEqual({ kind: 'per-axis', axis: 0 });
    expect(Array.from(params('b').scale)).toEqual(scales.map((scale) => f32(f32(0.01) * scale)));
  });

  it('copies the parameters that are shared and takes those that are prescribed', () => {
    const g = graph()
      .input('x', 'float32')
      .node('Flatten', { inputs: ['x'], outputs: ['f'] });
    g.node('Softmax', { inputs: ['f'], outputs: ['y'] }).output('y');
    const { params } = laneOf(g, SCHEMES['tflite'], { x: { rmin: -1, rmax: 1.55 }, f: { rmin: 0, rmax: 9 } });
    expect(params('f')).toEqual({ ...params('x'), source: 'derived' });
    expect(params('y')).toEqual({
      dtype: 'int8',
      qmin: -128,
      qmax: 127,
      granularity: { kind: 'per-tensor' },
      scale: Float32Array.of(1 / 256),
      zeroPoint: Int32Array.of(-128),
      source: 'fixed',
    });
  });

  it('lets symmetric activations saturate at the lowest code of their type, as QuantizeLinear does', () => {
    const scheme = overrideScheme(ORT, { activations: 'int8', symmetric: true });
    const { params } = laneOf(gemm(WEIGHT), scheme, { x: { rmin: -1.27, rmax: 0.3 } });
    expect(params('x')).toMatchObject({ qmin: -128, qmax: 127, scale: Float32Array.of(0.01) });
    expect(params('w')).toMatchObject({ qmin: -127, qmax: 127 });
  });

  it('puts quantizers that one reader sees among the uses', () => {
    const { built, lane } = laneOf(gemm(WEIGHT), SCHEMES['tensorrt'], { x: { rmin: -1.27, rmax: 0.3 } });
    expect(lane.tensors.has(tensorNamed(built, 'x').id)).toBe(false);
    expect(lane.uses.get(useKey(built.nodes[0]!.id, 0))).toMatchObject({ scale: Float32Array.of(0.01) });
  });

  it('gives two nodes that add one bias a scale each', () => {
    const g = gemm(WEIGHT).constant('w2', 'float32', [3, 3], [5.08, 0, 0, 0, 1, 0, 0, 0, 1]);
    g.node('Gemm', { inputs: ['y', 'w2', 'b'], outputs: ['z'], name: 'second' }).output('z');
    const { built, lane, params } = laneOf(g, ORT, { x: { rmin: 0, rmax: 2.55 }, y: { rmin: 0, rmax: 5.1 } });
    expect(params('b').scale[0]).toBe(f32(f32(0.01) * f32(0.02)));
    expect(lane.uses.get(useKey(built.nodes[1]!.id, 2))?.scale[0]).toBe(f32(f32(0.02) * f32(0.04)));
  });

  it('widens the scale of a weight whose bias would not fit int32, in the channels concerned', () => {
    const tiny = [1e-8, 1, 1, 1e-8, 1, 1];
    const { params } = laneOf(gemm(tiny, [50, 50, 0]), PER_AXIS, { x: { rmin: 0, rmax: 2.55 } });
    const [widened, ...kept] = params('w').scale;
    expect(kept).toEqual([f32(1 / 127), f32(1 / 127)]);
    // ONNX Runtime leaves a margin of 1e-4.
    expect(50 / (widened! * f32(0.01))).toBeCloseTo((2 ** 31 - 1) / 1.0001, -3);
    const { params: tflite } = laneOf(gemm(tiny, [50, 50, 0]), SCHEMES['tflite'], {
      x: { rmin: 0, rmax: 2.55 },
    });
    // TensorFlow Lite leaves half the range to the accumulator.
    expect(50 / (tflite('w').scale[0]! * f32(0.01))).toBeCloseTo(2 ** 30 - 1, -3);
  });

  it('clips outlier weights with an observer that looks at their distribution, per channel too', () => {
    const channel = (outlier: number): number[] =>
      Array.from({ length: 400 }, (_, i) => (i === 0 ? outlier : Math.sin(i)));
    const weight = [...channel(40), ...channel(1), ...channel(20)];
    const transposed = Array.from({ length: 1200 }, (_, i) => weight[(i % 3) * 400 + Math.floor(i / 3)]!);
    const g = (): GraphBuilder =>
      graph()
        .input('x', 'float32')
        .constant('w', 'float32', [400, 3], transposed)
        .node('Gemm', { inputs: ['x', 'w'], outputs: ['y'] })
        .output('y');
    const observed = (scheme: Scheme): Scheme => ({
      ...scheme,
      weights:
        scheme.weights === 'float'
          ? 'float'
          : { ...scheme.weights, observer: { kind: 'percentile', percentile: 99 } },
    });
    const perAxis = Array.from(laneOf(g(), observed(PER_AXIS)).params('w').scale, (scale) => scale * 127);
    expect(perAxis).toHaveLength(3);
    for (const absmax of perAxis) expect(absmax).toBeCloseTo(1, 1);
    expect(laneOf(g(), observed(ORT)).params('w').scale[0]! * 127).toBeCloseTo(1, 1);
    expect(laneOf(g(), ORT).params('w').scale[0]! * 127).toBeCloseTo(40, 4);
  });

  it('takes a channel or activation of zeros as scale 1', () => {
    const { params } = laneOf(gemm([0, 1, 1, 0, 1, 1]), PER_AXIS, { x: { rmin: 0, rmax: 0 } });
    expect(params('w').scale[0]).toBe(1);
    expect(params('x')).toMatchObject({ scale: Float32Array.of(1), zeroPoint: Int32Array.of(0) });
  });

  it('refuses weights and biases that are NaN or infinite: all of them, with the number of values', () => {
    const fail = (): unknown => laneOf(gemm([NaN, 1, Infinity, 0, NaN, 1], [0, NaN, 0]));
    expect(fail).toThrow(LoadError);
    expect(fail).toThrow('2 constants have values that are NaN or infinite');
    expect(fail).toThrow(expect.objectContaining({ places: ["'w': 3 values", "'b': 1 value"] }));
  });

  it('refuses activations without a finite range: all of them', () => {
    const ranges = { x: { rmin: -Infinity, rmax: 1 }, y: { rmin: 0, rmax: NaN } };
    const fail = (): unknown => laneOf(gemm(WEIGHT), ORT, ranges);
    expect(fail).toThrow(DataError);
    expect(fail).toThrow(expect.objectContaining({ places: ["'x': -Infinity to 1", "'y': 0 to NaN"] }));
  });

  it('takes a weight without elements', () => {
    const g = graph().input('x', 'float32').constant('w', 'float32', [0, 3]);
    g.node('MatMul', { inputs: ['x', 'w'], outputs: ['y'] }).output('y');
    expect(laneOf(g, PER_AXIS).params('w').scale).toEqual(Float32Array.of(1, 1, 1));
    expect(laneOf(g, ORT).params('w').scale).toEqual(Float32Array.of(1));
  });
});
