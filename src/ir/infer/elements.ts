/**
 * Elements of small tensors, followed through the chains that exporters write to compute a shape at run time
 * (Shape, Gather, Concat, Reshape...). The values stay inside inference.
 */
import type { Dim, DType, Shape } from '../graph.js';
import { broadcast } from './dims.js';
import type { Element, Value } from './rule.js';

/** Tensors with more elements are not followed: shapes, axes, sizes and masks are small. */
export const MAX_ELEMENTS = 1024;

/** Fixed extents of a tensor small enough to follow. */
export function smallDims(shape: Shape | undefined): readonly number[] | undefined {
  // Each extent too: [0, 10^9] has no elements, and must not be walked along its second axis.
  const small = (dim: Dim): dim is number => typeof dim === 'number' && dim <= MAX_ELEMENTS;
  if (shape?.every(small) !== true) return undefined;
  return countOf(shape) <= MAX_ELEMENTS ? shape : undefined;
}

/** Of one elementwise operator: Max and Min take any number, but no shape is computed from more. */
const MAX_OPERANDS = 16;

/**
 * Elements of a value, all null when only their number is known: so that one unknown entry of a concatenated shape
 * leaves the others known. Only of integers, which shapes are made of.
 */
export function elementsOf(value: Value): readonly Element[] | undefined {
  if (value.elements !== undefined) return value.elements;
  if (value.dtype !== 'int64' && value.dtype !== 'int32') return undefined;
  const dims = smallDims(value.shape);
  return dims && new Array<null>(countOf(dims)).fill(null);
}

/** Elements as extents: what a shape computed in the graph says. */
export function asDims(elements: readonly Element[]): Shape {
  return elements.map((element) =>
    typeof element === 'number' && !(Number.isSafeInteger(element) && element >= 0) ? null : element,
  );
}

/** Elements of a tensor of these extents, each computed from its index. */
export function generate(
  dims: readonly number[],
  at: (index: readonly number[]) => Element | undefined,
): Element[] {
  const index = new Array<number>(dims.length).fill(0);
  const elements: Element[] = [];
  for (let left = countOf(dims); left > 0; left -= 1) {
    elements.push(at(index) ?? null);
    for (let axis = dims.length - 1; axis >= 0; axis -= 1) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next < (dims[axis] ?? 0) ? next : 0;
      if (next < (dims[axis] ?? 0)) break;
    }
  }
  return elements;
}

/** Row-major position of an index; an index of higher rank is broadcast to `dims` (its last axes count, extent 1 repeats). */
export function positionOf(dims: readonly number[], index: readonly number[]): number {
  const missing = index.length - dims.length;
  return dims.reduce(
    (position, dim, axis) => position * dim + (dim === 1 ? 0 : (index[axis + missing] ?? 0)),
    0,
  );
}

/** Elementwise function of broadcast operands. Undefined when the operands are not all followed. */
export function mapElements(
  operands: readonly Value[],
  f: (elements: readonly Element[]) => Element,
): readonly Element[] | undefined {
  if (operands.length > MAX_OPERANDS) return undefined;
  const shapes = operands.map((operand) => smallDims(operand.shape));
  if (!shapes.every((dims) => dims !== undefined)) return undefined;
  const dims = smallDims(broadcast(shapes));
  // Last, because it may read the bytes of a constant.
  const lists = operands.map(elementsOf);
  if (dims === undefined || !lists.every((elements) => elements !== undefined)) return undefined;
  return generate(dims, (index) =>
    f(lists.map((elements, i) => elements[positionOf(shapes[i] ?? [], index)] ?? null)),
  );
}

/** A computed number as an element of that dtype; null when the dtype does not hold it or is not one that is followed. */
export function asElement(value: number, dtype: DType | undefined): Element {
  switch (dtype) {
    case 'float32':
      return Math.fround(value);
    case 'float64':
      return value;
    case 'int64':
      return Number.isSafeInteger(value) ? value + 0 : null;
    case 'int32':
      return (value | 0) === value ? value + 0 : null;
    case 'bool':
      return value === 0 ? 0 : 1;
    default:
      return null;
  }
}

function countOf(dims: readonly number[]): number {
  return dims.reduce((count, dim) => count * dim, 1);
}
