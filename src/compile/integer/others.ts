/** Kernels of operators that are no products of matrices. */
import { BINARY_KERNELS } from './binary.js';
import { COMPARISON_KERNELS } from './comparisons.js';
import type { IntegerKernel } from './kernel.js';
import { l2Normalization } from './l2-normalization.js';
import { MOVE_KERNELS } from './moves.js';
import { POOL_KERNELS } from './pool.js';
import { REDUCE_KERNELS } from './reduce.js';
import { reduceProduct } from './reduce-product.js';
import { resizeBilinear } from './resize.js';
import { SOFTMAX_KERNELS } from './softmax.js';
import { UNARY_KERNELS } from './unary.js';

export const OTHER_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ...BINARY_KERNELS,
  ...COMPARISON_KERNELS,
  ...MOVE_KERNELS,
  ...POOL_KERNELS,
  ...REDUCE_KERNELS,
  ...SOFTMAX_KERNELS,
  ...UNARY_KERNELS,
  L2_NORMALIZATION: l2Normalization,
  REDUCE_PROD: reduceProduct,
  RESIZE_BILINEAR: resizeBilinear,
};
