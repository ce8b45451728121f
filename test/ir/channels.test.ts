import { describe, expect, it } from 'vitest';
import { channelAxisOf } from '../../src/ir/channels.js';
import type { Graph } from '../../src/ir/graph.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { graph, tensorNamed, type GraphBuilder } from '../support/graph-builder.js';

/** Channel axis of a tensor after inference. */
function axis(built: Graph, name: string): number | undefined {
  const inferred = inferShapes(built);
  return channelAxisOf(inferred)[tensorNamed(inferred, name).id];
}

function image(): GraphBuilder {
  return graph()
    .input('x', 'float32', ['N', 3, 8, 8])
    .constant('w', 'float32', [16, 3, 3, 3])
    .node('Conv', { inputs: ['x', 'w'], outputs: ['conv'], attrs: { pads: [1, 1, 1, 1] } });
}

function tokens(): GraphBuilder {
  return graph()
    .input('x', 'float32', ['N', 10, 8])
    .constant('w', 'float32', [8, 24])
    .node('MatMul', { inputs: ['x', 'w'], outputs: ['fc'] });
}

describe('channelAxisOf graph inputs', () => {
  it.each([
    [5, 1],
    [4, 1],
    [3, 2],
    [2, 1],
    [1, undefined],
    [0, undefined],
  ])('of rank %i is %s', (rank, expected) => {
    const built = graph().input('x', 'float32', new Array<number>(rank).fill(4)).build();
    expect(axis(built, 'x')).toBe(expected);
  });

  it('is the last axis of a picture that the graph itself moves from NHWC to NCHW', () => {
    const built = graph()
      .input('x', 'float32', [1, 8, 8, 3])
      .constant('mean', 'float32', [3])
      .node('Sub', { inputs: ['x', 'mean'], outputs: ['centred'] })
      .node('Transpose', { inputs: ['centred'], outputs: ['moved'], attrs: { perm: [0, 3, 1, 2] } })
      .build();
    expect(axis(built, 'x')).toBe(3);
    expect(axis(built, 'centred')).toBe(3);
    expect(axis(built, 'moved')).toBe(1);
  });

  it('stays axis 1 when something else reads the picture as well', () => {
    const built = graph()
      .input('x', 'float32', [1, 8, 8, 3])
      .constant('w', 'float32', [4, 8, 1, 1])
      .node('Transpose', { inputs: ['x'], outputs: ['moved'], attrs: { perm: [0, 3, 1, 2] } })
      .node('Conv', { inputs: ['x', 'w'], outputs: ['y'] })
      .build();
    expect(axis(built, 'x')).toBe(1);
  });

  it('is undefined for a constant', () => {
    expect(axis(image().build(), 'w')).toBeUndefined();
  });
});

describe('channelAxisOf operators', () => {
  it('is 1 after a convolution or pool, whatever the rank, and last after a matrix product', () => {
    const audio = graph()
      .input('x', 'float32', [1, 4, 100])
      .constant('w', 'float32', [6, 4, 5])
      .node('Conv', { inputs: ['x', 'w'], outputs: ['conv'] })
      .node('MaxPool', { inputs: ['conv'], outputs: ['pool'], attrs: { kernel_shape: [2] } })
      .build();
    expect(axis(audio, 'conv')).toBe(1);
    expect(axis(audio, 'pool')).toBe(1);
    expect(axis(tokens().build(), 'fc')).toBe(2);
  });

  it('is inherited by elementwise operators from the operand of the same rank, not from a constant', () => {
    const built = tokens()
      .constant('c', 'float32', [1, 1, 24])
      .constant('b', 'float32', [24])
      .node('Mul', { inputs: ['c', 'fc'], outputs: ['scaled'] })
      .node('Add', { inputs: ['b', 'scaled'], outputs: ['y'] })
      .build();
    expect(axis(built, 'scaled')).toBe(2);
    expect(axis(built, 'y')).toBe(2);
  });

  it('moves with Transpose, with and without a permutation', () => {
    const built = image()
      .node('Transpose', { inputs: ['conv'], outputs: ['nhwc'], attrs: { perm: [0, 2, 3, 1] } })
      .node('Relu', { inputs: ['nhwc'], outputs: ['relu'] })
      .node('Transpose', { inputs: ['relu'], outputs: ['reversed'] })
      .build();
    expect(axis(built, 'relu')).toBe(3);
    expect(axis(built, 'reversed')).toBe(0);
  });

  it('stays through Concat, Split, Slice, Pad, Resize and reductions that keep dims', () => {
    const built = image()
      .constant('scales', 'float32', [4], [1, 1, 2, 2])
      .node('Transpose', { inputs: ['conv'], outputs: ['nhwc'], attrs: { perm: [0, 2, 3, 1] } })
      .node('Concat', { inputs: ['nhwc', 'nhwc'], outputs: ['concat'], attrs: { axis: 3 } })
      .node('Split', { inputs: ['concat'], outputs: ['left', 'right'], attrs: { axis: 3 } })
      .node('Resize', { inputs: ['right', '', 'scales'], outputs: ['resized'] })
      .node('ReduceMean', { inputs: ['resized'], outputs: ['mean'], attrs: { axes: [1, 2] } })
      .build();
    for (const name of ['concat', 'left', 'right', 'resized', 'mean']) expect(axis(built, name)).toBe(3);
  });

  it('counts only the axes that a reduction leaves', () => {
    const built = image()
      .node('Transpose', { inputs: ['conv'], outputs: ['nhwc'], attrs: { perm: [0, 2, 3, 1] } })
      .node('ReduceMean', { inputs: ['nhwc'], outputs: ['pooled'], attrs: { axes: [1], keepdims: 0 } })
      .node('ReduceMax', { inputs: ['nhwc'], outputs: ['gone'], attrs: { axes: [3], keepdims: 0 } })
      .build();
    expect(axis(built, 'pooled')).toBe(2);
    expect(axis(built, 'gone')).toBeUndefined();
  });
});

