import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { loadModel } from '../../src/loader/index.js';
import { fixture, loadProto, modelOf, refusal, temporaryFolder, tensorNamed } from './model-files.js';

const folder = temporaryFolder();

describe('bound shapes', () => {
  const load = (...shapes: [string, number[]][]) =>
    loadModel(fixture('shapes.onnx'), { shapes: new Map(shapes) });

  it('fix the extents of an input, and its symbols everywhere', async () => {
    const { graph } = await load(['image', [2, 3, 8, 9]]);
    expect(tensorNamed(graph, 'image').shape).toEqual([2, 3, 8, 9]);
    expect(tensorNamed(graph, 'p').shape).toEqual([2, 3, 8, null]);
    expect(tensorNamed(graph, 'y').shape).toEqual([2, 3, 8, null]);
  });

  it('give a shape to an input that has none', async () => {
    const { graph } = await load(['scale', [1, 3]]);
    expect(tensorNamed(graph, 'scale').shape).toEqual([1, 3]);
  });

  it.each<[string, [string, number[]][], RegExp]>([
    ['an input that does not exist', [['picture', [1]]], /no input "picture"; it has image, scale/],
    ['an initializer', [['two', []]], /no input "two"/],
    ['another rank', [['image', [1, 3]]], /the model wants 4 dims, \[batch, 3, height, \?\]/],
    ['a fixed extent', [['image', [1, 4, 8, 8]]], /given 4 for dim 1; the model wants 3/],
    ['a zero', [['image', [0, 3, 8, 8]]], /positive integers/],
    ['a fraction', [['image', [1, 3, 8.5, 8]]], /positive integers/],
  ])('that contradict the model by %s are refused', async (_what, shapes, message) => {
    const error = await refusal(load(...shapes));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(message);
    expect(error.hint).toBe('--shape image=1x3x1x1 --shape scale=1');
  });

  it('that give one symbol two extents are refused', async () => {
    const info = (name: string) => ({
      name,
      type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'N' }] } } },
    });
    const model = modelOf({ input: [info('x'), info('x2')] });
    const error = await refusal(
      loadProto(folder, model, {
        shapes: new Map([
          ['x', [2]],
          ['x2', [3]],
        ]),
      }),
    );
    expect(error.message).toMatch(/"N", which is also given as 2/);
  });
});
