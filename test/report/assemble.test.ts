import { beforeAll, describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import type { EdgeMeasurement } from '../../src/diff/edge-measurements.js';
import { constantMeasurements } from '../../src/diff/weight-measurements.js';
import type { TensorId } from '../../src/ir/graph.js';
import { buildLane } from '../../src/quant/lane.js';
import type { QuantPlan } from '../../src/quant/placement/plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import {
  coverageOf,
  jumpRows,
  tensorRows,
  weightRows,
  type TensorRowOptions,
} from '../../src/report/assemble.js';
import { Places } from '../../src/report/places.js';
import type { ReportedTensor } from '../../src/report/report.js';
import { histogramOf, samples } from '../quant/samples.js';
import { edgeMeasurement, errorOf } from '../support/evidence.js';
import { tensorNamed } from '../support/graph-builder.js';
import { bells, smallNetwork } from '../support/measured-networks.js';

const g = smallNetwork(17, bells);
const id = (name: string): TensorId => tensorNamed(g, name).id;
const NOTHING: TensorRowOptions = {
  listed: new Set(),
  asked: new Set(),
  forecasts: () => ({}),
  histogram: () => undefined,
};

let plan: QuantPlan;
let places: Places;
beforeAll(() => {
  plan = planQuantization(g, SCHEMES['ort']!, NO_SELECTION);
  places = new Places(g, plan);
});

describe('places', () => {
  it('call a fused operator after its first node, and an input or a constant after the node that reads it', () => {
    expect(places.of(id('relu1:out'))).toMatchObject({ node: 'conv1', op: 'Conv+Relu' });
    expect(places.of(id('relu3:out'))).toMatchObject({ node: 'add', op: 'Add+Relu' });
    expect(places.of(id('logits'))).toMatchObject({ node: 'fc', op: 'Gemm' });
    expect(places.of(id('image'))).toMatchObject({ node: 'conv1', op: 'Conv' });
    expect(places.of(id('fc.bias'))).toMatchObject({ node: 'fc', op: 'Gemm' });
  });
});

describe('rows of tensors', () => {
  const measurementOf = (name: string, rest: Partial<EdgeMeasurement> = {}): EdgeMeasurement =>
    edgeMeasurement(g, name, { cumulative: errorOf(30) }, rest);

  it('stand in graph order: input, constants, output of every operator', () => {
    const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
    const { edges } = edgesOf(g, new Set(plan.fusedAway));
    const measurements = edges.map(({ tensor }) => measurementOf(g.tensors[tensor]!.name)).reverse();
    const constants = constantMeasurements(g, lane, plan.quantizers);
    const rows = tensorRows(g, places, measurements, constants, NOTHING);
    expect(rows.map(({ tensor }) => tensor)).toEqual([
      'image',
      'conv1.weight',
      'conv1.bias',
      'relu1:out',
      'depthwise.weight',
      'depthwise.bias',
      'relu2:out',
      'project.weight',
      'project:out',
      'relu3:out',
      'pool:out',
      'flat',
      'fc.weight',
      'fc.bias',
      'logits',
    ]);
    expect(rows.map(({ order }) => order)).toEqual(rows.map((_, i) => i));
    expect(rows.map(({ role }) => role).filter((role) => role !== 'activation')).toEqual([
      'input',
      'weight',
      'bias',
      'weight',
      'bias',
      'weight',
      'weight',
      'bias',
      'output',
    ]);
    expect(rows.find(({ tensor }) => tensor === 'conv1.weight')).toMatchObject({
      node: 'conv1',
      shape: [4, 3, 3, 3],
      quant: { dtype: 'int8', qmin: -127, qmax: 127, source: 'observer' },
    });
  });

  it('leave out what has no value instead of writing nothing', () => {
    const [row] = tensorRows(g, places, [measurementOf('image')], [], NOTHING);
    expect(Object.keys(row!).sort()).toEqual([
      'cumulative',
      'node',
      'op',
      'order',
      'range',
      'role',
      'shape',
      'tensor',
    ]);
  });

  it('list channels of those chosen and of those asked for, which they mark', () => {
    const channels = [0, 1, 2].map((c) => ({
      min: -c,
      max: c,
      sqnrDb: new Map([['self', 10 * c]] as const),
    }));
    const rows = (options: Partial<TensorRowOptions>): unknown =>
      tensorRows(g, places, [measurementOf('image', { channels })], [], { ...NOTHING, ...options })[0]!
        .channels;
    expect(rows({})).toBeUndefined();
    const values = [0, 1, 2].map((c) => ({ min: -c, max: c, selfSqnrDb: 10 * c }));
    expect(rows({ listed: new Set([id('image')]) })).toEqual({ axis: 1, values });
    expect(rows({ asked: new Set([id('image')]) })).toEqual({ axis: 1, values, asked: true });
    expect(rows({ listed: new Set([id('logits')]) })).toBeUndefined();
  });
});

