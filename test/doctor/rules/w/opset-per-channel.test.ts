import { describe, expect, it } from 'vitest';
import { constantMeasurements } from '../../../../src/diff/weight-measurements.js';
import { opsetPerChannel } from '../../../../src/doctor/rules/w/opset-per-channel.js';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { planOfLane } from '../../../../src/quant/placement/lane-plan.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perAxis, perTensor } from '../../../support/lanes.js';

const WIDE = Array.from({ length: 16 }, (_, i) => (i < 4 ? 1 : 0.01) * (1 + (i % 4)));

function net(opset: number, values = WIDE.map(() => 0.5)): Graph {
  return graph({ opset })
    .input('x', 'float32', [1, 4, 4, 4])
    .constant('a', 'float32', [4, 4, 1, 1], values)
    .constant(
      'b',
      'float32',
      [4, 4],
      values.map((x) => x),
    )
    .node('Conv', { inputs: ['x', 'a'], outputs: ['y'], name: 'conv' })
    .node('MatMul', { inputs: ['y', 'b'], outputs: ['z'], name: 'product' })
    .output('z')
    .build();
}

function said(g: Graph, weights: Readonly<Record<string, QuantParams>>, isMeasured = false): string[] {
  const lane = laneOf(g, weights);
  const constants = isMeasured ? constantMeasurements(g, lane, planOfLane(g, lane).quantizers) : undefined;
  const evidence: Evidence = { graph: g, lane, ...(constants === undefined ? {} : { constants }) };
  return opsetPerChannel.check(evidence).map(({ severity, message }) => `${severity}: ${message}`);
}

const ONE = perTensor('int8', 0.04);
const EACH = perAxis('int8', 0, [0.01, 0.02, 0.03, 0.04]);

describe('w.opset-per-channel', () => {
  it('notes an opset without an axis, and warns where channels are lost by it', () => {
    expect(said(net(11), { a: ONE, b: ONE })).toEqual([
      expect.stringMatching(/^note: all 2 weights have one scale each, and opset 11 knows no other/),
    ]);
    expect(said(net(11, WIDE), { a: ONE, b: ONE }, true)).toEqual([
      expect.stringMatching(/^warning: .*; 75 % of the channels of one keep fewer than 16 levels by it$/),
    ]);
  });

  it('says nothing of one scale from opset 13 on, nor of per-channel weights', () => {
    expect(said(net(13, WIDE), { a: ONE, b: ONE }, true)).toEqual([]);
    expect(said(net(17), { a: EACH, b: perAxis('int8', 1, [1, 2, 3, 4]) })).toEqual([]);
  });

  it('notes matrix products that have one scale beside convolutions that have many', () => {
    expect(said(net(17), { a: EACH, b: ONE })).toEqual([
      expect.stringMatching(
        /^note: 1 convolution has one scale per channel, the 1 matrix product one scale in all/,
      ),
    ]);
  });

  it('says nothing of TFLite, whose specification says which', () => {
    expect(said({ ...net(11), format: 'tflite' }, { a: EACH, b: ONE })).toEqual([]);
  });
});
