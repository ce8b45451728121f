/** Matrix products and Einsum. */
import type { Dim, DType, Shape } from '../graph.js';
import { stringAttr } from '../graph.js';
import { broadcast, sameDim } from './dims.js';
import type { Call, Family, Rule, Value } from './rule.js';
import { flag, input } from './rule.js';

/** numpy.matmul: batch axes broadcast, an operand of rank 1 is a row or column that is dropped again. */
export function matmulShape(a: Shape | undefined, b: Shape | undefined): Shape | undefined {
  if (a === undefined || b === undefined || a.length === 0 || b.length === 0) return undefined;
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)]) ?? [];
  const rows = a.length > 1 ? a.slice(-2, -1) : [];
  const columns = b.length > 1 ? b.slice(-1) : [];
  return [...batch, ...rows, ...columns];
}

/** A B with optional transposition, both of rank 2. */
export function gemmShape(call: Call, a: Value, b: Value): Shape {
  const rows = a.shape?.[flag(call.node, 'transA') ? 1 : 0] ?? null;
  const columns = b.shape?.[flag(call.node, 'transB') ? 0 : 1] ?? null;
  return [rows, columns];
}

/** Matrix product with the second operand at `slot`. */
export function matmul(
  slot: number,
  dtype: (inputs: readonly (Value | undefined)[]) => DType | undefined,
): Rule {
  return (call) => [
    { dtype: dtype(call.inputs), shape: matmulShape(input(call, 0).shape, input(call, slot).shape) },
  ];
}

const einsum: Rule = (call) => {
  const { dtype } = input(call, 0);
  const equation = stringAttr(call.node, 'equation');
  const shapes = call.inputs.map((operand) => operand?.shape);
  return [{ dtype, shape: equation === undefined ? undefined : einsumShape(equation, shapes) }];
};

/** https://numpy.org/doc/stable/reference/generated/numpy.einsum.html; an ellipsis stands for broadcast axes. */
function einsumShape(equation: string, shapes: readonly (Shape | undefined)[]): Shape | undefined {
  const [left = '', right] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  if (terms.length !== shapes.length) return undefined;
  const dims = new Map<string, Dim>();
  const ellipses: Shape[] = [];
  for (const [i, term] of terms.entries()) {
    const shape = shapes[i];
    if (shape === undefined) return undefined;
    const [before = '', after] = term.split('...');
    const labels = before + (after ?? '');
    const hidden = shape.length - labels.length;
    if (hidden < 0 || (after === undefined && hidden > 0)) return undefined;
    if (after !== undefined) ellipses.push(shape.slice(before.length, before.length + hidden));
    Array.from(labels).forEach((label, j) => {
      const dim = shape[j < before.length ? j : j + hidden] ?? null;
      dims.set(label, dims.has(label) ? einsumDim(dims.get(label) ?? null, dim) : dim);
    });
  }
  const output = right ?? implicitOutput(left);
  const [before = '', after] = output.split('...');
  const axes = (labels: string): Shape => Array.from(labels, (label) => dims.get(label) ?? null);
  return [...axes(before), ...(after === undefined ? [] : (broadcast(ellipses) ?? [])), ...axes(after ?? '')];
}

/** Extent 1 broadcasts under a shared label, as in numpy. */
function einsumDim(a: Dim, b: Dim): Dim {
  return a === 1 ? b : b === 1 ? a : sameDim(a, b);
}

/** Without "->": the ellipsis, then the labels that occur once, in alphabetical order. */
function implicitOutput(left: string): string {
  const labels = Array.from(left.replaceAll(/[.,]/g, ''));
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const once = labels.filter((label) => counts.get(label) === 1).sort();
  return (left.includes('...') ? '...' : '') + once.join('');
}

export const MATMUL = {
  Gemm: (call) => [{ dtype: input(call, 0).dtype, shape: gemmShape(call, input(call, 0), input(call, 1)) }],
  MatMul: matmul(1, ([a]) => a?.dtype),
  MatMulInteger: matmul(1, () => 'int32'),
  QLinearMatMul: matmul(3, (inputs) => inputs[7]?.dtype),
  Einsum: einsum,
} as const satisfies Family;