describe('the values in a row', () => {
  const rowOf = (x: Float32Array): ReportedTensor =>
    tensorRows(g, places, [edgeMeasurement(g, 'image')], [], {
      ...NOTHING,
      histogram: (tensor) => (tensor === id('image') ? histogramOf(x) : undefined),
    })[0]!;

  it('are counted, and those between the percentiles once more where outliers squeeze them', () => {
    const { histogram, bulk } = rowOf(samples('outliers', 5000));
    expect(histogram!.counts.reduce((a, b) => a + b, 0)).toBe(5000);
    expect(bulk!.hi - bulk!.lo).toBeLessThan((histogram!.hi - histogram!.lo) / 10);
  });

  it('are counted once where the whole range shows them', () => {
    expect(Object.keys(rowOf(samples('uniform', 5000)))).toContain('histogram');
    expect(Object.keys(rowOf(samples('uniform', 5000)))).not.toContain('bulk');
  });
});

describe('rows of falls', () => {
  it('name both ends and the layer', () => {
    const fall = { tensor: id('relu2:out'), from: id('relu1:out'), toDb: 3 };
    const row = { tensor: 'relu2:out', node: 'depthwise', op: 'Conv+Relu', from: 'relu1:out', toDb: 3 };
    expect(jumpRows(g, places, [{ ...fall, fromDb: 30 }, fall])).toEqual([{ ...row, fromDb: 30 }, row]);
  });
});

describe('rows of weights', () => {
  it('have the statistics of every channel and what one scale leaves each', () => {
    const lane = buildLane(g, plan, () => ({ rmin: -1, rmax: 1 }), 'test');
    const rows = weightRows(g, places, constantMeasurements(g, lane, plan.quantizers));
    expect(rows.map(({ tensor, channels, axis }) => [tensor, channels.length, axis])).toEqual([
      ['conv1.weight', 4, 0],
      ['depthwise.weight', 4, 0],
      ['project.weight', 4, 0],
      ['fc.weight', 5, 0],
    ]);
    for (const { channels, perTensorLevels } of rows) {
      for (const channel of channels) {
        expect(channel.min).toBeLessThanOrEqual(channel.q1!);
        expect(channel.q1).toBeLessThanOrEqual(channel.median!);
        expect(channel.median).toBeLessThanOrEqual(channel.q3!);
        expect(channel.q3).toBeLessThanOrEqual(channel.max!);
        expect(channel.absmax).toBe(Math.max(-channel.min!, channel.max!));
      }
      expect(perTensorLevels).toHaveLength(channels.length);
    }
  });
});

describe('coverage', () => {
  it('counts operators and multiply-accumulates, and groups what stays in float by its reason', () => {
    const whole = coverageOf(g, plan);
    expect(whole.ops).toEqual({ quantized: 10, total: 10 });
    // conv1 4*3*9*64, depthwise 4*9*64, project 4*4*64, fc 64*5
    expect(whole.macs).toEqual({ quantized: 10560, total: 10560 });
    expect(whole.islands).toEqual([]);
    const part = planQuantization(g, SCHEMES['ort']!, { only: [], skip: ['conv1', 'fc'] });
    const { ops, macs, islands } = coverageOf(g, part);
    expect(ops.quantized + islands.flatMap(({ nodes }) => nodes).length).toBe(ops.total);
    expect(macs).toEqual({ quantized: 10560 - 6912 - 320, total: 10560 });
    const skipped = islands.find(({ reason }) => reason === 'left out by --only or --skip');
    expect(skipped!.nodes).toEqual(['conv1', 'fc']);
    const weightsOnly = coverageOf(
      g,
      planQuantization(g, overrideScheme(SCHEMES['ort']!, { activations: 'float' }), NO_SELECTION),
    );
    expect(weightsOnly.ops.quantized).toBe(0);
  });
});
