import { describe, expect, it } from 'vitest';
import { normDecomposed } from '../../../../src/doctor/rules/act/norm-decomposed.js';
import { SCHEMES } from '../../../../src/quant/presets.js';
import type { Scheme } from '../../../../src/quant/scheme.js';
import { edgeMeasurement, errorOf } from '../../../support/evidence.js';
import { graph } from '../../../support/graph-builder.js';
import { laneOf, perTensor } from '../../../support/lanes.js';

const G = graph()
  .input('x', 'float32', [1, 8])
  .constant('epsilon', 'float32', [], [1e-5])
  .value('squares', 'float32', [1, 8])
  .value('variance', 'float32', [1, 1])
  .value('root', 'float32', [1, 1])
  .value('y', 'float32', [1, 8])
  .node('ReduceMean', { inputs: ['x'], outputs: ['mean'], name: 'mean' })
  .node('Sub', { inputs: ['x', 'mean'], outputs: ['centred'], name: 'centre' })
  .node('Mul', { inputs: ['centred', 'centred'], outputs: ['squares'], name: 'square' })
  .node('ReduceMean', { inputs: ['squares'], outputs: ['variance'], name: 'variance' })
  .node('Add', { inputs: ['variance', 'epsilon'], outputs: ['raised'], name: 'raise' })
  .node('Sqrt', { inputs: ['raised'], outputs: ['root'], name: 'root' })
  .node('Div', { inputs: ['centred', 'root'], outputs: ['y'], name: 'divide' })
  .output('y')
  .build();
const Q = perTensor('uint8', 0.1);
const LANE = laneOf(G, { x: Q, squares: Q, variance: Q, root: Q, y: Q });

function severities(...dbs: readonly number[]): unknown[] {
  const names = ['squares', 'root', 'y'];
  const edges = dbs.map((db, i) =>
    edgeMeasurement(G, names[i] ?? 'y', { self: errorOf(40), local: errorOf(db) }),
  );
  return normDecomposed
    .check({ graph: G, lane: LANE, edges })
    .map(({ severity, subject }) => [severity, subject.tensor]);
}

describe('act.norm-decomposed', () => {
  it('warns of 8-bit quantizers between the steps, with the nodes to leave out', () => {
    expect(normDecomposed.check({ graph: G, lane: LANE })).toMatchObject([
      {
        severity: 'warning',
        args: { normalizations: 1, quantizers: 3 },
        fix: {
          edit: "quantize_static(..., nodes_to_exclude=['centre', 'square', 'variance', 'raise', 'root', 'divide'])",
        },
      },
    ]);
    const [found] = normDecomposed.check({ graph: G, lane: LANE, scheme: SCHEMES.ort as Scheme });
    expect(found?.change).toEqual({
      kind: 'scheme',
      overrides: {},
      skip: ['centre', 'square', 'variance', 'raise', 'root', 'divide'],
    });
  });

  it('is as bad as data show', () => {
    expect(severities(30, 8, 12)).toEqual([['error', 'root']]);
    expect(severities(30, 18, 22)).toEqual([['warning', 'root']]);
    expect(severities(30, 35, 28)).toEqual([['note', 'y']]);
  });

  it('says nothing where the steps are in float or in 16 bits', () => {
    expect(normDecomposed.check({ graph: G, lane: laneOf(G, { x: Q, y: Q }) })).toEqual([]);
    const wide = perTensor('uint16', 0.1);
    expect(
      normDecomposed.check({ graph: G, lane: laneOf(G, { x: wide, squares: wide, variance: wide }) }),
    ).toEqual([]);
  });
});
