/** Which input and output channel each element of a weight belongs to. */
import { intAttr, type Node } from '../../ir/graph.js';

/** A weight as [rows, columns, inner] in row-major order; what lies in `inner` belongs to one pair of channels. */
export interface KernelChannels {
  readonly rows: number;
  readonly columns: number;
  /** Positions of the kernel. */
  readonly inner: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly input: (row: number, column: number) => number;
  readonly output: (row: number, column: number) => number;
}

/**
 * Of Conv [O, I/g, k...], ConvTranspose [I, O/g, k...], Gemm [I, O] or (transB) [O, I], MatMul [I, O].
 *
 * @param dims of the weight, of rank 2 or more
 */
export function kernelChannels(node: Node, dims: readonly number[]): KernelChannels {
  const [rows = 1, columns = 1, ...kernel] = dims;
  const inner = kernel.reduce((product, extent) => product * extent, 1);
  const group = Math.max(1, intAttr(node, 'group') ?? 1);
  const isConv = node.op === 'Conv' || node.op === 'ConvTranspose';
  const groups = isConv ? group : 1;
  /** The axis behind counts from the first channel of the row's group. */
  const grouped = (row: number, column: number): number =>
    Math.floor((row * groups) / rows) * columns + column;
  const isOutputFirst = node.op === 'Conv' || (node.op === 'Gemm' && (intAttr(node, 'transB') ?? 0) !== 0);
  const row = (at: number): number => at;
  return isOutputFirst
    ? { rows, columns, inner, outputs: rows, inputs: groups * columns, output: row, input: grouped }
    : { rows, columns, inner, inputs: rows, outputs: groups * columns, input: row, output: grouped };
}
