/** Kernels of operators with float activations and stored codes for weights, by the operator's name in the file. */
import { HYBRID_CONV_KERNELS } from './hybrid-conv.js';
import { HYBRID_MATMUL_KERNELS } from './hybrid-matmul.js';
import type { HybridKernel } from './hybrid-operands.js';

export const HYBRID_KERNELS: Readonly<Record<string, HybridKernel>> = {
  ...HYBRID_CONV_KERNELS,
  ...HYBRID_MATMUL_KERNELS,
};
