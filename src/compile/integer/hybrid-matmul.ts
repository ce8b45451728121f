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

/** The packed kernel holds weights as unsigned nibbles, this far above their codes, in blocks of so many. */
const NIBBLE_OFFSET = 7;
const BLOCK = 32;

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

const ONLY = {};
const nibbles = new Derived((codes) => constantOf('float32', packedNibbles(codes), codes.dims));

/**
 * What the packed kernel multiplies with: codes and the offset, in 4 bits. Code -8 has none: it becomes 15 and fills the nibble that
 * shares its byte, or that of the byte behind, where vectors are packed.
 */
function packedNibbles(codes: ConstantData): Float32Array {
  const values = toFloat32(codes);
  const depth = codes.dims[1] ?? 0;
  const packed = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += depth) {
    for (let block = 0; block < depth; block += BLOCK) {
      const isVector = depth - block >= BLOCK;
      const byteOf = (i: number): number =>
        block + i < depth ? ((values[start + block + i] ?? 0) + NIBBLE_OFFSET) & 255 : 0;
      for (let i = 0; i < BLOCK / 2; i++) {
        // Elements 2k and 2k + 1 come from one byte of the file; each is packed with the one half a block behind it.
        const isOddByte = i % 4 >= 2;
        const spilt = isVector && isOddByte ? byteOf(i - 2) >> 4 : 0;
        const byte = ((byteOf(i) << 4) | byteOf(i + BLOCK / 2) | spilt) & 255;
        if (block + i < depth) packed[start + block + i] = byte >> 4;
        if (block + i + BLOCK / 2 < depth) packed[start + block + i + BLOCK / 2] = byte & 15;
      }
    }
  }
  return packed;
}

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
