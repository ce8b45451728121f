/** Shapes and axes as the user's file has them. */
import type { Shape, Tensor } from './graph.js';

export function fileShape({ shape, fileAxes }: Tensor): Shape | undefined {
  if (fileAxes === undefined || shape === undefined) return shape;
  return fileAxes.map((axis) => shape[axis] ?? null);
}

/** Which axis of the file lies at `axis` of the IR's tensor. */
export function fileAxis({ fileAxes }: Tensor, axis: number): number {
  const at = fileAxes?.indexOf(axis) ?? -1;
  return at < 0 ? axis : at;
}
