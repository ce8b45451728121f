/** Products of matrices. */
import type { TensorId } from '../../../ir/graph.js';
import { inFileElementOrder } from './element-order.js';
import type { Lowering, Rule } from './lowering.js';
import { requireOneType } from './operands.js';
import { Unlowerable } from './lowering.js';

/**
 * Weights [units, depth] times the input flattened to [rows, depth]. The output is [rows, units], or with `keepNumDims` the
 * input's shape with its last dimension replaced (tensorflow/lite/kernels/fully_connected.cc).
 */
const fullyConnected: Rule = (lowering) => {
  const format = lowering.option('weightsFormat');
  if (format !== 'DEFAULT') throw new Unlowerable(`weights in the order '${String(format)}'`);
  const dims = lowering.shape(0);
  const [units, depth, ...rest] = lowering.shape(1);
  if (units === undefined || depth === undefined || rest.length > 0) {
    throw new Unlowerable(`weights have rank ${lowering.shape(1).length}, not 2`);
  }
  requireOneType(lowering, 0, 1);
  const elements = dims.reduce((product, dim) => product * dim, 1);
  const keeps = lowering.boolOption('keepNumDims');
  if (depth < 1 || elements % depth !== 0 || (keeps && dims.at(-1) !== depth)) {
    throw new Unlowerable(`an input [${dims.join(', ')}] does not fit weights of depth ${depth}`);
  }

  const isMatrix = dims.length === 2 && dims[1] === depth;
  const rows = isMatrix
    ? lowering.input(0, 'file')
    : lowering.step('Reshape', [inFileElementOrder(lowering, 0), lowering.ints([-1, depth])]);
  const inputs = [rows, lowering.input(1, 'file')];
  if (lowering.has(2)) inputs.push(lowering.input(2, 'file'));
  if (!keeps || dims.length === 2) {
    lowering.writeActivated(0, 'file', 'Gemm', inputs, { transB: 1 });
    return;
  }
  const product = lowering.main('Gemm', inputs, { transB: 1 });
  const shape = dims.length === 1 ? [units] : [-1, ...dims.slice(1, -1), units];
  lowering.writeActivated(0, 'file', 'Reshape', [product, lowering.ints(shape)]);
};

/** An operand of a product, its last two axes swapped when the file says so. */
function factor(lowering: Lowering, slot: number, isTransposed: boolean): TensorId {
  const rank = lowering.shape(slot).length;
  if (rank < 2) throw new Unlowerable(`input ${slot} has rank ${rank}, less than 2`);
  if (!isTransposed) return lowering.input(slot, 'file');
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return lowering.permuted(slot, [...axes.slice(0, -2), rank - 1, rank - 2]);
}

const batchMatMul: Rule = (lowering) => {
  const left = factor(lowering, 0, lowering.boolOption('adjX'));
  const right = factor(lowering, 1, lowering.boolOption('adjY'));
  lowering.write(0, 'file', 'MatMul', [left, right]);
};

export const MATMUL_RULES: Readonly<Record<string, Rule>> = {
  FULLY_CONNECTED: fullyConnected,
  BATCH_MATMUL: batchMatMul,
};
