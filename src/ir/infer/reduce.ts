/** Reductions, arg-reductions, TopK and running sums. */
import type { Dim, Shape } from '../graph.js';
import { intAttr } from '../graph.js';
import { asDims, asElement, elementsOf, smallDims } from './elements.js';
import { addDims, axesOf, axisOf, mulDims, replaceAxis, toDim } from './dims.js';
import type { Call, Element, Family, Rule } from './rule.js';
import { flag, input, intList, lengthOf, sameType, unknownDims } from './rule.js';

function keepsDims(call: Call): boolean {
  return (intAttr(call.node, 'keepdims') ?? 1) !== 0;
}

/** Axes are an attribute before opset 13 (ReduceSum) or 18 (others), then an input. */
export function reduceShape(call: Call, shape: Shape | undefined): Shape | undefined {
  const keep = keepsDims(call);
  const axes = intList(call, 'axes', 1);
  const all = axes === 'absent' || (axes !== 'unknown' && axes.length === 0);
  if (all && flag(call.node, 'noop_with_empty_axes')) return shape;
  if (shape === undefined) return all && !keep ? [] : undefined;
  if (axes === 'unknown') return reducedSomewhere(shape, keep, lengthOf(input(call, 1)));
  const reduced = all ? new Set(shape.keys()) : axesOf(axes, shape.length);
  if (reduced === undefined) return undefined;
  return keep
    ? shape.map((dim, axis) => (reduced.has(axis) ? 1 : dim))
    : shape.filter((_, axis) => !reduced.has(axis));
}

/** The axes are computed at run time; their number may be known. */
function reducedSomewhere(shape: Shape, keep: boolean, count: number | undefined): Shape | undefined {
  // Every dim stays or becomes 1, so those of 1 are known.
  if (keep) return shape.map((dim) => (dim === 1 ? 1 : null));
  // No axes means all of them.
  return count === undefined ? undefined : unknownDims(count === 0 ? 0 : shape.length - count);
}

const reduce: Rule = (call) => [
  { dtype: input(call, 0).dtype, shape: reduceShape(call, input(call, 0).shape) },
];

/** Follows elements when all of a small tensor is reduced to one. */
function reduceWith(f: (a: Element, b: Element) => Element): Rule {
  return (call) => {
    const x = input(call, 0);
    const shape = reduceShape(call, x.shape);
    const [first, ...rest] = elementsOf(x) ?? [];
    const dims = smallDims(shape);
    const single = dims?.every((dim) => dim === 1) === true;
    if (first === undefined || !single) return [{ dtype: x.dtype, shape }];
    const total = rest.reduce(f, first);
    return [
      { dtype: x.dtype, shape, elements: [typeof total === 'number' ? asElement(total, x.dtype) : total] },
    ];
  };
}

function combine(
  f: (a: number, b: number) => number,
  symbolic: (a: Element, b: Element) => Element = () => null,
): (a: Element, b: Element) => Element {
  return (a, b) => (typeof a === 'number' && typeof b === 'number' ? f(a, b) : symbolic(a, b));
}

const argReduce: Rule = (call) => {
  const { shape } = input(call, 0);
  const axis = axisOf(intAttr(call.node, 'axis') ?? 0, shape?.length ?? 0);
  if (shape === undefined || axis === undefined) return [{ dtype: 'int64' }];
  const reduced = keepsDims(call) ? replaceAxis(shape, axis, 1) : shape.filter((_, i) => i !== axis);
  return [{ dtype: 'int64', shape: reduced }];
};

/** k is an attribute before opset 10. */
const topK: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const axis = axisOf(intAttr(call.node, 'axis') ?? -1, shape?.length ?? 0);
  const k = intAttr(call.node, 'k');
  const count: Dim = k === undefined ? (asDims(input(call, 1).elements ?? [])[0] ?? null) : toDim(k);
  const taken = shape === undefined || axis === undefined ? undefined : replaceAxis(shape, axis, count);
  return [
    { dtype, shape: taken },
    { dtype: 'int64', shape: taken },
  ];
};

export const REDUCE = {
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceMean: reduce,
  ReduceSumSquare: reduce,
  ReduceMax: reduceWith(combine(Math.max)),
  ReduceMin: reduceWith(combine(Math.min)),
  ReduceProd: reduceWith(combine((a, b) => a * b, mulDims)),
  ReduceSum: reduceWith(combine((a, b) => a + b, addDims)),
  ArgMax: argReduce,
  ArgMin: argReduce,
  TopK: topK,
  /** Determinant of the last two axes. */
  Det: (call) => [{ dtype: input(call, 0).dtype, shape: input(call, 0).shape?.slice(0, -2) }],
  CumSum: (call) => [sameType(input(call, 0))],
} as const satisfies Family;
