/** Kernels of operators that are no products of matrices. */
import type { IntegerKernel } from './kernel.js';

export const OTHER_KERNELS: Readonly<Record<string, IntegerKernel>> = {};
