/**
 * Quantizers as TensorRT's explicit quantization wants them: on the inputs of the operators that have int8 kernels,
 * one for each reader, symmetric; nothing on outputs, because the operator behind decides what it reads.
 * https://docs.nvidia.com/deeplearning/tensorrt/latest/inference-library/work-quantized-types.html
 *
 * Biases stay in floating point. The shortcut of a residual Add is quantized, which lets TensorRT fuse the Add into the
 * convolution before it; MaxPool and layout operators need nothing, quantization commutes with them.
 */
import type { OperatorRule, Placement } from './rules.js';

const POOL: OperatorRule = { inputs: [0] };

export const TENSORRT: Placement = {
  name: 'tensorrt',
  scope: 'use',
  biasLimit: 2 ** 31 - 1,
  rules: {
    Add: { inputs: 'residual' },
    AveragePool: POOL,
    Conv: { inputs: [0], weights: [{ slot: 1, axis: 0 }], bias: 2 },
    ConvTranspose: { inputs: [0], weights: [{ slot: 1, axis: 1 }], bias: 2 },
    Gemm: { inputs: [0], weights: [{ slot: 1, axis: 'transB' }], bias: 2 },
    GlobalAveragePool: POOL,
    MatMul: { inputs: [0], weights: [{ slot: 1, axis: 1, rank: 2 }] },
  },
};
