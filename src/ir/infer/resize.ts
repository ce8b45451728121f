/** Operators that grow, shrink or resample a tensor: Resize, Pad, Tile, Expand, GridSample. */
import type { Dim, Shape } from '../graph.js';
import { stringAttr } from '../graph.js';
import { axisOf, broadcast, mulDims, replaceAxis, toDim } from './dims.js';
import { asDims } from './elements.js';
import type { Call, Element, Family, Rule, Value } from './rule.js';
import { hasInput, input, intList, lengthOf, numbersOf, unknownDims } from './rule.js';

/** floor(extent · scale) in float32, as runtimes compute it. */
function scaled(extent: Dim, scale: number | undefined): Dim {
  if (scale === 1) return extent;
  if (typeof extent !== 'number' || scale === undefined) return null;
  return toDim(Math.floor(Math.fround(extent * Math.fround(scale))));
}

function scaledShape(shape: Shape, scales: readonly number[] | undefined): Shape {
  return shape.map((dim, axis) => scaled(dim, scales?.[axis]));
}

/** Scales are an attribute before opset 9, then an input. */
const upsample: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const attribute = call.node.attrs.get('scales');
  const scales = attribute?.type === 'floats' ? attribute.value : numbersOf(input(call, 1));
  return [{ dtype, shape: shape && scaledShape(shape, scales) }];
};

/** Inputs are X, scales in opset 10; X, roi, scales, sizes from 11; `axes` from 18. */
const resize: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  if (shape === undefined) return [{ dtype }];
  const slot = call.opset < 11 ? 1 : 2;
  const axes = resizedAxes(call, shape.length);
  if (axes === undefined) return [{ dtype, shape: unknownDims(shape.length) }];
  const result = [...shape];
  // Exporters leave the unused one of scales and sizes out, or give a tensor without elements.
  const sizes = given(call, 3);
  if (sizes !== undefined) {
    const extents = resizedExtents(
      call,
      axes.map((axis) => shape[axis] ?? null),
      sizes.elements,
    );
    axes.forEach((axis, i) => (result[axis] = extents[i] ?? null));
  } else {
    const scales = numbersOf(input(call, slot));
    axes.forEach((axis, i) => (result[axis] = scaled(shape[axis] ?? null, scales?.[i])));
  }
  return [{ dtype, shape: result }];
};

function given(call: Call, slot: number): Value | undefined {
  return hasInput(call, slot) && lengthOf(input(call, slot)) !== 0 ? input(call, slot) : undefined;
}

function resizedAxes(call: Call, rank: number): readonly number[] | undefined {
  const axes = call.node.attrs.get('axes');
  if (axes?.type !== 'ints') return Array.from({ length: rank }, (_, axis) => axis);
  const result = axes.value.map((axis) => axisOf(Number(axis), rank));
  return result.every((axis) => axis !== undefined) ? result : undefined;
}

function resizedExtents(call: Call, extents: Shape, sizes: readonly Element[] | undefined): Shape {
  if (sizes === undefined) return extents.map(() => null);
  const policy = stringAttr(call.node, 'keep_aspect_ratio_policy') ?? 'stretch';
  if (policy === 'stretch') return asDims(sizes);
  // One scale for all axes: the smallest (or largest) of the wanted ones; halves round up.
  const ratios = extents.map((extent, i) => {
    const size = sizes[i];
    return typeof extent === 'number' && typeof size === 'number' ? size / extent : NaN;
  });
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  return extents.map((extent) =>
    typeof extent === 'number' ? toDim(Math.floor(extent * scale + 0.5)) : null,
  );
}

/** Pads are an attribute before opset 11, then an input; `axes` from 18. Negative pads crop. */
const pad: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  if (shape === undefined) return [{ dtype }];
  const attribute = intList(call, 'pads', 1);
  const pads = typeof attribute === 'string' ? input(call, 1).elements : attribute;
  const axes = intList(call, 'axes', 3);
  if (axes === 'unknown') return [{ dtype, shape: unknownDims(shape.length) }];
  const axisList = axes === 'absent' ? Array.from(shape.keys()) : axes;
  let result: Shape = shape;
  for (const [i, along] of axisList.entries()) {
    const axis = axisOf(along, shape.length);
    if (axis === undefined) return [{ dtype, shape: unknownDims(shape.length) }];
    const amount = padding(pads?.[i], pads?.[i + axisList.length]);
    result = replaceAxis(result, axis, padded(shape[axis] ?? null, amount));
  }
  return [{ dtype, shape: result }];
};

function padding(begin: Element | undefined, end: Element | undefined): number | undefined {
  return typeof begin === 'number' && typeof end === 'number' ? begin + end : undefined;
}

function padded(extent: Dim, amount: number | undefined): Dim {
  if (amount === undefined) return null;
  if (amount === 0) return extent;
  return typeof extent === 'number' ? toDim(extent + amount) : null;
}

const tile: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const repeats = input(call, 1).elements;
  return [
    { dtype, shape: shape?.map((dim, axis) => mulDims(dim, asDims([repeats?.[axis] ?? null])[0] ?? null)) },
  ];
};

/** Broadcasting in both directions: an entry of 1 keeps the extent. */
const expand: Rule = (call) => {
  const x = input(call, 0);
  const target = input(call, 1);
  const wanted = target.elements ? asDims(target.elements) : unknownDims(lengthOf(target));
  return [{ dtype: x.dtype, shape: broadcast([x.shape, wanted]) }];
};

/** X [N, C, in...] sampled at grid [N, out..., axes]. */
const gridSample: Rule = (call) => {
  const [x, grid] = [input(call, 0), input(call, 1)];
  const rank = x.shape?.length ?? grid.shape?.length;
  if (rank === undefined || rank < 3) return [{ dtype: x.dtype }];
  const spatial = grid.shape?.slice(1, -1) ?? unknownDims(rank - 2) ?? [];
  return [{ dtype: x.dtype, shape: [x.shape?.[0] ?? null, x.shape?.[1] ?? null, ...spatial] }];
};

/** size [N, C, spatial...] gives a grid [N, spatial..., axes]. */
const affineGrid: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const size = input(call, 1);
  const dims = size.elements ? asDims(size.elements) : unknownDims(lengthOf(size));
  if (dims === undefined) return [{ dtype }];
  return [{ dtype, shape: [shape?.[0] ?? dims[0] ?? null, ...dims.slice(2), dims.length - 2] }];
};

export const RESIZE = {
  Upsample: upsample,
  Resize: resize,
  Pad: pad,
  Tile: tile,
  Expand: expand,
  GridSample: gridSample,
  AffineGrid: affineGrid,
} as const satisfies Family;
