import { describe, expect, it } from 'vitest';
import type { EdgeMeasurement } from '../../../../src/diff/edge-measurements.js';
import { noBnReparam } from '../../../../src/doctor/rules/w/no-bn-reparam.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import type { Graph } from '../../../../src/ir/graph.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const C = 4;

function kernel(centre: number): number[] {
  return Array.from({ length: C * C * 9 }, (_, i) => {
    const isCentre = i % 9 === 4 && Math.floor(i / (9 * C)) === Math.floor(i / 9) % C;
    return isCentre ? centre : 0.1 * (i % 2 === 0 ? 1 : -1);
  });
}

function merged(centre: number): Graph {
  return inferShapes(
    graph()
      .input('x', 'float32', [1, C, 6, 6])
      .constant('w', 'float32', [C, C, 3, 3], kernel(centre))
      .node('Conv', { name: 'conv', inputs: ['x', 'w'], outputs: ['y'], attrs: { pads: [1, 1, 1, 1] } })
      .output('y')
      .build(),
  );
}

describe('w.no-bn-reparam', () => {
  const said = (centre: number, edges?: (g: Graph) => EdgeMeasurement[]) => {
    const g = merged(centre);
    const lane = laneOf(g, { w: perTensor('int8', 0.01) });
    return noBnReparam.check({ graph: g, lane, ...(edges === undefined ? {} : { edges: edges(g) }) });
  };

  it('notes kernels whose centre tap stands out as merged branches leave it', () => {
    expect(said(2)).toMatchObject([
      { severity: 'note', subject: { node: 'conv', tensor: 'w' }, args: { layers: 1 } },
    ]);
    // 2 beside taps of 0.1, as float32 has them.
    expect(said(2)[0]?.args['ratio']).toBeCloseTo(20, 4);
    expect(said(0.5)).toEqual([]);
  });

  it('is an error where such a layer is broken by itself', () => {
    const edges = (db: number) => (g: Graph) => [
      edgeMeasurement(g, 'y', { local: errorOf(db), cumulative: errorOf(db) }),
    ];
    expect(said(2, edges(8))).toMatchObject([{ severity: 'error' }]);
    expect(said(2, edges(8))[0]?.message).toMatch(/; the worst keeps 8 dB \(local\)$/);
    expect(said(2, edges(25))).toMatchObject([{ severity: 'note' }]);
  });

  it('warns of normalization that was left behind quantized weights, once', () => {
    const g = inferShapes(
      ['1', '2']
        .reduce(
          (net, k) =>
            net
              .constant(`w${k}`, 'float32', [C, C, 1, 1])
              .constant(`s${k}`, 'float32', [C])
              .node('Conv', { name: `conv${k}`, inputs: [`x${k}`, `w${k}`], outputs: [`c${k}`] })
              .node('BatchNormalization', {
                name: `bn${k}`,
                inputs: [`c${k}`, `s${k}`, `s${k}`, `s${k}`, `s${k}`],
                outputs: [k === '1' ? 'x2' : 'y'],
              }),
          graph().input('x1', 'float32', [1, C, 6, 6]),
        )
        .output('y')
        .build(),
    );
    const quantized = laneOf(g, { w1: perTensor('int8', 0.01), w2: perTensor('int8', 0.01) });
    expect(noBnReparam.check({ graph: g, lane: quantized })).toMatchObject([
      { severity: 'warning', subject: { node: 'bn1', tensor: 'c1' }, args: { nodes: 2 } },
    ]);
    expect(noBnReparam.check({ graph: g, lane: laneOf(g, {}) })).toEqual([]);
  });

  it('notes layers whose values are far larger than those of the others', () => {
    const layers = ['a', 'b', 'c', 'd', 'e', 'f'];
    const g = inferShapes(
      layers
        .reduce(
          (net, name, i) =>
            net.constant(`w${name}`, 'float32', [C, C, 1, 1]).node('Conv', {
              name: `conv_${name}`,
              inputs: [layers[i - 1] ?? 'x', `w${name}`],
              outputs: [name],
            }),
          graph().input('x', 'float32', [1, C, 6, 6]),
        )
        .node('Relu', { inputs: ['f'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const edges = layers.map((name) =>
      edgeMeasurement(
        g,
        name,
        { cumulative: errorOf(15) },
        { quant: perTensor('uint8', 1), range: { min: 0, max: name === 'c' ? 50 : 2 } },
      ),
    );
    expect(noBnReparam.check({ graph: g, lane: laneOf(g, {}), edges })).toMatchObject([
      { severity: 'note', subject: { node: 'conv_c', tensor: 'c' }, args: { absmax: 50, median: 2 } },
    ]);
  });
});
