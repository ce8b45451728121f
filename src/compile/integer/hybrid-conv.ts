/**
 * Hybrid convolutions. Each picture of a batch has a scale of its own.
 *
 * Source: EvalHybrid and EvalHybridPerChannel of tflite/kernels/{conv,depthwise_conv,transpose_conv}.cc in google-ai-edge/LiteRT;
 * HybridConv and HybridConvPerChannel of tflite/kernels/internal/optimized/optimized_ops.h, and of internal/reference where there are
 * groups; DepthwiseConvHybridGeneral of optimized/integer_ops/depthwise_conv_hybrid.h.
 */
import { intAttr } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import {
  floatSums,
  hybridOperands,
  product,
  weightScales,
  withBias,
  type HybridCall,
  type HybridKernel,
} from './hybrid-operands.js';
import { convolved } from './products.js';

/** Channels that the vector code of DEPTHWISE_CONV_2D scales at a time. */
const CHANNELS = 4;

interface Scaled {
  readonly sums: Value;
  /** One for each picture. */
  readonly scale: Value;
  /** One for each output channel, or one for all. */
  readonly steps: Value;
  /** Of the first output channel. */
  readonly firstStep: Value;
  readonly channels: number;
}

type Scaling = (scaled: Scaled) => Value;

/** The convolution whose sums `scaling` makes floats of; `axis` of the weights has the output channels. */
function convolution(hybrid: HybridCall, axis: number, scaling: Scaling): Value | undefined {
  const { call } = hybrid;
  const { writer, main } = call;
  const operands = hybridOperands(hybrid, [1, 2, 3]);
  if (operands === undefined) return undefined;
  const { x, codes, weights, bias } = operands;
  const sums = convolved({ call, main, bias: undefined }, x.centered, codes, axis);
  if (sums === undefined) return undefined;
  const scaled = scaling({
    sums: floatSums(writer, sums),
    scale: x.scale,
    steps: weightScales(writer, weights, [1, 1]),
    firstStep: writer.literal('float32', weights.scale.slice(0, 1), []),
    channels: codes.dims[axis] ?? 0,
  });
  const spread = writer.literal('int64', [-1, 1, 1], [3]);
  return withBias(writer, scaled, bias === undefined ? bias : writer.op('Reshape', [bias, spread]));
}

const conv2d: HybridKernel = (hybrid) => {
  const { writer, main } = hybrid.call;
  const isGrouped = (intAttr(main, 'group') ?? 1) !== 1;
  return convolution(hybrid, 0, ({ sums, scale, steps, firstStep }) => {
    if (isGrouped) return product(writer, sums, steps, scale);
    const step = hybrid.input === 'symmetric' ? firstStep : steps;
    return product(writer, sums, product(writer, step, scale));
  });
};

const depthwiseConv2d: HybridKernel = (hybrid) => {
  const { writer } = hybrid.call;
  return convolution(hybrid, 0, ({ sums, scale, steps, channels }) => {
    const inVectors = product(writer, sums, steps, scale);
    const vector = channels - (channels % CHANNELS);
    if (vector === channels) return inVectors;
    const index = Array.from({ length: channels }, (_, channel) => channel);
    const isVector = writer.op('Less', [
      writer.literal('int64', index, [channels, 1, 1]),
      writer.literal('int64', [vector], []),
    ]);
    return writer.op('Where', [isVector, inVectors, product(writer, sums, scale, steps)]);
  });
};

/** The kernel scales each product before it adds it up, which rounds a little more often than here. */
const transposeConv: HybridKernel = (hybrid) =>
  convolution(hybrid, 1, ({ sums, scale, steps }) => product(hybrid.call.writer, sums, steps, scale));

export const HYBRID_CONV_KERNELS: Readonly<Record<string, HybridKernel>> = {
  CONV_2D: conv2d,
  DEPTHWISE_CONV_2D: depthwiseConv2d,
  TRANSPOSE_CONV: transposeConv,
};
