import { describe, expect, it } from 'vitest';
import { endsOf } from '../../src/diff/ends.js';
import type { Graph } from '../../src/ir/graph.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

/** Names of the ends when these tensors were measured. */
function ends(g: Graph, ...measured: string[]): string[] {
  const ids = new Set(measured.map((name) => tensorNamed(g, name).id));
  return [...endsOf(g, ids)].map((id) => g.tensors[id]!.name).sort();
}

/** boxes and scores from two heads; NonMaxSuppression on both, then a Gather of boxes. */
const DETECTOR = graph()
  .input('image', 'float32', [1, 3])
  .constant('anchors', 'float32', [1, 3])
  .node('Relu', { inputs: ['image'], outputs: ['features'] })
  .node('Add', { inputs: ['features', 'anchors'], outputs: ['boxes'] })
  .node('Sigmoid', { inputs: ['features'], outputs: ['scores'] })
  .node('NonMaxSuppression', { inputs: ['boxes', 'scores', null], outputs: ['selected'] })
  .node('Gather', { inputs: ['boxes', 'selected'], outputs: ['kept'] })
  .output('kept')
  .output('scores')
  .build();

describe('the ends of a comparison', () => {
  it('are the outputs that were measured', () => {
    expect(ends(DETECTOR, 'image', 'features', 'boxes', 'scores', 'kept')).toEqual(['kept', 'scores']);
  });

  it('are the last measured tensors before an output that was not', () => {
    expect(ends(DETECTOR, 'image', 'features', 'boxes', 'scores')).toEqual(['boxes', 'scores']);
    expect(ends(DETECTOR, 'image', 'features')).toEqual(['features']);
  });

  it('are no inputs, which tell nothing of the network', () => {
    expect(ends(DETECTOR, 'image')).toEqual([]);
  });

  it('are none where nothing was measured', () => {
    expect(ends(DETECTOR)).toEqual([]);
  });

  it('count an output that is read inside of the network too', () => {
    const g = graph()
      .input('x', 'float32', [1])
      .node('Relu', { inputs: ['x'], outputs: ['inner'] })
      .node('Relu', { inputs: ['inner'], outputs: ['last'] })
      .output('inner')
      .output('last')
      .build();
    expect(ends(g, 'x', 'inner', 'last')).toEqual(['inner', 'last']);
    expect(ends(g, 'x', 'inner')).toEqual(['inner']);
  });
});
