/** Pools over the spatial axes of [N, C, spatial...]. */
import type { Node, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';
import { asDims } from './elements.js';
import type { Family, Rule, Value } from './rule.js';
import { flag, hasInput, input, lengthOf, unknownDims } from './rule.js';
import { slide, unpool } from './window.js';

export function poolShape(node: Node, x: Value): Shape | undefined {
  const { shape } = x;
  if (shape === undefined || shape.length < 2) return undefined;
  const kernel = intsAttr(node, 'kernel_shape') ?? [];
  return [...shape.slice(0, 2), ...slide(node, shape.slice(2), { kernel, ceil: flag(node, 'ceil_mode') })];
}

export function globalPoolShape(shape: Shape | undefined): Shape | undefined {
  return shape?.map((dim, axis) => (axis < 2 ? dim : 1));
}

const pool: Rule = (call) => [{ dtype: input(call, 0).dtype, shape: poolShape(call.node, input(call, 0)) }];

const globalPool: Rule = (call) => [
  { dtype: input(call, 0).dtype, shape: globalPoolShape(input(call, 0).shape) },
];

const maxPool: Rule = (call) => {
  const shape = poolShape(call.node, input(call, 0));
  return [
    { dtype: input(call, 0).dtype, shape },
    { dtype: 'int64', shape },
  ];
};

const maxUnpool: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  if (hasInput(call, 2)) {
    const wanted = input(call, 2);
    return [{ dtype, shape: wanted.elements ? asDims(wanted.elements) : unknownDims(lengthOf(wanted)) }];
  }
  if (shape === undefined || shape.length < 2) return [{ dtype }];
  return [{ dtype, shape: [...shape.slice(0, 2), ...unpool(call.node, shape.slice(2))] }];
};

/** Regions of [N, C, H, W] resized to one size: [regions, C, height, width]. */
const roiAlign: Rule = (call) => {
  const [x, rois] = [input(call, 0), input(call, 1)];
  const { node } = call;
  const size = [intAttr(node, 'output_height') ?? 1, intAttr(node, 'output_width') ?? 1];
  return [{ dtype: x.dtype, shape: [rois.shape?.[0] ?? null, x.shape?.[1] ?? null, ...asDims(size)] }];
};

const maxRoiPool: Rule = (call) => {
  const [x, rois] = [input(call, 0), input(call, 1)];
  const size = intsAttr(call.node, 'pooled_shape') ?? [];
  return [{ dtype: x.dtype, shape: [rois.shape?.[0] ?? null, x.shape?.[1] ?? null, ...asDims(size)] }];
};

export const POOL = {
  AveragePool: pool,
  LpPool: pool,
  MaxPool: maxPool,
  MaxUnpool: maxUnpool,
  GlobalAveragePool: globalPool,
  GlobalLpPool: globalPool,
  GlobalMaxPool: globalPool,
  RoiAlign: roiAlign,
  MaxRoiPool: maxRoiPool,
} as const satisfies Family;
