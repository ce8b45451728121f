import { describe, expect, it } from 'vitest';
import { preActivationQdq } from '../../../../src/doctor/rules/act/pre-activation-qdq.js';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

function net(op: string): Graph {
  return graph()
    .input('x', 'float32', [1, 2, 4, 4])
    .constant('w', 'float32', [2, 2, 1, 1])
    .constant('low', 'float32', [], [0])
    .constant('high', 'float32', [], [6])
    .value('y', 'float32', [1, 2, 4, 4])
    .value('z', 'float32', [1, 2, 4, 4])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['y'], name: 'conv' })
    .node(op, { inputs: op === 'Clip' ? ['y', 'low', 'high'] : ['y'], outputs: ['z'] })
    .output('z')
    .build();
}

function severities(
  op: string,
  y: QuantParams,
  z: QuantParams | undefined,
  rest: Partial<Evidence> = {},
): string[] {
  const g = net(op);
  const lane = laneOf(g, { y, ...(z === undefined ? {} : { z }) });
  return preActivationQdq.check({ graph: g, lane, ...rest }).map(({ severity }) => severity);
}

const BEHIND = perTensor('uint8', 0.02, 0);

describe('act.pre-activation-qdq', () => {
  it('warns where the step in front of a Relu is twice the one behind it, and notes a smaller one', () => {
    for (const op of ['Relu', 'Clip']) {
      expect(severities(op, perTensor('uint8', 0.05, 120), BEHIND)).toEqual(['warning']);
      expect(severities(op, perTensor('uint8', 0.03, 60), BEHIND)).toEqual(['note']);
    }
    expect(severities('LeakyRelu', perTensor('uint8', 0.05, 120), BEHIND)).toEqual(['note']);
  });

  it('says nothing of one that cuts off at zero, of one quantizer alone, or of functions that are operators anyway', () => {
    expect(severities('Relu', perTensor('uint8', 0.05, 0), BEHIND)).toEqual([]);
    expect(severities('Relu', perTensor('uint8', 0.05, 120), undefined)).toEqual([]);
    expect(severities('Softmax', perTensor('uint8', 0.05, 120), BEHIND)).toEqual([]);
  });

  it('says nothing of simulations, nor of TFLite, whose kernels have the function in the layer', () => {
    const coarse = perTensor('uint8', 0.05, 120);
    expect(severities('Relu', coarse, BEHIND, { scheme: SCHEMES.ort as Scheme })).toEqual([]);
    const g = { ...net('Relu'), format: 'tflite' as const };
    expect(preActivationQdq.check({ graph: g, lane: laneOf(g, { y: coarse, z: BEHIND }) })).toEqual([]);
  });

  it('is as bad as data show', () => {
    const edges = (self: number, local: number): Partial<Evidence> => ({
      edges: [edgeMeasurement(net('Relu'), 'z', { self: errorOf(self), local: errorOf(local) })],
    });
    const coarse = perTensor('uint8', 0.05, 120);
    expect(severities('Relu', coarse, BEHIND, edges(42, 41))).toEqual(['note']);
    expect(severities('Relu', coarse, BEHIND, edges(42, 34))).toEqual(['warning']);
    expect(severities('Relu', coarse, BEHIND, edges(42, 7))).toEqual(['error']);
  });
});
