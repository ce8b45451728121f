/** The two orders of axes of one tensor: [N, spatial..., C] in the file, [N, C, spatial...] where ONNX works on pictures. */
import type { Layout } from './lowering.js';

/** Ranks that have a picture order at all. */
export function hasLayouts(rank: number): boolean {
  return rank === 4 || rank === 5;
}

/** ONNX Transpose's perm from the file's order into a layout. */
export function permInto(layout: Layout, rank: number): readonly number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return layout === 'file' || !hasLayouts(rank) ? axes : [0, rank - 1, ...axes.slice(1, -1)];
}

/** For each axis of the input of a Transpose the axis of its output. */
export function inverse(perm: readonly number[]): readonly number[] {
  const out = perm.map(() => 0);
  perm.forEach((from, to) => (out[from] = to));
  return out;
}

export function isIdentity(perm: readonly number[]): boolean {
  return perm.every((from, to) => from === to);
}
