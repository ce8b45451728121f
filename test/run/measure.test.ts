/** The measuring pass beside a float64 interpreter of the same networks. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS } from '../../src/compile/measurement-program.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { TensorId } from '../../src/ir/graph.js';
import { useKey } from '../../src/ir/lane.js';
import { overrideScheme, SCHEMES, type SchemeOverrides } from '../../src/quant/presets.js';
import { measure } from '../../src/run/measure.js';
import { Random } from '../quant/samples.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { both, expectEqualSums } from '../support/measured-sums.js';
import {
  bells,
  images,
  ONE_THREAD,
  quarters,
  samplesOf,
  smallNetwork,
  UNWATCHED,
} from '../support/measured-networks.js';

/** Errors of arithmetic alone: all values are exact in float32, sums of squares are not. */
const EXACT = 2e-6;

describe('self, local and cumulative sums where all numbers are exact in float32', () => {
  const g = smallNetwork(17, quarters);
  const fused = new Set([tensorNamed(g, 'conv1:out').id, tensorNamed(g, 'depthwise:out').id]);

  it('are those of the float64 reference for a lane of uint8 activations, int8 weights and int32 biases', async () => {
    const lane = laneOf(g, {
      image: perTensor('int8', 1 / 8),
      'conv1.weight': perTensor('int8', 1 / 2),
      'conv1.bias': perTensor('int32', 1 / 2),
      'relu1:out': perTensor('uint8', 1 / 16, 0),
      'depthwise.weight': perTensor('int8', 1 / 2),
      'depthwise.bias': perTensor('int32', 1 / 2),
      'relu2:out': perTensor('uint8', 1 / 8, 3),
      'project.weight': perTensor('int8', 1 / 2),
      'project:out': perTensor('uint8', 1, 128),
      'relu3:out': perTensor('uint8', 1 / 4),
      'pool:out': perTensor('uint8', 1 / 2),
      flat: perTensor('uint8', 1 / 2),
      'fc.weight': perTensor('int8', 1 / 2),
      logits: perTensor('uint8', 4, 128),
    });
    expectEqualSums(await both(g, lane, images(3, quarters), fused), g, EXACT);
  });

  it('count what is outside the range of signed, narrow and 16-bit quantizers, and tell its noise from rounding', async () => {
    const lane = laneOf(g, {
      image: { ...perTensor('int8', 1 / 64), qmin: -127 },
      'relu1:out': perTensor('int8', 1 / 32, -128),
      'relu2:out': { ...perTensor('uint8', 1 / 16), qmax: 200 },
      'project:out': perTensor('int16', 1 / 4096),
      'relu3:out': perTensor('uint16', 1 / 2048, 100),
      logits: perTensor('int4', 1 / 2),
    });
    const measured = await both(g, lane, images(3, quarters), fused);
    expectEqualSums(measured, g, EXACT);
    const clipped = measured.found.filter(({ value }) => value.clipped > 0);
    expect(clipped.length).toBeGreaterThanOrEqual(6);
    for (const { errors } of clipped) expect(errors.get('self')!.clipEE).toBeGreaterThan(0);
  });

  it('follow a scale for every channel, of weights and of activations', async () => {
    const lane = laneOf(g, {
      image: perAxis('int8', 1, [1 / 2, 1 / 4, 1 / 128]),
      'conv1.weight': perAxis('int8', 0, [1 / 2, 1 / 4, 1, 2]),
      'conv1.bias': perAxis('int32', 0, [1 / 2, 1 / 4, 1, 2]),
      'relu1:out': {
        ...perAxis('uint8', 1, [1 / 2, 1 / 64, 1, 1 / 16]),
        zeroPoint: Int32Array.of(0, 5, 0, 1),
      },
      'depthwise.weight': perAxis('int4', 0, [1 / 2, 1, 1 / 4, 1 / 4]),
      'project.weight': perAxis('int8', 1, [1, 1 / 2, 1 / 4, 1 / 2]),
      'fc.weight': perAxis('int8', 0, [1, 1 / 2, 1 / 4, 1 / 2, 2]),
      logits: perAxis('int8', 1, [1, 2, 4, 1 / 2, 1]),
    });
    expectEqualSums(await both(g, lane, images(3, quarters), fused), g, EXACT);
  });

  it('follow quantizers that only one consumer of an edge sees', async () => {
    const add = producerOf(g, 'add:out');
    const depthwise = producerOf(g, 'depthwise:out');
    const uses = new Map([
      [useKey(add.id, 1), perTensor('uint8', 1 / 2)],
      [useKey(depthwise.id, 0), perTensor('uint8', 1 / 8)],
    ]);
    const lane = laneOf(g, { 'project.weight': perTensor('int8', 1 / 2) }, uses);
    const measured = await both(g, lane, images(2, quarters), fused);
    expectEqualSums(measured, g, EXACT);
    const relu1 = measured.found.find(({ edge }) => edge.tensor === tensorNamed(g, 'relu1:out').id)!;
    // Its first reader quantizes it, but the edge itself stays as it was.
    expect(relu1.errors.get('self')!.sumEE.some((ee) => ee > 0)).toBe(true);
    expect([...relu1.errors.get('cumulative')!.sumEE]).toEqual([0, 0, 0, 0]);
  });

  it.each([7, 8, 9, 10, 11, 12, 13, 17, 18, 21])('are the same in opset %i', async (opset) => {
    const old = smallNetwork(opset, quarters);
    const lane = laneOf(old, {
      image: perTensor('int8', 1 / 64),
      'conv1.weight': { ...perAxis('int8', 0, [1 / 2, 1 / 4, 1, 2]), qmin: -127 },
      'conv1.bias': perTensor('int32', 1 / 2),
      'relu1:out': perTensor('uint16', 1 / 16, 0),
      'relu2:out': perTensor('uint8', 1 / 16),
      'fc.weight': perAxis('int8', 0, [1, 1 / 2, 1 / 4, 1 / 2, 2]),
      logits: perTensor('uint8', 4, 128),
    });
    expectEqualSums(await both(old, lane, images(2, quarters), fused), old, EXACT);
  });
});

