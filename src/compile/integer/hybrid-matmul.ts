/**
 * Hybrid products of matrices. Each row of the activation has a scale of its own.
 *
 * Source: EvalHybridDense, EvalHybridDense4Bit and EvalBlockwise4Bit of tflite/kernels/fully_connected.cc in google-ai-edge/LiteRT,
 * with SseMatrixBatchVectorMultiplyAccumulate of internal/optimized/sse_tensor_utils.cc and
 * internal/optimized/4bit/sse_fully_connected.cc.
 */
import { intAttr, type ConstantData } from '../../ir/graph.js';
import { toFloat32 } from '../../ir/elements.js';
import type { Value } from '../model-writer.js';
import { reduce } from '../operators.js';
import { constantOf, Derived } from './constant-codes.js';
import { Doubles } from './doubles.js';
import { hybridBatchMatMul } from './hybrid-batch-matmul.js';
import {
  floatSums,
  hybridOperands,
  product,
  weightScales,
  withBias,
  type HybridCall,
  type HybridKernel,
  type HybridOperands,
} from './hybrid-operands.js';
import { multiplied } from './products.js';

/** The packed kernel holds weights as unsigned nibbles, this far above their codes. */
const NIBBLE_OFFSET = 7;

const fullyConnected: HybridKernel = (hybrid) => {
  const { writer, main } = hybrid.call;
  const operands = hybridOperands(hybrid, [1]);
  if (operands === undefined || intAttr(main, 'transB') !== 1) return undefined;
  const { x, codes, weights, bias } = operands;
  if (weights.granularity.kind === 'per-block') return inBlocks(hybrid, operands);
  if (hybrid.input === 'packed') return packed(hybrid, operands);
  const sums = sumsOf(hybrid, operands, codes);
  if (sums === undefined) return undefined;
  const factors = product(writer, x.scale, weightScales(writer, weights));
  return withBias(writer, product(writer, sums, factors), bias);
};

function sumsOf({ call }: HybridCall, { x }: HybridOperands, weights: ConstantData): Value | undefined {
  const { writer, main } = call;
  const y = { value: writer.constant(weights), range: [0, 0] as const };
  const depth = weights.dims[1] ?? 0;
  const sums = multiplied({ call, main, bias: undefined }, x.centered, y, depth, { data: weights, axis: 0 });
  return sums === undefined ? undefined : floatSums(writer, sums);
}

const nibbles = new Derived((codes) =>
  constantOf(
    'float32',
    Float32Array.from(toFloat32(codes), (code) => code + NIBBLE_OFFSET),
    codes.dims,
  ),
);
const ONLY = {};

/** What the offset of the nibbles adds to the sums is taken away beforehand. */
function packed(hybrid: HybridCall, operands: HybridOperands): Value | undefined {
  const { writer } = hybrid.call;
  const { x, codes, weights, bias } = operands;
  const sums = sumsOf(hybrid, operands, nibbles.of(codes, ONLY));
  if (sums === undefined) return undefined;
  const steps = weightScales(writer, weights);
  const offset = writer.literal('float32', [-NIBBLE_OFFSET], []);
  const surplus = product(writer, reduce(writer, 'ReduceSum', x.codes, [1]), offset);
  const before = withBias(writer, product(writer, surplus, x.scale, steps), bias);
  return writer.op('Add', [before, product(writer, sums, x.scale, steps)]);
}

/** With a scale for every block of a weight's row: real weights in double precision, which rounds less than the kernel does. */
function inBlocks({ call, operands }: HybridCall, { x, bias }: HybridOperands): Value | undefined {
  const { writer, main } = call;
  const doubles = new Doubles(writer);
  const weights = operands[1];
  if (weights == null) return undefined;
  const [sums] = call.apply(main, [doubles.of(x.centered.value), doubles.of(weights), null]);
  if (sums === undefined) return undefined;
  return withBias(
    writer,
    product(writer, floatSums(writer, { value: sums, bound: Infinity }), x.scale),
    bias,
  );
}

export const HYBRID_MATMUL_KERNELS: Readonly<Record<string, HybridKernel>> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: hybridBatchMatMul,
};
