import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../../src/doctor/evidence.js';
import { maskConstant } from '../../../../src/doctor/rules/act/mask-constant.js';
import type { Graph } from '../../../../src/ir/graph.js';
import type { QuantParams } from '../../../../src/ir/lane.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const SHAPE = [1, 2, 2];

/** Attention; its mask is that constant, or an input. */
function attention(mask?: number): Graph {
  const builder = graph()
    .input('q', 'float32', SHAPE)
    .input('k', 'float32', SHAPE)
    .input('given', 'float32', SHAPE);
  if (mask !== undefined) builder.constant('mask', 'float32', SHAPE, [0, mask, 0, 0]);
  for (const name of ['scores', 'masked', 'attention']) builder.value(name, 'float32', SHAPE);
  return builder
    .node('MatMul', { inputs: ['q', 'k'], outputs: ['scores'], name: 'product' })
    .node('Add', {
      inputs: ['scores', mask === undefined ? 'given' : 'mask'],
      outputs: ['masked'],
      name: 'add',
    })
    .node('Softmax', { inputs: ['masked'], outputs: ['attention'], name: 'softmax' })
    .output('attention')
    .build();
}

function check(g: Graph, quantizers: Record<string, QuantParams>, rest: Partial<Evidence> = {}): unknown[] {
  return maskConstant
    .check({ graph: g, lane: laneOf(g, quantizers), ...rest })
    .map(({ severity, subject, message }) => [severity, subject.tensor, message]);
}

const COARSE = perTensor('uint8', 39.2, 255);
const FINE = perTensor('uint8', 0.05, 128);

describe('act.mask-constant', () => {
  it('is an error where a huge constant sets the step of the scores', () => {
    for (const value of [-10000, -3.4028234663852886e38, -Infinity]) {
      expect(check(attention(value), { scores: FINE, masked: COARSE })).toEqual([
        [
          'error',
          'masked',
          expect.stringContaining(
            `the constant ${value === -10000 ? '-10000' : value === -Infinity ? '-Infinity' : '-3.403e+38'} ('mask' of add)`,
          ),
        ],
      ]);
    }
  });

  it('is found through Where and reshaping', () => {
    const g = graph()
      .input('q', 'float32', SHAPE)
      .input('k', 'float32', SHAPE)
      .constant('allowed', 'bool', SHAPE, [1, 0, 1, 1])
      .constant('nothing', 'float32', [], [-1e9])
      .constant('shape', 'int64', [2], [1, 4])
      .node('MatMul', { inputs: ['q', 'k'], outputs: ['scores'] })
      .node('Where', { inputs: ['allowed', 'scores', 'nothing'], outputs: ['masked'], name: 'where' })
      .node('Reshape', { inputs: ['masked', 'shape'], outputs: ['flat'] })
      .node('Softmax', { inputs: ['flat'], outputs: ['p'], name: 'softmax' })
      .output('p')
      .build();
    const [found] = maskConstant.check({ graph: g, lane: laneOf(g, { masked: COARSE, flat: COARSE }) });
    expect(found).toMatchObject({
      severity: 'error',
      subject: { node: 'where', tensor: 'masked' },
      explains: ['flat'],
    });
  });

  it('says nothing of a mask that leaves steps below 1, of a sum in float, or of 16 bits', () => {
    expect(check(attention(-100), { masked: perTensor('uint8', 0.4, 255) })).toEqual([]);
    expect(check(attention(-10000), { scores: FINE })).toEqual([]);
    expect(check(attention(-10000), { masked: perTensor('int16', 0.3) })).toEqual([]);
  });

  it('says nothing of a coarse mask beside scores that stay in float', () => {
    const g = graph()
      .input('q', 'float32', SHAPE)
      .input('k', 'float32', SHAPE)
      .input('hidden', 'float32', SHAPE)
      .constant('huge', 'float32', [], [-10000])
      .node('MatMul', { inputs: ['q', 'k'], outputs: ['scores'] })
      .node('Mul', { inputs: ['hidden', 'huge'], outputs: ['mask'] })
      .node('Add', { inputs: ['scores', 'mask'], outputs: ['masked'] })
      .node('Softmax', { inputs: ['masked'], outputs: ['p'] })
      .output('p')
      .build();
    expect(check(g, { mask: COARSE })).toEqual([]);
    expect(check(g, { mask: COARSE, masked: COARSE })).toHaveLength(1);
  });

  it('is seen in the values where the mask is fed', () => {
    const g = attention();
    const edges = (min: number): NonNullable<Evidence['edges']> => [
      edgeMeasurement(g, 'masked', {}, { quant: COARSE, range: { min, max: 12 } }),
    ];
    expect(check(g, { masked: COARSE }, { edges: edges(-9990) })).toEqual([
      ['error', 'masked', expect.stringContaining('values down to -9990 sets the range') as string],
    ]);
    expect(check(g, { masked: COARSE }, { edges: edges(-80) })).toEqual([
      ['note', 'masked', expect.stringContaining('steps of 39.2')],
    ]);
  });

  it('takes coarse steps by themselves for what they do', () => {
    const g = attention();
    const seen = (db: number): NonNullable<Evidence['edges']> => [
      edgeMeasurement(g, 'attention', { cumulative: errorOf(db) }),
    ];
    const quantizers = { masked: perTensor('int8', 1.5) };
    expect(check(g, quantizers)).toEqual([['note', 'masked', expect.stringContaining('steps of 1.5')]]);
    expect(check(g, quantizers, { edges: seen(6) })).toEqual([['warning', 'masked', expect.any(String)]]);
    expect(check(g, quantizers, { edges: seen(30) })).toEqual([]);
  });
});