describe('channelAxisOf reshapes', () => {
  const reshaped = (target: readonly number[]): number | undefined =>
    axis(
      image()
        .constant('target', 'int64', [target.length], target)
        .node('Reshape', { inputs: ['conv', 'target'], outputs: ['y'] })
        .build(),
      'y',
    );

  it('is kept where the extent and everything before or after it stay', () => {
    expect(reshaped([0, 16, -1])).toBe(1);
    expect(reshaped([0, 0, 8, 4, 2])).toBe(1);
    expect(reshaped([0, 1, 16, 64])).toBe(2);
  });

  it('is undefined where channels are split or merged', () => {
    expect(reshaped([0, 4, 4, 8, 8])).toBeUndefined();
    expect(reshaped([0, -1])).toBeUndefined();
    expect(reshaped([0, 64, 16])).toBeUndefined();
  });

  it('is undefined for a flattened picture, kept for a flattened vector, and set again by the next Gemm', () => {
    const built = image()
      .constant('fc', 'float32', [16, 10])
      .node('Flatten', { inputs: ['conv'], outputs: ['flat'] })
      .node('GlobalAveragePool', { inputs: ['conv'], outputs: ['pooled'] })
      .node('Flatten', { inputs: ['pooled'], outputs: ['vector'] })
      .node('Gemm', { inputs: ['vector', 'fc'], outputs: ['y'] })
      .build();
    expect(axis(built, 'flat')).toBeUndefined();
    expect(axis(built, 'vector')).toBe(1);
    expect(axis(built, 'y')).toBe(1);
  });

  it('follows features through Squeeze, Unsqueeze and Gather', () => {
    const built = tokens()
      .constant('first', 'int64', [], [0])
      .constant('axes', 'int64', [1], [1])
      .node('Unsqueeze', { inputs: ['fc', 'axes'], outputs: ['wide'] })
      .node('Squeeze', { inputs: ['wide', 'axes'], outputs: ['narrow'] })
      .node('Gather', { inputs: ['narrow', 'first'], outputs: ['token'], attrs: { axis: 1 } })
      .build();
    expect(axis(built, 'wide')).toBe(3);
    expect(axis(built, 'narrow')).toBe(2);
    expect(axis(built, 'token')).toBe(1);
  });

  it('is found again after attention splits and joins heads only by the next matrix product', () => {
    const built = tokens()
      .constant('heads', 'int64', [4], [0, 10, 4, 6])
      .constant('joined', 'int64', [3], [0, 10, 24])
      .constant('out', 'float32', [24, 8])
      .node('Reshape', { inputs: ['fc', 'heads'], outputs: ['split'] })
      .node('Transpose', { inputs: ['split'], outputs: ['moved'], attrs: { perm: [0, 2, 1, 3] } })
      .node('Transpose', { inputs: ['moved'], outputs: ['back'], attrs: { perm: [0, 2, 1, 3] } })
      .node('Reshape', { inputs: ['back', 'joined'], outputs: ['join'] })
      .node('MatMul', { inputs: ['join', 'out'], outputs: ['y'] })
      .build();
    for (const name of ['split', 'moved', 'back', 'join']) expect(axis(built, name)).toBeUndefined();
    expect(axis(built, 'y')).toBe(2);
  });
});

describe('channelAxisOf unknowns', () => {
  it('falls back on the rank behind an operator nobody knows', () => {
    const after = (shape: readonly number[]): number | undefined =>
      axis(
        graph()
          .input('x', 'float32', [1, 2])
          .node('Mystery', { domain: 'com.example', inputs: ['x'], outputs: ['y'] })
          .value('y', 'float32', shape)
          .build(),
        'y',
      );
    expect(after([1, 2, 3, 4])).toBe(1);
    expect(after([1, 2, 3])).toBe(2);
    expect(after([1, 2])).toBe(1);
    expect(after([5])).toBeUndefined();
  });

  it('never names an axis that the tensor does not have', () => {
    const built = graph()
      .input('x', 'float32', [3])
      .node('GlobalAveragePool', { inputs: ['x'], outputs: ['y'] })
      .build();
    expect(axis(built, 'y')).toBeUndefined();
  });
});
