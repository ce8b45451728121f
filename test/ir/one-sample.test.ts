import { expect, it } from 'vitest';
import { oneSample, sizedForOneSample } from '../../src/ir/one-sample.js';
import { graph, tensorNamed } from '../support/graph-builder.js';

it('a batch is one where nothing else is open', () => {
  const g = graph()
    .input('image', 'float32', ['N', 3, 8, 8])
    .input('text', 'float32', ['N', 'length'])
    .input('fixed', 'float32', [2, 4])
    .node('Relu', { inputs: ['image'], outputs: ['y'] })
    .output('y')
    .build();
  expect([...oneSample(g)]).toEqual([['image', [1, 3, 8, 8]]]);
  expect(tensorNamed(sizedForOneSample(g), 'y').shape).toEqual([1, 3, 8, 8]);
});
