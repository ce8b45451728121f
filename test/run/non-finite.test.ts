/** NaN and infinite values inside a network: counted, and in no sum. */
import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { ERROR_KINDS } from '../../src/compile/measurement-program.js';
import { edgeMeasurements } from '../../src/diff/edge-measurements.js';
import { RunError } from '../../src/errors.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE, type Lane } from '../../src/ir/lane.js';
import { calibrate, type Calibration, type EdgeStatistics } from '../../src/run/calibrate.js';
import { measure, type EdgeSums } from '../../src/run/measure.js';
import type { Samples } from '../../src/run/samples.js';
import { graph, tensorNamed } from '../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../support/lanes.js';
import { ONE_THREAD, samplesOf, UNWATCHED } from '../support/measured-networks.js';

const PASSES = { ...ONE_THREAD, histograms: true, momentum: 0.5 };

async function calibrated(g: Graph, samples: Samples): Promise<(name: string) => EdgeStatistics> {
  const { edges } = await calibrateAll(g, samples);
  return (name) => edges.get(tensorNamed(g, name).id)!;
}

function calibrateAll(g: Graph, samples: Samples): Promise<Calibration> {
  return calibrate(g, edgesOf(g, new Set()).edges, samples, PASSES, UNWATCHED);
}

async function measured(g: Graph, lane: Lane, samples: Samples): Promise<(name: string) => EdgeSums> {
  const { edges } = edgesOf(g, new Set());
  const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set(edges.map(({ tensor }) => tensor)) };
  const sums = await measure(g, lane, edges, new Set(), samples, options, UNWATCHED);
  return (name) => sums.find(({ edge }) => edge.tensor === tensorNamed(g, name).id)!;
}

/** x [1,3,2] -> Log -> y -> Add 1 -> z */
function logarithm(opset = 17): Graph {
  return inferShapes(
    graph({ opset })
      .input('x', 'float32', [1, 2, 3])
      .constant('one', 'float32', [1], [1])
      .node('Log', { inputs: ['x'], outputs: ['y'] })
      .node('Add', { inputs: ['y', 'one'], outputs: ['z'] })
      .output('z')
      .build(),
  );
}

const E = Math.fround(Math.E);
const SOUND = [1, E, 1, E, E, 1];
/** Channels (last axis) have ln: [0, 1], [NaN, -inf], [1, NaN]. */
const BROKEN = [1, -1, E, E, 0, -5];

describe('calibration over values that are not finite', () => {
  const samples = samplesOf('x', [1, 2, 3], [SOUND, BROKEN, BROKEN]);

  it('has ranges, sums and counts of the finite ones only', async () => {
    const stats = (await calibrated(logarithm(), samples))('y');
    expect(stats.nonFinite).toBe(6);
    expect(stats.nonFiniteIn).toBe('sample1');
    expect(stats.count).toBe(12);
    const rounded = (values: Float64Array): number[] => Array.from(values, (v) => Number(v.toFixed(5)));
    expect(rounded(stats.channels.min)).toEqual([0, 1, 0]);
    expect(rounded(stats.channels.max)).toEqual([1, 1, 1]);
    expect(rounded(stats.channels.sumXX)).toEqual([3, 2, 2]);
    expect(stats.histogram!.total).toBe(12);
  });

  it('does not take what is not finite for a zero of a range or of a histogram', async () => {
    const g = logarithm();
    const values = [E ** 2, -1, E ** 3, E ** 4, 0, -5].map(Math.fround);
    const stats = (await calibrated(g, samplesOf('x', [1, 2, 3], [values])))('y');
    expect(stats.min).toBeCloseTo(2, 5);
    expect(stats.max).toBeCloseTo(4, 5);
    expect([...stats.channels.min].map(Math.round)).toEqual([2, 0, 3]);
    expect([...stats.channels.max].map(Math.round)).toEqual([4, 0, 3]);
    expect(stats.average!.min).toBeCloseTo(2, 5);
    const { grid, counts } = stats.histogram!;
    expect(counts[grid.zeroPoint]).toBe(0);
    expect(stats.histogram!.total).toBe(3);
    expect(stats.histogram!.percentile(50)).toBeCloseTo(3, 2);
  });

  it('does so below zero, too', async () => {
    const values = [E ** -2, -1, E ** -3, E ** -4, 0, -5].map(Math.fround);
    const stats = (await calibrated(logarithm(), samplesOf('x', [1, 2, 3], [values])))('y');
    expect(stats.max).toBeCloseTo(-2, 5);
    expect([...stats.channels.max].map(Math.round)).toEqual([-2, 0, -3]);
    expect(stats.average!.max).toBeCloseTo(-2, 5);
  });

  it('gives an edge without any finite value the range 0 to 0 and no histogram', async () => {
    const g = logarithm();
    const only = samplesOf('x', [1, 2, 3], [[-1, -1, -1, -1, 0, -1]]);
    const calibration = await calibrateAll(g, only);
    const stats = calibration.edges.get(tensorNamed(g, 'y').id)!;
    expect([stats.min, stats.max, stats.count, stats.nonFinite, stats.histogram]).toEqual([
      0,
      0,
      0,
      6,
      undefined,
    ]);
    const { edges } = edgesOf(g, new Set());
    const options = { ...ONE_THREAD, kinds: ERROR_KINDS, clipping: new Set<never>() };
    const lane = laneOf(g, { y: perTensor('uint8', 1) });
    const sums = await measure(g, lane, edges, new Set(), only, options, UNWATCHED);
    const [, y] = edgeMeasurements(g, lane, sums, calibration.edges);
    expect(y!.range).toEqual({ min: 0, max: 0 });
    expect(y!.nonFinite).toBe(6);
    expect([...y!.errors.keys()]).toEqual([]);
  });

  it('follows the moving average over samples with finite values', async () => {
    const g = logarithm();
    const none = [-1, -1, -1, -1, -1, -1];
    const stats = (
      await calibrated(g, samplesOf('x', [1, 2, 3], [SOUND, none, SOUND.map((v) => Math.fround(v * E))]))
    )('y');
    // 0..1, then nothing, then 1..2, at momentum 1/2.
    expect(stats.average!.min).toBeCloseTo(0.5, 5);
    expect(stats.average!.max).toBeCloseTo(1.5, 5);
  });
});

