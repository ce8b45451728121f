import { describe, expect, it } from 'vitest';
import type { Shape } from '../../../src/ir/graph.js';
import { arrange } from '../../../src/run/data/arrange.js';
import type { Layout } from '../../../src/run/data/image-input.js';
import { openDataset } from '../../../src/run/data/index.js';
import { ARRAY_INPUT, counting, feedsOf, fixture, numbers, matching } from './support.js';

const divide = (dims: number[], shape: Shape, layout?: Layout): ReturnType<typeof arrange> =>
  arrange(dims, { name: 'x', dtype: 'float32', shape }, layout);

describe('arrange', () => {
  it.each<[string, number[], Shape, number, number[]]>([
    ['a stack on an open batch axis', [100, 3, 8, 8], ['N', 3, 8, 8], 100, [1, 3, 8, 8]],
    ['a stack on a batch axis of 1', [100, 3, 8, 8], [1, 3, 8, 8], 100, [1, 3, 8, 8]],
    ['stacks of fixed batches', [12, 10], [4, 10], 3, [4, 10]],
    ['one sample with its batch axis', [1, 3, 8, 8], ['N', 3, 8, 8], 1, [1, 3, 8, 8]],
    ['one sample without batch axis', [3, 8, 8], ['N', 3, 8, 8], 1, [1, 3, 8, 8]],
    ['samples on an axis of their own', [7, 1, 3, 8, 8], [1, 3, 8, 8], 7, [1, 3, 8, 8]],
    ['rank 2', [100, 16], ['batch', 16], 100, [1, 16]],
    ['rank 2 with open features', [100, 16], [null, null], 100, [1, 16]],
    ['rank 3', [5, 49, 10], [1, 49, 10], 5, [1, 49, 10]],
    ['rank 1', [5], ['N'], 5, [1]],
    ['scalars', [5], [], 5, []],
    ['grey pictures without a channel axis', [100, 28, 28], ['N', 1, 28, 28], 100, [1, 1, 28, 28]],
    ['one grey picture', [28, 28], ['N', 1, 28, 28], 1, [1, 1, 28, 28]],
    ['an axis that runs along the sample', [50, 1, 10], ['seq_len', 1, 10], 1, [50, 1, 10]],
  ])('reads %s', (_, dims, shape, samples, sample) => {
    expect(divide(dims, shape)).toMatchObject({ samples, dims: sample });
  });

  it.each<[string, number[], Shape, RegExp]>([
    ['another number of channels', [10, 4, 8, 8], ['N', 3, 8, 8], /axis 1 is 4, 3 is wanted/],
    ['another size', [10, 3, 8, 9], ['N', 3, 8, 8], /its shape is \[10, 3, 8, 9\].*takes \[N, 3, 8, 8\]/],
    ['another rank', [10, 3], ['N', 3, 8, 8], /one sample or a stack/],
    ['an incomplete fixed batch', [10, 5], [4, 5], /takes \[4, 5\]/],
    ['a dimension of size 0', [0, 3, 8, 8], ['N', 3, 8, 8], /size 0/],
  ])('refuses %s', (_, dims, shape, reason) => {
    expect(() => divide(dims, shape)).toThrow(reason);
  });

  it('asks for the layout when the channels are on another axis, and takes it', () => {
    expect(() => divide([10, 8, 8, 3], ['N', 3, 8, 8])).toThrow(
      expect.objectContaining({
        message: matching('channels are on another axis'),
        hint: '--layout nhwc',
      }),
    );
    expect(divide([10, 8, 8, 3], ['N', 3, 8, 8], 'nhwc')).toMatchObject({ samples: 10, dims: [1, 3, 8, 8] });
    expect(divide([10, 3, 8, 8], [1, 8, 8, 3], 'nchw')).toMatchObject({ samples: 10, dims: [1, 8, 8, 3] });
  });

  it('takes the layout of the array where the model does not tell its own', () => {
    expect(() => divide([64, 512, 6], [1, 6, 64, 512])).toThrow(
      expect.objectContaining({ hint: '--layout nhwc' }),
    );
    expect(divide([64, 512, 6], [1, 6, 64, 512], 'nhwc')).toMatchObject({
      samples: 1,
      dims: [1, 6, 64, 512],
    });
    expect(divide([9, 6, 64, 512], [1, 6, 64, 512], 'nhwc')).toMatchObject({
      samples: 9,
      permutation: undefined,
    });
    expect(() => divide([9, 6, 64, 512], [1, 6, 64, 500], 'nhwc')).toThrow(
      /takes \[1, 6, 64, 500\], from nhwc/,
    );
  });

  it('compares --layout with the convention of the format where the shape does not tell', () => {
    // One row of three columns and three channels, or one channel of three by three?
    const input = { name: 'x', dtype: 'float32', shape: [1, 1, 3, 3], layout: 'nhwc' } as const;
    expect(arrange([5, 3, 1, 3], input, 'nchw')).toMatchObject({
      samples: 5,
      dims: [1, 1, 3, 3],
      permutation: [0, 2, 3, 1],
    });
    expect(arrange([5, 1, 3, 3], input, 'nhwc')).toMatchObject({ samples: 5, permutation: undefined });
    expect(arrange([5, 1, 3, 3], input, undefined)).toMatchObject({ samples: 5, permutation: undefined });
    expect(() => arrange([5, 1, 3, 3], input, 'nchw')).toThrow(/takes \[1, 1, 3, 3\], from nchw/);
  });

  it('says when both layouts would fit', () => {
    expect(divide([10, 3, 3, 3], ['N', 3, null, null]).note).toMatch(/read as nchw.*would fit as nhwc too/);
    expect(divide([10, 3, 8, 8], ['N', 3, null, null]).note).toBeUndefined();
  });
});

describe('arrays in the other layout', () => {
  it('are transposed', async () => {
    const request = {
      sources: [fixture('arrays/stack_nhwc.npy')],
      inputs: [ARRAY_INPUT],
      preprocessing: { layout: 'nhwc' },
    } as const;
    const feeds = await feedsOf(request);
    expect(feeds.map(({ dims }) => dims)).toEqual(new Array(5).fill([1, 3, 4, 6]));
    expect(feeds.flatMap(({ data }) => numbers(data))).toEqual(counting(360));
    expect((await openDataset(request)).assumed).toContainEqual({
      what: 'shape of x',
      value: '[5, 4, 6, 3] transposed from nhwc',
      from: 'data',
    });
  });

  it('are transposed the other way', async () => {
    const input = { name: 'x', dtype: 'float32', shape: [1, 4, 6, 3] } as const;
    const [first] = await feedsOf({
      sources: [fixture('arrays/stack.npy')],
      inputs: [input],
      preprocessing: { layout: 'nchw' },
    });
    const [same] = await feedsOf({ sources: [fixture('arrays/stack_nhwc.npy')], inputs: [input] });
    expect(first).toEqual(same);
  });
});
