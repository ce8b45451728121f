/**
 * Products of matrices as the builtin kernels compute them on x86: FULLY_CONNECTED by ruy, with 16-bit activations and 64-bit
 * biases by the reference, whose factors are real numbers (tensorflow/lite/kernels/fully_connected.cc,
 * internal/reference/integer_ops/fully_connected.h); BATCH_MATMUL by the reference (batch_matmul.cc).
 */
import { intAttr, tensorOf } from '../../ir/graph.js';
import { centeredCodes, withoutPoints } from './constant-codes.js';
import type { IntegerKernel } from './kernel.js';
import { doubleProduct, factorsOf, linearCall, rescaled, singleProduct, type LinearCall } from './linear.js';
import { centeredRange, multiplied } from './products.js';
import { PORTABLE, VECTOR, type Rounding, type Sums } from './requantize.js';

function sumsOf(linear: LinearCall): Sums | undefined {
  const { call, main, x, weightTensor } = linear;
  const isPerAxis = linear.weights.granularity.kind === 'per-axis';
  const weights = isPerAxis ? withoutPoints(linear.weights) : linear.weights;
  const { shape } = tensorOf(call.graph, weightTensor);
  const isTransposed = intAttr(main, 'transB') === 1;
  const depth = shape?.at(isTransposed ? -1 : -2);
  if (shape === undefined || typeof depth !== 'number' || weights.granularity.kind === 'per-block') {
    return undefined;
  }
  const range = centeredRange(weights);
  const codes = call.constantCodes(weightTensor);
  if (codes === undefined) return multiplied(linear, x, { value: call.centered(weightTensor), range }, depth);
  const data = centeredCodes(codes, weights);
  const axis = isTransposed ? shape.length - 2 : shape.length - 1;
  return multiplied(linear, x, { value: call.writer.constant(data), range }, depth, { data, axis });
}

const fullyConnected: IntegerKernel = (call) => {
  const linear = linearCall(call);
  if (linear === undefined || intAttr(call.main, 'transB') !== 1) return undefined;
  const rounding = fullyConnectedRounding(linear);
  const isPerTensor = linear.weights.granularity.kind === 'per-tensor';
  const product = isPerTensor && rounding.kind !== 'real' ? singleProduct : doubleProduct;
  return rescaled(linear, sumsOf(linear), factorsOf(linear, 0, [], product), rounding);
};

function fullyConnectedRounding({ input, weights, biasType }: LinearCall): Rounding {
  if (input.dtype !== 'int16') return VECTOR;
  if (weights.dtype === 'int16') return { kind: 'fixed64' };
  return biasType === 'int64' ? { kind: 'real' } : VECTOR;
}

const batchMatMul: IntegerKernel = (call) => {
  const linear = linearCall(call);
  if (linear === undefined || linear.weights.granularity.kind !== 'per-tensor') return undefined;
  const rounding: Rounding = linear.input.dtype === 'int16' ? { kind: 'fixed64' } : PORTABLE;
  return rescaled(linear, sumsOf(linear), factorsOf(linear, 0, [], singleProduct), rounding);
};

export const MATMUL_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatMul,
};
