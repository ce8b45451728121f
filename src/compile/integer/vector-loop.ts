/**
 * Which elements TFLite's kernels compute in vectors.
 *
 * On x86 the interpreter is built with the NEON code of its kernels, translated to SSE. Vectors round in another way than the loop over
 * what is left behind the last whole vector: the same codes give different results at different places of a tensor.
 */
import { fileShape } from '../../ir/file-axes.js';
import { tensorOf, type TensorId } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import type { OperatorCall } from './kernel.js';

/** A kernel's loop over the last axes of the file's tensor: `length` elements, `width` at a time while there are so many left. */
export interface VectorLoop {
  readonly length: number;
  readonly width: number;
}

/** The share of the elements that are in vectors; a bool tensor that broadcasts against the tensor where it is some of them. */
export type InVectors = 'all' | 'none' | Value;

/** Elements of `tensor` in vectors. Where its extents are not known, all of them are taken to be. */
export function inVectors(call: OperatorCall, tensor: TensorId, { length, width }: VectorLoop): InVectors {
  const end = length - (length % width);
  if (end === length || !Number.isFinite(length)) return 'all';
  if (end === 0) return 'none';
  const index = indexInLoop(call, tensor, length);
  if (index === undefined) return 'all';
  return call.writer.op('Less', [index, call.writer.literal('int64', [end], [])]);
}

/** Position of every element within its loop of `length` over the last axes, as int64 that broadcasts against the tensor. */
function indexInLoop({ writer, graph }: OperatorCall, id: TensorId, length: number): Value | undefined {
  const tensor = tensorOf(graph, id);
  const shape = fileShape(tensor) ?? [];
  let sum: Value | undefined;
  let stride = 1;
  for (let k = shape.length - 1; k >= 0 && stride < length; k--) {
    const extent = shape[k];
    if (typeof extent !== 'number') return undefined;
    const axis = tensor.fileAxes?.[k] ?? k;
    const dims = shape.map((_, i) => (i === axis ? extent : 1));
    const steps = Array.from({ length: extent }, (_, i) => i * stride);
    const along = writer.literal('int64', steps, dims);
    sum = sum === undefined ? along : writer.op('Add', [sum, along]);
    stride *= extent;
  }
  return sum;
}

/** Extents in the file's order; NaN where they are not known. */
export function fileExtents({ graph }: OperatorCall, tensor: TensorId): readonly number[] {
  const shape = fileShape(tensorOf(graph, tensor)) ?? [];
  return shape.map((extent) => (typeof extent === 'number' ? extent : NaN));
}

export const product = (extents: readonly number[]): number => extents.reduce((x, y) => x * y, 1);

/** How a kernel on two tensors walks them: over pairs of elements, or one element against many; undefined: one by one. */
export type PairWalk = { readonly kind: 'pairs' | 'scalar'; readonly length: number } | undefined;

/** ProcessBroadcastShapes and BinaryBroadcastFiveFold (tensorflow/lite/kernels/internal/reference/process_broadcast_shapes.h). */
export function pairWalk(first: readonly number[], second: readonly number[]): PairWalk {
  const rank = Math.max(first.length, second.length);
  const extended = (shape: readonly number[]): number[] => [
    ...Array<number>(rank - shape.length).fill(1),
    ...shape,
  ];
  const [x, y] = [extended(first), extended(second)];
  let last = rank - 1;
  const fold = (take: (i: number) => boolean, extents: readonly number[]): number => {
    let size = 1;
    for (; last >= 0 && take(last); last--) size *= extents[last] ?? 1;
    return size;
  };
  const same = (i: number): boolean => Object.is(x[i], y[i]);
  const pairs = fold(same, x);
  if (last < 0) return { kind: 'pairs', length: pairs };
  if (x[last] !== 1 && y[last] !== 1) return undefined;
  const [fast, slow] = x[last] === 1 ? [x, y] : [y, x];
  const many = fold((i) => fast[i] === 1, slow);
  fold(same, x);
  fold((i) => slow[i] === 1, fast);
  fold(same, x);
  if (last >= 0) return undefined;
  return pairs > 1 ? { kind: 'pairs', length: pairs } : { kind: 'scalar', length: many };
}