describe('sums under the schemes, calibrated', () => {
  /** A rounding that falls the other way in float32 than in float64 is rare, and one step of one value. */
  const ROUNDED = 2e-3;
  /** A step of 16 bits is only 2^8 steps of float32. */
  const g = smallNetwork(17, bells);

  const WIDE = 2e-2;

  it.each<[string, string, SchemeOverrides, number?]>([
    ['ort', 'ort', {}],
    ['ort per-axis', 'ort', { granularity: 'per-axis' }],
    ['ort int8 symmetric', 'ort', { activations: 'int8', symmetric: true }],
    ['ort uint16 x int16', 'ort', { activations: 'uint16', weights: 'int16' }, WIDE],
    ['ort uint8 x uint8', 'ort', { weights: 'uint8' }],
    ['ort int4 weights', 'ort', { weights: 'int4' }],
    ['ort float activations', 'ort', { activations: 'float' }],
    ['ort float weights', 'ort', { weights: 'float' }],
    ['ort with clipped tails', 'ort', { observer: 'percentile', percentile: 98 }],
    ['tflite', 'tflite', {}],
    ['tflite-16x8', 'tflite-16x8', {}, WIDE],
    ['tensorrt', 'tensorrt', {}],
  ])('%s', async (_, name, overrides, tolerance = ROUNDED) => {
    const samples = images(4, bells);
    const scheme = overrideScheme(SCHEMES[name]!, overrides);
    const { lane, fusedAway } = await calibratedLane(g, scheme, samples);
    expect(lane.tensors.size).toBeGreaterThan(3);
    expectEqualSums(await both(g, lane, samples, fusedAway), g, tolerance);
  });
});

describe('edges of any shape', () => {
  it('are measured as scalars, vectors, matrices and sequences', async () => {
    const random = new Random(3);
    const g = inferShapes(
      graph()
        .input('sequence', 'float32', [1, 12, 16])
        .constant('shape', 'int64', [2], [12, 16])
        .constant('flat', 'int64', [1], [-1])
        .constant('first', 'int64', [], [5])
        .node('Reshape', { name: 'to2', inputs: ['sequence', 'shape'], outputs: ['matrix'] })
        .node('Reshape', { name: 'to1', inputs: ['matrix', 'flat'], outputs: ['vector'] })
        .node('Gather', { name: 'to0', inputs: ['vector', 'first'], outputs: ['scalar'] })
        .node('Relu', { name: 'relu', inputs: ['scalar'], outputs: ['positive'] })
        .output('positive')
        .build(),
    );
    const lane = laneOf(g, {
      sequence: perAxis(
        'int8',
        2,
        Array.from({ length: 16 }, () => 1 / 2),
      ),
      matrix: perTensor('int8', 1),
      vector: perTensor('int8', 2),
      scalar: perTensor('int8', 1 / 4),
    });
    const { edges } = edgesOf(g, new Set());
    const samples = samplesOf('sequence', [1, 12, 16], [quarters(random, 192, 3)]);
    const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<TensorId>() };
    const sums = await measure(g, lane, edges, new Set(), samples, options, UNWATCHED);
    const x = samples.feeds[0]!.get('sequence')!.data;
    const even = (v: number): number => (Math.abs(v % 1) === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));
    const quantized =
      (scale: number) =>
      (v: number): number =>
        scale * even(v / scale);
    const energy = (list: Float64Array, f: (v: number) => number): number =>
      list.reduce((sum, v) => sum + (f(v) - v) ** 2, 0);
    const selfs = new Map(
      sums.flatMap(({ edge, errors }) => {
        const self = errors.get('self');
        return self === undefined
          ? []
          : [[g.tensors[edge.tensor]!.name, self.sumEE.reduce((a, b) => a + b, 0)]];
      }),
    );
    expect(Object.fromEntries(selfs)).toEqual({
      sequence: energy(x, quantized(1 / 2)),
      matrix: energy(x, quantized(1)),
      vector: energy(x, quantized(2)),
      scalar: energy(x.slice(5, 6), quantized(1 / 4)),
    });
    expect(sums.map(({ edge, value }) => [edge.dims.join('x'), edge.channels, value.count])).toEqual([
      ['1x12x16', 16, 192],
      ['12x16', 16, 192],
      ['192', 1, 192],
      ['1', 1, 1],
      ['1', 1, 1],
    ]);
  });
});
