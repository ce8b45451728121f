/** Integer kernels by the operator's name in the file. */
import { CONV_KERNELS } from './conv.js';
import type { IntegerKernel } from './kernel.js';
import { MATMUL_KERNELS } from './matmul.js';
import { OTHER_KERNELS } from './others.js';

export const INTEGER_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ...CONV_KERNELS,
  ...MATMUL_KERNELS,
  ...OTHER_KERNELS,
};

/** Operators whose kernels make codes of values: their inputs need no quantizer. */
export const TAKE_REALS: ReadonlySet<string> = new Set(['QUANTIZE']);
