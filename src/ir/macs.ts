/** Multiply-accumulates of one node: what a layer costs on integer hardware, for coverage and for ordering layers. */
import type { Graph, Node, Shape, TensorId } from './graph.js';
import { intAttr } from './graph.js';

type Shapes = readonly (Shape | undefined)[];
type Count = (node: Node, inputs: Shapes, outputs: Shapes) => number | undefined;

/** Elements of a shape; undefined unless every extent is fixed. */
function sizeOf(shape: Shape | undefined): number | undefined {
  return shape?.reduce<number | undefined>(
    (size, dim) => (size === undefined || typeof dim !== 'number' ? undefined : size * dim),
    1,
  );
}

function times(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a * b;
}

/** Every output element sums over C/group and the kernel: the weight [M, C/group, kernel...] without its first axis. */
function conv(weight: number): Count {
  return (_, inputs, outputs) => times(sizeOf(outputs[0]), sizeOf(inputs[weight]?.slice(1)));
}

/** Every input element is spread over M/group and the kernel: the weight [C, M/group, kernel...] without its first axis. */
const convTranspose: Count = (_, inputs) => times(sizeOf(inputs[0]), sizeOf(inputs[1]?.slice(1)));

/** Every output element sums over the last axis of A. */
const matMul: Count = (_, inputs, outputs) => times(sizeOf(outputs[0]), sizeOf(inputs[0]?.slice(-1)));

const gemm: Count = (node, inputs, outputs) => {
  const transposed = (intAttr(node, 'transA') ?? 0) !== 0;
  return times(sizeOf(outputs[0]), sizeOf(transposed ? inputs[0]?.slice(0, 1) : inputs[0]?.slice(1)));
};

/** Of com.microsoft: A may be transposed in its last two axes. */
const fusedMatMul: Count = (node, inputs, outputs) => {
  const transposed = (intAttr(node, 'transA') ?? 0) !== 0;
  return times(sizeOf(outputs[0]), sizeOf(transposed ? inputs[0]?.slice(-2, -1) : inputs[0]?.slice(-1)));
};

/** W [directions, gates * hidden, input], R [directions, gates * hidden, hidden]: each step of each sequence multiplies both. X [steps, batch, input]. */
const recurrent: Count = (_, inputs) => {
  const [x, w, r] = inputs;
  const [each, kept] = [sizeOf(w), sizeOf(r)];
  return times(sizeOf(x?.slice(0, 2)), each === undefined || kept === undefined ? undefined : each + kept);
};

const COUNTS: ReadonlyMap<string, Count> = new Map([
  ['Conv', conv(1)],
  ['ConvInteger', conv(1)],
  ['QLinearConv', conv(3)],
  ['ConvTranspose', convTranspose],
  ['Gemm', gemm],
  ['MatMul', matMul],
  ['LSTM', recurrent],
  ['GRU', recurrent],
  ['RNN', recurrent],
  ['MatMulInteger', matMul],
  ['QLinearMatMul', matMul],
  ['com.microsoft:FusedConv', conv(1)],
  ['com.microsoft:NhwcConv', conv(1)],
  ['com.microsoft:NhwcFusedConv', conv(1)],
  ['com.microsoft:QLinearConv', conv(3)],
  ['com.microsoft:FusedGemm', gemm],
  ['com.microsoft:QGemm', gemm],
  ['com.microsoft:FusedMatMul', fusedMatMul],
  ['com.microsoft:MatMulIntegerToFloat', matMul],
  ['com.microsoft:DynamicQuantizeMatMul', matMul],
  ['com.microsoft:MatMulNBits', matMul],
]);

/**
 * Multiply-accumulates of the node, for the batch its shapes have. Bias, activation and padding are not counted apart:
 * a tap that falls on padding counts as one, as in the usual tables.
 *
 * Convolutions and matrix products count, float and integer, and recurrent layers by their two matrices; every other operator is 0 (also Einsum).
 * Undefined when a shape it depends on is not fixed: run `inferShapes` first.
 */
export function macsOf(graph: Graph, node: Node): number | undefined {
  const isOnnx = node.domain === '' || node.domain === 'ai.onnx';
  const count = COUNTS.get(isOnnx ? node.op : `${node.domain}:${node.op}`);
  const shapeOf = (id: TensorId | null): Shape | undefined =>
    id === null ? undefined : graph.tensors[id]?.shape;
  return count === undefined ? 0 : count(node, node.inputs.map(shapeOf), node.outputs.map(shapeOf));
}
