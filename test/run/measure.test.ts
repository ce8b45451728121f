/** The measuring pass beside a float64 interpreter of the same networks. */
import { describe, expect, it } from 'vitest';
import { edgesOf, type Edge } from '../../src/compile/edges.js';
import { ERROR_KINDS, quantizerOf } from '../../src/compile/measurement-program.js';
import { limitsOf } from '../../src/diff/weight-error.js';
import type { Graph, TensorId } from '../../src/ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../../src/ir/lane.js';
import { buildLane } from '../../src/quant/lane.js';
import { observe } from '../../src/quant/observers/index.js';
import { observedTensors } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES, type SchemeOverrides } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { calibrate } from '../../src/run/calibrate.js';
import { measure, type EdgeSums } from '../../src/run/measure.js';
import { Random } from '../quant/samples.js';
import type { Feeds } from '../support/float64-network.js';
import { graph, producerOf, tensorNamed } from '../support/graph-builder.js';
import {
  bells,
  ONE_THREAD,
  quarters,
  samplesOf,
  smallNetwork,
  UNWATCHED,
  type Draw,
} from '../support/measured-networks.js';
import { referenceSums, type ReferenceSums } from '../support/reference-sums.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { Samples } from '../../src/run/samples.js';

const IMAGE = [1, 3, 8, 8];

function images(count: number, draw: Draw, seed = 11): ReturnType<typeof samplesOf> {
  const random = new Random(seed);
  // Each twice as large as the one before, so that the worst sample is one of its own.
  return samplesOf(
    'image',
    IMAGE,
    Array.from({ length: count }, (_, i) => draw(random, 192, 2 ** i)),
  );
}

function perTensor(dtype: QuantParams['dtype'], scale: number, zeroPoint = 0): QuantParams {
  const [qmin, qmax] = {
    int4: [-8, 7],
    uint4: [0, 15],
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
    uint16: [0, 65535],
    int32: [-(2 ** 31), 2 ** 31 - 1],
  }[dtype] as [number, number];
  return {
    dtype,
    qmin,
    qmax,
    granularity: { kind: 'per-tensor' },
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(zeroPoint),
    source: 'edit',
  };
}

function perAxis(dtype: QuantParams['dtype'], axis: number, scales: readonly number[]): QuantParams {
  return {
    ...perTensor(dtype, 1),
    granularity: { kind: 'per-axis', axis },
    scale: Float32Array.from(scales),
    zeroPoint: new Int32Array(scales.length),
  };
}

function laneOf(
  g: Graph,
  tensors: Readonly<Record<string, QuantParams>>,
  uses: Lane['uses'] = new Map(),
): Lane {
  return {
    name: 'test',
    tensors: new Map(Object.entries(tensors).map(([name, params]) => [tensorNamed(g, name).id, params])),
    uses,
  };
}

interface Measured {
  readonly edges: readonly Edge[];
  readonly found: readonly EdgeSums[];
  readonly wanted: readonly ReferenceSums[];
}

async function both(
  g: Graph,
  lane: Lane,
  samples: Samples & { readonly feeds: readonly Feeds[] },
  fusedAway: ReadonlySet<TensorId> = new Set(),
): Promise<Measured> {
  const { edges } = edgesOf(g, fusedAway);
  const quantizers = (tensor: TensorId): QuantParams | undefined => quantizerOf(g, lane, tensor);
  const clipping = new Set(edges.map(({ tensor }) => tensor));
  const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping };
  const found = await measure(g, lane, edges, fusedAway, samples, options, UNWATCHED);
  return { edges, found, wanted: referenceSums(g, lane, edges, fusedAway, samples.feeds, quantizers) };
}

/** Sums agree to the given share of the largest channel's; a mean error may cancel, so it is judged by |e|. */
function expectEqualSums({ edges, found, wanted }: Measured, g: Graph, tolerance: number): void {
  expect(found).toHaveLength(wanted.length);
  let compared = 0;
  found.forEach(({ value, errors }, i) => {
    const reference = wanted[i]!;
    const name = g.tensors[edges[i]!.tensor]!.name;
    const near = (actual: number, expected: number, unit: number, what: string): void => {
      expect(
        Math.abs(actual - expected),
        `${name} ${what}: ${actual}, reference ${expected}`,
      ).toBeLessThanOrEqual(tolerance * unit);
    };
    expect(value.count).toBe(reference.count);
    expect(value.nonFinite).toBe(0);
    near(value.sumXX, reference.sumXX, reference.sumXX, 'sumXX');
    expect(value.clipped, `${name} clipped`).toBe(reference.clipped);
    expect([...errors.keys()].sort(), name).toEqual([...reference.errors.keys()].sort());
    for (const [kind, error] of errors) {
      const target = reference.errors.get(kind)!;
      const energy = target.sumEE.reduce((a, b) => a + b, 0);
      const peak = Math.max(...target.maxAbsE);
      near(error.clipEE, target.clipEE, energy, `${kind} clipEE`);
      target.sumEE.forEach((value, c) => {
        compared++;
        near(error.sumEE[c]!, value, energy, `${kind} sumEE #${c}`);
        near(
          error.sumE[c]!,
          target.sumE[c]!,
          peak * (reference.count / edges[i]!.channels),
          `${kind} sumE #${c}`,
        );
        near(error.maxAbsE[c]!, target.maxAbsE[c]!, peak, `${kind} max |e| #${c}`);
      });
      expect(error.sumEE).toHaveLength(edges[i]!.channels);
      expect(error.nonFinite).toBe(0);
      expect(error.worst?.sample, `${name} ${kind} worst sample`).toBe(
        target.worst === undefined ? undefined : `sample${target.worst.sample}`,
      );
    }
  });
  expect(compared).toBeGreaterThan(20);
}

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
      image: { ...perTensor('int8', 1 / 64), qmin: -127 },
      'conv1.weight': { ...perAxis('int8', 0, [1 / 2, 1 / 4, 1, 2]), qmin: -127 },
      'conv1.bias': perTensor('int32', 1 / 2),
      'relu1:out': perTensor('uint16', 1 / 16, 0),
      'relu2:out': { ...perTensor('uint8', 1 / 16), qmax: 200 },
      'fc.weight': perAxis('int8', 0, [1, 1 / 2, 1 / 4, 1 / 2, 2]),
      logits: perTensor('uint8', 4, 128),
    });
    expectEqualSums(await both(old, lane, images(2, quarters), fused), old, EXACT);
  });
});

