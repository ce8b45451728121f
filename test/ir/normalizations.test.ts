import { describe, expect, it } from 'vitest';
import { nodeLabel, tensorOf, type Graph } from '../../src/ir/graph.js';
import { normalizationsOf } from '../../src/ir/normalizations.js';
import { graph, type GraphBuilder } from '../support/graph-builder.js';

function found(g: Graph): unknown[] {
  return normalizationsOf(g).map(({ kind, nodes, internals, output }) => ({
    kind,
    nodes: nodes.map(nodeLabel).join(' '),
    internals: internals.map((id) => tensorOf(g, id).name).join(' '),
    output: tensorOf(g, output).name,
  }));
}

function start(): GraphBuilder {
  return graph()
    .input('x', 'float32', [1, 8])
    .constant('epsilon', 'float32', [], [1e-5])
    .constant('two', 'float32', [], [2])
    .constant('gamma', 'float32', [8]);
}

describe('normalizations', () => {
  it('are found in the arithmetic of LayerNorm', () => {
    const g = start()
      .node('ReduceMean', { inputs: ['x'], outputs: ['mean'], name: 'mean' })
      .node('Sub', { inputs: ['x', 'mean'], outputs: ['centred'], name: 'centre' })
      .node('Pow', { inputs: ['centred', 'two'], outputs: ['squares'], name: 'square' })
      .node('ReduceMean', { inputs: ['squares'], outputs: ['variance'], name: 'variance' })
      .node('Add', { inputs: ['variance', 'epsilon'], outputs: ['raised'], name: 'raise' })
      .node('Sqrt', { inputs: ['raised'], outputs: ['root'], name: 'root' })
      .node('Div', { inputs: ['centred', 'root'], outputs: ['y'], name: 'divide' })
      .node('Mul', { inputs: ['y', 'gamma'], outputs: ['z'], name: 'scale' })
      .output('z')
      .build();
    expect(found(g)).toEqual([
      {
        kind: 'centred',
        nodes: 'centre square variance raise root divide',
        internals: 'squares variance raised root',
        output: 'y',
      },
    ]);
  });

  it('are found without a mean, with a product for the square and one over the root', () => {
    const g = start()
      .node('Mul', { inputs: ['x', 'x'], outputs: ['squares'], name: 'square' })
      .node('ReduceMean', { inputs: ['squares'], outputs: ['power'], name: 'power' })
      .node('Sqrt', { inputs: ['power'], outputs: ['root'], name: 'root' })
      .node('Reciprocal', { inputs: ['root'], outputs: ['inverse'], name: 'invert' })
      .node('Mul', { inputs: ['x', 'inverse'], outputs: ['y'], name: 'divide' })
      .output('y')
      .build();
    expect(found(g)).toEqual([
      {
        kind: 'uncentred',
        nodes: 'square power root invert divide',
        internals: 'squares power root inverse',
        output: 'y',
      },
    ]);
  });

  it('are no other roots', () => {
    const g = start()
      .node('Mul', { inputs: ['x', 'gamma'], outputs: ['products'] })
      .node('ReduceMean', { inputs: ['products'], outputs: ['mean'] })
      .node('Sqrt', { inputs: ['mean'], outputs: ['root'] })
      .node('Div', { inputs: ['x', 'root'], outputs: ['y'] })
      .output('y')
      .build();
    expect(found(g)).toEqual([]);
  });
});
