import { describe, expect, it } from 'vitest';
import { edgesOf } from '../../src/compile/edges.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

describe('the edges of a graph', () => {
  it('are its inputs and what nodes write, float, in graph order, without what is fused away', () => {
    const g = inferShapes(
      graph()
        .input('x', 'float32', [1, 3, 4, 4])
        .input('flag', 'bool', [1])
        .constant('w', 'float32', [2, 3, 1, 1])
        .node('Conv', { inputs: ['x', 'w'], outputs: ['c'] })
        .node('Relu', { inputs: ['c'], outputs: ['r'] })
        .node('Shape', { inputs: ['r'], outputs: ['s'] })
        .output('r')
        .build(),
    );
    const id = (name: string): number => tensorNamed(g, name).id;
    const { edges, unmeasured } = edgesOf(g, new Set([tensorNamed(g, 'c').id]));
    expect(edges).toEqual([
      { tensor: id('x'), producer: undefined, dims: [1, 3, 4, 4], count: 48, channelAxis: 1, channels: 3 },
      { tensor: id('r'), producer: 1, dims: [1, 2, 4, 4], count: 32, channelAxis: 1, channels: 2 },
    ]);
    expect(unmeasured).toEqual([]);
  });

  it('count a scalar as a vector of one, and keep no channels apart where there are none or too many', () => {
    const g = inferShapes(
      graph()
        .input('wide', 'float32', [1, 20000])
        .input('most', 'float32', [1, 16384])
        .input('v', 'float32', [5])
        .input('s', 'float32', [])
        .output('s')
        .build(),
    );
    const found = edgesOf(g, new Set()).edges.map(({ dims, channelAxis, channels }) => [
      dims,
      channelAxis,
      channels,
    ]);
    expect(found).toEqual([
      [[1, 20000], undefined, 1],
      [[1, 16384], 1, 16384],
      [[5], undefined, 1],
      [[1], undefined, 1],
    ]);
  });

  it('leave out, with the reason, what has no fixed shape, no elements or no known type', () => {
    const g = graph()
      .input('batch', 'float32', ['N', 4])
      .input('unknown', 'float32')
      .input('empty', 'float32', [1, 0, 4])
      .node('Mystery', { inputs: ['batch'], outputs: ['m'], domain: 'my.domain' })
      .output('m')
      .build();
    const { edges, unmeasured } = edgesOf(g, new Set());
    expect(edges).toEqual([]);
    expect(unmeasured.map(({ tensor, reason }) => [g.tensors[tensor]!.name, reason])).toEqual([
      ['batch', 'its shape depends on the data or is not known before it runs'],
      ['unknown', 'its shape depends on the data or is not known before it runs'],
      ['empty', 'it has no elements (shape 1x0x4)'],
      ['m', 'its type is not known before it runs'],
    ]);
  });
});