describe('sums under the schemes, calibrated', () => {
  /** A rounding that falls the other way in float32 than in float64 is rare, and one step of one value. */
  const ROUNDED = 2e-3;
  const g = smallNetwork(17, bells);

  it.each<[string, string, SchemeOverrides]>([
    ['ort', 'ort', {}],
    ['ort per-axis', 'ort', { granularity: 'per-axis' }],
    ['ort int8 symmetric', 'ort', { activations: 'int8', symmetric: true }],
    ['ort uint16 x int16', 'ort', { activations: 'uint16', weights: 'int16' }],
    ['ort uint8 x uint8', 'ort', { weights: 'uint8' }],
    ['ort int4 weights', 'ort', { weights: 'int4' }],
    ['ort float activations', 'ort', { activations: 'float' }],
    ['ort float weights', 'ort', { weights: 'float' }],
    ['ort with clipped tails', 'ort', { observer: 'percentile', percentile: 98 }],
    ['tflite', 'tflite', {}],
    ['tflite-16x8', 'tflite-16x8', {}],
    ['tensorrt', 'tensorrt', {}],
  ])('%s', async (_, name, overrides) => {
    const samples = images(4, bells);
    const scheme = overrideScheme(SCHEMES[name]!, overrides);
    const plan = planQuantization(g, scheme, NO_SELECTION);
    const passes = { ...ONE_THREAD, histograms: true, momentum: 0.99 };
    const calibration = await calibrate(g, edgesOf(g, new Set()).edges, samples, passes, UNWATCHED);
    const schemes = observedTensors(g, plan);
    const ranges = (tensor: TensorId) =>
      observe(schemes.get(tensor)!.observer, calibration.edges.get(tensor)!, schemes.get(tensor)!);
    const lane = buildLane(g, plan, ranges, name);
    expect(lane.tensors.size).toBeGreaterThan(3);
    expectEqualSums(await both(g, lane, samples, new Set(plan.fusedAway)), g, ROUNDED);
  });
});

describe('edges of any shape', () => {
  it('are measured as scalars, vectors, matrices and sequences', async () => {
    const random = new Random(3);
    const g = inferShapes(
      graph()
        .input('image', 'float32', [1, 3, 8, 8])
        .constant('shape', 'int64', [3], [1, 12, 16])
        .constant('flat', 'int64', [1], [-1])
        .constant('first', 'int64', [], [5])
        .node('Reshape', { name: 'to3', inputs: ['image', 'shape'], outputs: ['sequence'] })
        .node('Reshape', { name: 'to1', inputs: ['sequence', 'flat'], outputs: ['vector'] })
        .node('Gather', { name: 'to0', inputs: ['vector', 'first'], outputs: ['scalar'] })
        .node('Relu', { name: 'relu', inputs: ['scalar'], outputs: ['positive'] })
        .output('positive')
        .build(),
    );
    const lane = laneOf(g, {
      image: perTensor('int8', 1 / 2),
      sequence: perTensor('int8', 1),
      vector: perTensor('int8', 2),
      scalar: perTensor('int8', 1 / 4),
    });
    const { edges } = edgesOf(g, new Set());
    const samples = samplesOf('image', IMAGE, [quarters(random, 192, 3)]);
    const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<TensorId>() };
    const sums = await measure(g, lane, edges, new Set(), samples, options, UNWATCHED);
    const x = samples.feeds[0]!.get('image')!.data;
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
      image: energy(x, quantized(1 / 2)),
      sequence: energy(x, quantized(1)),
      vector: energy(x, quantized(2)),
      scalar: energy(x.slice(5, 6), quantized(1 / 4)),
    });
    expect(sums.map(({ edge, value }) => [edge.dims.join('x'), edge.channels, value.count])).toEqual([
      ['1x3x8x8', 3, 192],
      ['1x12x16', 16, 192],
      ['192', 1, 192],
      ['1', 1, 1],
      ['1', 1, 1],
    ]);
  });
});
