/** What operators do, by names that all exporters share. */
import type { Node } from '../../ir/graph.js';
import type { Kernel } from './kernel.js';

const MEANS: ReadonlySet<string> = new Set(['AveragePool', 'GlobalAveragePool', 'ReduceMean']);
const MAXIMA: ReadonlySet<string> = new Set(['MaxPool', 'GlobalMaxPool', 'ReduceMax']);
const PRODUCTS: ReadonlySet<string> = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm']);
const RESIZES: ReadonlySet<string> = new Set(['Resize', 'Upsample']);
const COMMUTATIVE: ReadonlySet<string> = new Set([
  'Add',
  'Sum',
  'Mul',
  'Min',
  'Max',
  'Concat',
  'Equal',
  'And',
  'Or',
]);
const COMPUTE: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvInteger', 'QLinearConv', 'ConvTranspose', 'DeformConv', 'Einsum', 'GRU', 'LSTM', 'RNN'],
  ...[
    'MatMulInteger',
    'QLinearMatMul',
    'QGemm',
    'MatMulNBits',
    'Attention',
    'MultiHeadAttention',
    'NhwcConv',
  ],
]);

/** Name of what a node does, whatever the operator that does it is called: equal where two networks may do the same. */
export function kindOf(node: Node, kernel: Kernel | undefined): string {
  const { op, domain } = node;
  if (kernel !== undefined) {
    const family = op === 'ConvTranspose' ? 'deconvolution' : 'linear';
    return `${family} ${kernel.channels}x${kernel.features}`;
  }
  if (MEANS.has(op)) return 'mean';
  if (MAXIMA.has(op)) return 'maximum';
  if (PRODUCTS.has(op)) return 'product';
  if (RESIZES.has(op)) return 'Resize';
  if (op === 'Sum') return 'Add';
  return domain === '' || domain === 'ai.onnx' ? op : `${domain}:${op}`;
}

/** Whether the order of its operands does not matter, or is the exporter's choice. */
export function isCommutative({ op }: Node): boolean {
  return COMMUTATIVE.has(op);
}

/** Whether it multiplies and accumulates, with or without constants. */
export function isCompute({ op }: Node): boolean {
  return PRODUCTS.has(op) || COMPUTE.has(op);
}
