/** Where the order of axes makes no difference to the row-major order of the elements: extents of 1 may lie anywhere. */
import type { TensorId } from '../../../ir/graph.js';
import { movesNothing } from '../constants.js';
import { permInto } from './layout.js';
import type { Layout, Lowering } from './lowering.js';

/** True when a tensor with those extents in the file has its elements in the file's order also in `layout`. */
export function keepsElementOrder(layout: Layout, dims: readonly number[]): boolean {
  return movesNothing(dims, permInto(layout, dims.length));
}

/** The input in a layout that has its elements in the file's order: what only reshapes it needs no Transpose before. */
export function inFileElementOrder(lowering: Lowering, slot: number): TensorId {
  const layout = lowering.layoutOf(slot);
  return lowering.input(slot, keepsElementOrder(layout, lowering.shape(slot)) ? layout : 'file');
}

/** The layout in which the file's axes of a tensor lie in the given order; undefined when that is none. */
export function layoutOfAxes(axes: readonly number[]): Layout | undefined {
  const layouts: readonly Layout[] = ['file', 'channels-first'];
  return layouts.find((layout) => permInto(layout, axes.length).every((axis, i) => axis === axes[i]));
}

/** The layout in which a tensor is left when an axis of the file is taken from one in `layout`; undefined when in none. */
export function layoutWithout(layout: Layout, rank: number, axis: number): Layout | undefined {
  const left = permInto(layout, rank).filter((other) => other !== axis);
  return layoutOfAxes(left.map((other) => (other > axis ? other - 1 : other)));
}
