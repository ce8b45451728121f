import { describe, expect, it } from 'vitest';
import { doubleQuantized } from '../../../../src/doctor/rules/base/double-quantized.js';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { FLOAT_LANE, type Lane } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';
import { spread } from '../../../support/spread.js';

const ODD = spread(8 * 27, 0.4);
const EVEN = ODD.map((x) => Math.round(x * 300) / 300);

function net(...weights: readonly (readonly number[])[]): Graph {
  const builder = graph().input('x0', 'float32', [1, 3, 8, 8]);
  weights.forEach((values, i) => {
    builder.constant(`w${i}`, 'float32', [8, 3, 3, 3], values);
    builder.node('Conv', { inputs: ['x0', `w${i}`], outputs: [`y${i}`] }).output(`y${i}`);
  });
  return builder.build();
}

function said(evidence: Evidence): string[] {
  return doubleQuantized.check(evidence).map(({ severity, message }) => `${severity}: ${message}`);
}

function beside(reference: Graph, lane: Lane): string[] {
  return said({ graph: reference, lane: FLOAT_LANE, reference: { graph: reference, lane } });
}

describe('base.double-quantized', () => {
  it('tells of a reference with integer weights', () => {
    const g = net(ODD, ODD);
    expect(beside(g, laneOf(g, { w0: perTensor('int8', 0.01) }))).toEqual([
      'warning: the reference is quantized itself: 1 of its 2 weights are int8; what is measured is how far two quantized networks are apart',
    ]);
  });

  it('tells of quantizers inside a reference, and not of one at its input', () => {
    const g = graph()
      .input('x', 'float32', [1, 4])
      .node('Relu', { inputs: ['x'], outputs: ['y'] })
      .node('Tanh', { inputs: ['y'], outputs: ['z'] })
      .output('z')
      .build();
    const q = perTensor('uint8', 0.1);
    expect(beside(g, laneOf(g, { x: q, z: q }))).toEqual([]);
    expect(beside(g, laneOf(g, { y: q }))).toEqual([
      expect.stringContaining('1 of its activations pass quantizers'),
    ]);
  });

  it('tells of float weights on grids, of a model to be quantized and of a reference', () => {
    const scheme = SCHEMES.ort as Scheme;
    const g = net(EVEN, EVEN, ODD);
    expect(said({ graph: g, lane: FLOAT_LANE, scheme })).toEqual([
      'warning: the model has float weights that were quantized before: 2 of 3 lie on grids of at most 256 values (66.7 %); ' +
        'quantized once more, its values are rounded twice',
    ]);
    expect(beside(g, FLOAT_LANE)).toHaveLength(1);
  });

  it('says nothing of one layer of round numbers, of float weights, or of a quantized file by itself', () => {
    expect(said({ graph: net(EVEN, ODD) })).toEqual([]);
    expect(said({ graph: net(ODD, ODD) })).toEqual([]);
    const g = net(EVEN);
    expect(said({ graph: g, lane: laneOf(g, { w0: perTensor('int8', 0.01) }) })).toEqual([]);
  });

  it('tells of operators of fake quantization', () => {
    const g = graph()
      .input('x', 'float32', [1, 4])
      .node('FakeQuantize', { inputs: ['x'], outputs: ['y'], domain: 'custom' })
      .output('y')
      .build();
    expect(said({ graph: g })).toEqual([
      expect.stringContaining('the model has 1 operator of fake quantization left in it'),
    ]);
  });
});
