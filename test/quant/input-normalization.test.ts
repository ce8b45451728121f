import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/ir/graph.js';
import { inputNormalization, normalizedRange } from '../../src/quant/input-normalization.js';
import { float, graph, tensorNamed, type GraphBuilder } from '../support/graph-builder.js';

const SHAPE = [1, 3, 4, 4];

function network(): GraphBuilder {
  return graph().input('x', 'float32', SHAPE);
}

function found(g: Graph) {
  const normalization = inputNormalization(g, tensorNamed(g, 'x').id);
  return normalization === undefined
    ? undefined
    : { ...normalization, output: g.tensors[normalization.output]!.name };
}

describe('what the first nodes do to an input', () => {
  it('is read off Sub and Div by constants, channel by channel, through nodes that only move values', () => {
    const g = network()
      .constant('mean', 'float32', [1, 3, 1, 1], [1, 2, 3])
      .constant('std', 'float32', [], [4])
      .node('Sub', { inputs: ['x', 'mean'], outputs: ['a'] })
      .node('Transpose', { inputs: ['a'], outputs: ['b'] })
      .node('Div', { inputs: ['b', 'std'], outputs: ['c'] })
      .node('Relu', { inputs: ['c'], outputs: ['y'] })
      .output('y')
      .build();
    expect(found(g)).toEqual({
      nodes: [0, 2],
      output: 'c',
      factor: [0.25, 0.25, 0.25],
      offset: [-0.25, -0.5, -0.75],
    });
    expect(normalizedRange(inputNormalization(g, tensorNamed(g, 'x').id)!, { min: 0, max: 8 })).toEqual({
      min: -0.75,
      max: 1.75,
    });
  });

  it('may be turned round: constant minus input, then times', () => {
    const g = network()
      .constant('one', 'float32', [1], [1])
      .constant('two', 'float32', [1], [2])
      .node('Sub', { inputs: ['one', 'x'], outputs: ['a'] })
      .node('Mul', { inputs: ['two', 'a'], outputs: ['y'] })
      .output('y')
      .build();
    expect(found(g)).toMatchObject({ factor: [-2], offset: [2] });
  });

  it('may be a BatchNormalization', () => {
    const g = network()
      .constant('s', 'float32', [3], [1, 1, 2])
      .constant('b', 'float32', [3], [0, 1, 0])
      .constant('m', 'float32', [3], [2, 0, 1])
      .constant('v', 'float32', [3], [4, 1, 16])
      .node('BatchNormalization', {
        inputs: ['x', 's', 'b', 'm', 'v'],
        outputs: ['y'],
        attrs: { epsilon: float(0) },
      })
      .output('y')
      .build();
    expect(found(g)).toMatchObject({ factor: [0.5, 1, 0.5], offset: [-1, 1, -0.5] });
  });

  it.each([
    [
      'a layer',
      (b: GraphBuilder) =>
        b.constant('w', 'float32', [3, 3, 1, 1]).node('Conv', { inputs: ['x', 'w'], outputs: ['y'] }),
    ],
    [
      'a constant per element',
      (b: GraphBuilder) =>
        b.constant('w', 'float32', SHAPE).node('Add', { inputs: ['x', 'w'], outputs: ['y'] }),
    ],
    [
      'a product with 0',
      (b: GraphBuilder) =>
        b.constant('w', 'float32', [1], [0]).node('Mul', { inputs: ['x', 'w'], outputs: ['y'] }),
    ],
    [
      'one of two branches',
      (b: GraphBuilder) =>
        b
          .constant('w', 'float32', [1], [2])
          .node('Mul', { inputs: ['x', 'w'], outputs: ['y'] })
          .node('Relu', { inputs: ['x'], outputs: ['z'] }),
    ],
  ])('is nothing where it is %s', (_, build) => {
    expect(found(build(network()).output('y').build())).toBeUndefined();
  });
});
