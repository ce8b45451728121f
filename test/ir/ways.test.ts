import { expect, it } from 'vitest';
import { mostOnOneWay } from '../../src/ir/ways.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

it('counts tensors one behind the other, not those beside each other', () => {
  const g = graph()
    .input('x', 'float32', [4])
    .node('Relu', { inputs: ['x'], outputs: ['a'] })
    .node('Neg', { inputs: ['a'], outputs: ['b'] })
    .node('Abs', { inputs: ['a'], outputs: ['c'] })
    .node('Add', { inputs: ['b', 'c'], outputs: ['d'] })
    .output('d')
    .build();
  const most = (...names: readonly string[]): number =>
    mostOnOneWay(
      g,
      names.map((name) => tensorNamed(g, name).id),
    );
  expect(most('a', 'b', 'c', 'd')).toBe(3);
  expect(most('b', 'c')).toBe(1);
  expect(most('a', 'd')).toBe(2);
  expect(most()).toBe(0);
});
