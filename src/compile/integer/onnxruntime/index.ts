/**
 * What ONNX Runtime's CPU kernels of integer operators compute, by the operator's name in the file.
 *
 * Concat, Where, Sigmoid and LeakyRelu of codes have none here: those kernels look up codes in tables that dequantizing, the float
 * function and quantizing give, which is what a lane does anyway.
 */
import type { IntegerKernel } from '../kernel.js';
import { BINARY_KERNELS } from './binary.js';
import { POOL_KERNELS } from './pool.js';
import { PRODUCT_KERNELS } from './products.js';
import { qLinearSoftmax } from './softmax.js';

export const ONNXRUNTIME_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ...BINARY_KERNELS,
  ...POOL_KERNELS,
  ...PRODUCT_KERNELS,
  QLinearSoftmax: qLinearSoftmax,
};
