/**
 * Arithmetic on extents. A result that is not a fixed number, and not provably one of the operands, is null.
 */
import type { Dim, Shape } from '../graph.js';

/** An extent, or null when the number is none (negative, fractional, beyond 2^53). */
export function toDim(value: number): Dim {
  return Number.isSafeInteger(value) && value >= 0 ? value : null;
}

export function addDims(a: Dim, b: Dim): Dim {
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof a === 'number' && typeof b === 'number' ? toDim(a + b) : null;
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1) return a;
  if (a === 0 || b === 0) return 0;
  return typeof a === 'number' && typeof b === 'number' ? toDim(a * b) : null;
}

/** a / b, where the operator wants b to divide a. */
export function divDims(a: Dim, b: number): Dim {
  if (b === 1) return a;
  return typeof a === 'number' && b > 0 ? toDim(Math.floor(a / b)) : null;
}

export function productOf(dims: Shape): Dim {
  if (dims.includes(0)) return 0;
  return dims.reduce<Dim>(mulDims, 1);
}

/** Dims that an operator wants equal: the one of which most is known. Of two fixed ones that differ, the first. */
export function sameDim(a: Dim, b: Dim): Dim {
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  return a ?? b;
}

/** Multidirectional broadcasting. https://onnx.ai/onnx/repo-docs/Broadcasting.html */
export function broadcast(shapes: readonly (Shape | undefined)[]): Shape | undefined {
  let result: Shape = [];
  for (const shape of shapes) {
    if (shape === undefined) return undefined;
    result = broadcastPair(result, shape);
  }
  return result;
}

function broadcastPair(a: Shape, b: Shape): Shape {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const missing = long.length - short.length;
  return long.map((dim, i) => (i < missing ? dim : broadcastDim(dim, short[i - missing] ?? null)));
}

function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1) return a;
  // A fixed extent other than 1 decides: the other side is that extent or 1.
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  return a === b ? a : null;
}

/** Axis counted from the front, or undefined when it is outside. */
export function axisOf(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}

/** Axes counted from the front; undefined when one of them is outside. */
export function axesOf(axes: readonly number[], rank: number): ReadonlySet<number> | undefined {
  const result = new Set<number>();
  for (const axis of axes) {
    const positive = axisOf(axis, rank);
    if (positive === undefined) return undefined;
    result.add(positive);
  }
  return result;
}

export function replaceAxis(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((old, i) => (i === axis ? dim : old));
}
