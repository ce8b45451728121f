import { describe, expect, it } from 'vitest';
import { nodeLabel, type Graph } from '../../src/ir/graph.js';
import { ordinaryNodes, tailOf } from '../../src/ir/tail.js';
import { graph, type GraphBuilder } from '../support/graph-builder.js';

function head(): GraphBuilder {
  return graph({ opset: 13 })
    .input('x', 'float32', [1, 3, 4, 4])
    .constant('w', 'float32', [8, 3, 1, 1])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['y'], name: 'conv' });
}

function names(g: Graph): string[] {
  return tailOf(g).nodes.map(nodeLabel);
}

function ordinary(g: Graph): string[] {
  const found = ordinaryNodes(g, tailOf(g).nodes);
  return g.nodes.filter(({ id }) => found.has(id)).map(nodeLabel);
}

describe('what is behind the last layers', () => {
  it('begins behind a convolution, and leaves out what depends on the input alone', () => {
    const g = head()
      .node('Relu', { inputs: ['y'], outputs: ['a'], name: 'behind' })
      .node('Exp', { inputs: ['x'], outputs: ['b'], name: 'beside' })
      .output('a')
      .output('b')
      .build();
    expect(names(g)).toEqual(['behind']);
    expect(tailOf(g).fed).toHaveLength(1);
  });

  it('goes through a convolution that takes the expectation over bins', () => {
    const g = head()
      .node('Softmax', { inputs: ['y'], outputs: ['p'], name: 'bins', attrs: { axis: 1 } })
      .constant('steps', 'float32', [1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7])
      .node('Conv', { inputs: ['p', 'steps'], outputs: ['d'], name: 'expectation' })
      .output('d')
      .build();
    expect(names(g)).toEqual(['bins', 'expectation']);
    expect(tailOf(g).bins).toBe(1);
  });

  it('has gates and sums of branches, which are no decoding', () => {
    const g = head()
      .constant('three', 'float32', [], [3])
      .node('Sigmoid', { inputs: ['y'], outputs: ['s'], name: 'sigmoid' })
      .node('Mul', { inputs: ['y', 's'], outputs: ['silu'], name: 'silu' })
      .node('Add', { inputs: ['y', 'three'], outputs: ['raised'], name: 'raised' })
      .node('HardSigmoid', { inputs: ['raised'], outputs: ['hard'], name: 'hard' })
      .node('Mul', { inputs: ['hard', 'y'], outputs: ['swish'], name: 'swish' })
      .value('sum', 'float32', [1, 8, 4, 4])
      .node('Add', { inputs: ['silu', 'swish'], outputs: ['sum'], name: 'sum' })
      .output('sum')
      .build();
    expect(ordinary(g)).toEqual(['sigmoid', 'silu', 'raised', 'hard', 'swish', 'sum']);
  });

  it('has products of two branches, which are', () => {
    const g = head()
      .constant('v', 'float32', [8, 3, 1, 1])
      .node('Conv', { inputs: ['x', 'v'], outputs: ['z'] })
      .node('Sigmoid', { inputs: ['z'], outputs: ['sure'] })
      .node('Mul', { inputs: ['y', 'sure'], outputs: ['score'] })
      .output('score')
      .build();
    expect(ordinary(g)).toEqual([]);
  });
});
