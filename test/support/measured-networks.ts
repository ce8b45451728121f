/** Small networks with made-up weights, their samples, and how they are run through calibration and measurement. */
import { toFloat16Bits } from '../../src/run/data/float16.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import type { DType, Graph } from '../../src/ir/graph.js';
import type { Feed, Sample } from '../../src/run/data/dataset.js';
import type { Samples } from '../../src/run/samples.js';
import type { Array64, Feeds } from './float64-network.js';
import { graph, type GraphBuilder } from './graph-builder.js';
import { Random } from '../quant/samples.js';

export const ONE_THREAD = { threads: 1 };
export const UNWATCHED = (): undefined => undefined;

/** Multiples of 1/4 in [-width, width]: sums of products of a few of them are exact in float32. */
export function quarters(random: Random, count: number, width = 1): number[] {
  return Array.from({ length: count }, () => random.integer(-4 * width, 4 * width) / 4);
}

/** Bell-shaped float32 numbers. */
export function bells(random: Random, count: number, width = 1): number[] {
  return Array.from({ length: count }, () => Math.fround(width * random.bell()));
}

export type Draw = (random: Random, count: number, width?: number) => number[];

/**
 * image [1,3,8,8] -> conv1+relu1 -> depthwise+relu2 -> project, added to relu1 (residual), relu3 -> pool -> flatten -> fc.
 * Weights of `depthwise` differ widely by channel.
 */
export function smallNetwork(opset: number, draw: Draw, width = 1): Graph {
  const random = new Random(7);
  const weights = (builder: GraphBuilder, name: string, dims: number[], size: number): GraphBuilder => {
    const values = draw(
      random,
      dims.reduce((a, b) => a * b, 1),
      size * width,
    );
    return builder.constant(name, 'float32', dims, values);
  };
  let builder = graph({ opset }).input('image', 'float32', [1, 3, 8, 8]);
  builder = weights(builder, 'conv1.weight', [4, 3, 3, 3], 1);
  builder = weights(builder, 'conv1.bias', [4], 1);
  builder = weights(builder, 'depthwise.weight', [4, 1, 3, 3], 2);
  builder = weights(builder, 'depthwise.bias', [4], 1);
  builder = weights(builder, 'project.weight', [4, 4, 1, 1], 1);
  builder = weights(builder, 'fc.weight', [5, 64], 1);
  builder = weights(builder, 'fc.bias', [5], 1);
  return inferShapes(
    builder
      .node('Conv', {
        name: 'conv1',
        inputs: ['image', 'conv1.weight', 'conv1.bias'],
        outputs: ['conv1:out'],
        attrs: { pads: [1, 1, 1, 1] },
      })
      .node('Relu', { name: 'relu1', inputs: ['conv1:out'], outputs: ['relu1:out'] })
      .node('Conv', {
        name: 'depthwise',
        inputs: ['relu1:out', 'depthwise.weight', 'depthwise.bias'],
        outputs: ['depthwise:out'],
        attrs: { pads: [1, 1, 1, 1], group: 4 },
      })
      .node('Relu', { name: 'relu2', inputs: ['depthwise:out'], outputs: ['relu2:out'] })
      .node('Conv', { name: 'project', inputs: ['relu2:out', 'project.weight'], outputs: ['project:out'] })
      .node('Add', { name: 'add', inputs: ['project:out', 'relu1:out'], outputs: ['add:out'] })
      .node('Relu', { name: 'relu3', inputs: ['add:out'], outputs: ['relu3:out'] })
      .node('MaxPool', {
        name: 'pool',
        inputs: ['relu3:out'],
        outputs: ['pool:out'],
        attrs: { kernel_shape: [2, 2], strides: [2, 2] },
      })
      .node('Flatten', { name: 'flatten', inputs: ['pool:out'], outputs: ['flat'] })
      .node('Gemm', {
        name: 'fc',
        inputs: ['flat', 'fc.weight', 'fc.bias'],
        outputs: ['logits'],
        attrs: { transB: 1 },
      })
      .output('logits')
      .build(),
  );
}

/** Samples for one input, from plain numbers. */
export function samplesOf(
  name: string,
  dims: readonly number[],
  values: readonly (readonly number[])[],
  dtype: DType = 'float32',
): Samples & {
  readonly feeds: readonly Feeds[];
} {
  const made = values.map((list, i): Sample => ({
    id: `sample${i}`,
    index: i,
    feeds: new Map([[name, feedOf(dtype, dims, list)]]),
  }));
  const feeds = values.map(
    (list): Feeds => new Map([[name, { dims, data: Float64Array.from(list) } satisfies Array64]]),
  );
  return { ...streamed(made), feeds };
}

export function streamed(samples: readonly Sample[]): Samples {
  return {
    count: samples.length,
    async *samples() {
      for (const sample of samples) yield await Promise.resolve(sample);
    },
  };
}

export function feedOf(dtype: DType, dims: readonly number[], values: readonly number[]): Feed {
  switch (dtype) {
    case 'float32':
      return { dtype, dims, data: Float32Array.from(values) };
    case 'float64':
      return { dtype, dims, data: Float64Array.from(values) };
    case 'float16':
      return { dtype, dims, data: toFloat16Bits(values) };
    case 'int64':
      return { dtype, dims, data: BigInt64Array.from(values, BigInt) };
    case 'bool':
      return { dtype, dims, data: Uint8Array.from(values) };
    default:
      throw new Error(`the tests feed no ${dtype}`);
  }
}

/** Samples of `smallNetwork`, each twice as large as the one before: the worst is one of its own. */
export function images(count: number, draw: Draw): ReturnType<typeof samplesOf> {
  const random = new Random(11);
  const values = Array.from({ length: count }, (_, i) => draw(random, 192, 2 ** i));
  return samplesOf('image', [1, 3, 8, 8], values);
}
