import { describe, expect, it } from 'vitest';
import { constantMeasurements } from '../../src/diff/weight-measurements.js';
import { buildGraph } from '../../src/loader/tflite/lower/build-graph.js';
import { buildLane } from '../../src/quant/lane.js';
import { planOfLane } from '../../src/quant/placement/lane-plan.js';
import { planQuantization } from '../../src/quant/placement/planner.js';
import { overrideScheme, SCHEMES, type SchemeOverrides } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import { constantOf, quantizedArray } from '../support/float64-network.js';
import { tensorNamed } from '../support/graph-builder.js';
import { bells, smallNetwork } from '../support/measured-networks.js';
import { CONV, HandmadeSubgraph } from '../support/tflite-subgraph.js';

const g = smallNetwork(17, bells);

function measured(overrides: SchemeOverrides = {}, name = 'ort') {
  const plan = planQuantization(g, overrideScheme(SCHEMES[name]!, overrides), NO_SELECTION);
  const lane = buildLane(g, plan, () => ({ rmin: -4, rmax: 8 }), 'test');
  const list = constantMeasurements(g, lane, plan.quantizers);
  return new Map(list.map((one) => [g.tensors[one.tensor]!.name, one]));
}

/** SQNR of a constant through its quantizer, dB. */
function sqnrOf(name: string, quant: Parameters<typeof quantizedArray>[1]): number {
  const x = constantOf(g, tensorNamed(g, name).id);
  const y = quantizedArray(x, quant).data;
  const noise = x.data.reduce((sum, value, i) => sum + (y[i]! - value) ** 2, 0);
  return 10 * Math.log10(x.data.reduce((sum, value) => sum + value * value, 0) / noise);
}

describe('the constants of a plan', () => {
  it('are measured through the quantizer that the lane has for them, weights and biases', () => {
    for (const list of [measured(), measured({ granularity: 'per-axis' }), measured({ weights: 'int4' })]) {
      expect([...list.keys()].sort()).toEqual(
        [
          'conv1.bias',
          'conv1.weight',
          'depthwise.bias',
          'depthwise.weight',
          'fc.bias',
          'fc.weight',
          'project.weight',
        ].sort(),
      );
      for (const [name, { self, quant, role }] of list) {
        expect(self!.sqnrDb, name).toBeCloseTo(sqnrOf(name, quant), 2);
        expect(role).toBe(name.endsWith('bias') ? 'bias' : 'weight');
      }
    }
  });

  it('have the axis of their output channels and a comparison of one scale with one for each', () => {
    const [one, each] = [measured(), measured({ granularity: 'per-axis' })];
    for (const [name, axis] of [
      ['conv1.weight', 0],
      ['depthwise.weight', 0],
      ['fc.weight', 0],
    ] as const) {
      const { spread } = one.get(name)!;
      expect(one.get(name)!.axis).toBe(axis);
      expect(spread!.sqnr.perTensorDb).toBeCloseTo(one.get(name)!.self!.sqnrDb!, 4);
      expect(spread!.sqnr.perAxisDb).toBeCloseTo(each.get(name)!.self!.sqnrDb!, 4);
      expect(spread!.stats.channels).toHaveLength(tensorNamed(g, name).shape![0] as number);
    }
    expect(one.get('conv1.bias')).toMatchObject({ axis: undefined });
    expect(one.get('conv1.bias')).not.toHaveProperty('spread');
  });

  it('are named with the node that reads them', () => {
    const list = measured();
    const node = (name: string): string => g.nodes[list.get(name)!.node!]!.origin.name;
    expect(node('depthwise.weight')).toBe('depthwise');
    expect(node('fc.bias')).toBe('fc');
  });

  it('are none where weights and biases stay in float', () => {
    expect([...measured({ weights: 'float' }).keys()]).toEqual([]);
    expect([...measured({}, 'tensorrt').keys()].filter((name) => name.endsWith('bias'))).toEqual([]);
  });
});

describe('the constants of a file', () => {
  /** One scale for both channels of a convolution's weight, of which the first has tiny codes; and a bias. */
  function ofFile(scale: number | readonly number[]) {
    const net = new HandmadeSubgraph();
    const x = net.input([1, 2, 2, 1], { type: 'INT8', scale: 1 });
    const w = net.constant([2, 1, 1, 1], [1, 127], { name: 'w', type: 'INT8', scale });
    const b = net.constant([2], [3, 4], { name: 'b', type: 'INT32', scale });
    const y = net.tensor([1, 2, 2, 2], { type: 'INT8', scale: 1 });
    net.op('CONV_2D', [x, w, b], [y], CONV);
    const { graph, lane } = buildGraph(net.build(y));
    const whole = { ...graph, metadata: new Map<string, string>(), producer: '' };
    const list = constantMeasurements(whole, lane!, planOfLane(whole, lane!).quantizers);
    return new Map(list.map((one) => [whole.tensors[one.tensor]!.name, one]));
  }

  it('are what their codes stand for: nothing is lost by them that could be measured', () => {
    const list = ofFile(0.5);
    expect([...list.keys()]).toEqual(['w', 'b']);
    for (const { self, quant } of list.values()) {
      expect(self).toBeUndefined();
      expect(quant).toMatchObject({ source: 'file' });
    }
    expect(list.get('w')!.role).toBe('weight');
    expect(list.get('b')!.role).toBe('bias');
  });

  it('show what one scale for all channels leaves to each, but not what a scale for each would', () => {
    const { spread } = ofFile(0.5).get('w')!;
    expect(spread!.stats.channels.map((channel) => channel!.max)).toEqual([0.5, 63.5]);
    expect(ofFile([0.5, 0.25]).get('w')).not.toHaveProperty('spread');
    expect(ofFile(0.5).get('b')).not.toHaveProperty('spread');
  });
});