describe('measuring over values that are not finite', () => {
  it('counts them and leaves them out of every sum of all samples', async () => {
    const g = logarithm();
    const samples = samplesOf('x', [1, 2, 3], [SOUND, BROKEN]);
    const lane = laneOf(g, { y: perTensor('int8', 0.4) });
    const { value, errors } = (await measured(g, lane, samples))('y');
    expect(value.count).toBe(12);
    expect(value.nonFinite).toBe(3);
    expect(value.sumXX).toBeCloseTo(3 + 2, 5);
    expect(value.clipped).toBe(0);
    for (const kind of ERROR_KINDS) {
      const error = errors.get(kind)!;
      expect(error.nonFinite).toBe(3);
      // 1 -> 0.8 or 1.2: 2.5 steps, ties to even.
      expect(error.sumEE.reduce((a, b) => a + b)).toBeCloseTo(5 * 0.04, 5);
      expect(error.sumE.reduce((a, b) => a + b)).toBeCloseTo(5 * -0.2, 5);
      expect(Math.max(...error.maxAbsE)).toBeCloseTo(0.2, 5);
      expect(error.clipEE).toBe(0);
    }
  });

  it('counts infinite values as not finite, not as clipped', async () => {
    const g = logarithm();
    const samples = samplesOf('x', [1, 2, 3], [[E, 0, 0, 0, 0, Math.fround(E ** 3)]]);
    const lane = laneOf(g, { y: { ...perAxis('int8', 2, [1, 1, 1]), qmax: 1 } });
    const { value, errors } = (await measured(g, lane, samples))('y');
    expect(value.nonFinite).toBe(4);
    expect(value.clipped).toBe(1);
    expect(errors.get('self')!.clipEE).toBeCloseTo(4, 4);
  });

  it('counts values that only the lane makes non-finite', async () => {
    const g = logarithm();
    // A coarse input: 0.3 becomes 0, and its logarithm -Infinity.
    const samples = samplesOf('x', [1, 2, 3], [[1, 0.25, 1, 2, 1, 1]]);
    const lane = laneOf(g, { x: perTensor('int8', 1) });
    const sums = await measured(g, lane, samples);
    expect(sums('y').value.nonFinite).toBe(0);
    expect(sums('y').errors.get('cumulative')!.nonFinite).toBe(1);
    expect(sums('y').errors.get('local')!.nonFinite).toBe(1);
    expect([...sums('y').errors.get('cumulative')!.sumEE]).toEqual([0, 0, 0]);
    expect(sums('z').errors.get('cumulative')!.nonFinite).toBe(1);
    expect(sums('z').errors.get('local')!.nonFinite).toBe(0);
  });

  it('counts them where the lane computes what float computes, too', async () => {
    const g = logarithm();
    const samples = samplesOf('x', [1, 2, 3], [BROKEN]);
    const { value, errors } = (await measured(g, FLOAT_LANE, samples))('z');
    expect(value.nonFinite).toBe(3);
    expect(errors.get('cumulative')!.nonFinite).toBe(3);
  });

  it('measures a mask of -Infinity by the values that it leaves', async () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 4])
        .constant('mask', 'float32', [1, 4], [0, -Infinity, 0, -Infinity])
        .node('Add', { inputs: ['x', 'mask'], outputs: ['scores'] })
        .node('Softmax', { inputs: ['scores'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const samples = samplesOf('x', [1, 4], [[1, 2, 3, 4]]);
    const stats = await calibrated(g, samples);
    expect([stats('scores').min, stats('scores').max, stats('scores').nonFinite]).toEqual([1, 3, 2]);
    expect(stats('y').nonFinite).toBe(0);
    const lane = laneOf(g, { y: perTensor('uint8', 1 / 255) });
    const sums = await measured(g, lane, samples);
    expect(sums('scores').value).toMatchObject({ nonFinite: 2, sumXX: 10 });
    expect(sums('y').value.nonFinite).toBe(0);
    expect(
      sums('y')
        .errors.get('cumulative')!
        .sumEE.reduce((a, b) => a + b),
    ).toBeGreaterThan(0);
  });

  it('is refused where the opset has no way to leave them out', async () => {
    const g = logarithm(8);
    const broken = samplesOf('x', [1, 2, 3], [SOUND, BROKEN]);
    const error = await calibrateAll(g, broken).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(RunError);
    expect((error as RunError).message).toContain('sample1');
    expect((error as RunError).hint).toContain('opset 9');
    const sound = await calibrateAll(g, samplesOf('x', [1, 2, 3], [SOUND]));
    expect(sound.edges.get(tensorNamed(g, 'y').id)!.max).toBeCloseTo(1, 5);
  });
});
