/** Operators that pick, join or replace parts of tensors along axes. */
import type { Dim, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';
import { addDims, axisOf, replaceAxis, sameDim, toDim } from './dims.js';
import { elementsOf, generate, positionOf, smallDims } from './elements.js';
import type { Call, Element, Family, Rule, Value } from './rule.js';
import { input, intList, lengthOf, sameType, unknownDims } from './rule.js';

const concat: Rule = (call) => {
  const parts = call.inputs.filter((part) => part !== undefined);
  const dtype = parts.find((part) => part.dtype !== undefined)?.dtype;
  const ranked = parts.find((part) => part.shape !== undefined)?.shape;
  const axis = axisOf(intAttr(call.node, 'axis') ?? 1, ranked?.length ?? 0);
  if (ranked === undefined || axis === undefined) return [{ dtype }];
  const shape = ranked.map((_, i) => {
    const dims = parts.map((part) => part.shape?.[i] ?? null);
    return i === axis ? dims.reduce(addDims, 0) : dims.reduce(sameDim);
  });
  return [{ dtype, shape, elements: joined(parts, shape, axis) }];
};

function joined(parts: readonly Value[], shape: Shape, axis: number): readonly Element[] | undefined {
  const dims = smallDims(shape);
  if (dims === undefined) return undefined;
  // Which part, and where in it, each position along the axis comes from.
  const sources: { dims: readonly number[]; elements: readonly Element[]; start: number }[] = [];
  for (const part of parts) {
    const partDims = smallDims(part.shape);
    const elements = elementsOf(part);
    if (partDims === undefined || elements === undefined) return undefined;
    const start = sources.length;
    for (let i = 0; i < (partDims[axis] ?? 0); i += 1) sources.push({ dims: partDims, elements, start });
  }
  return generate(dims, (index) => {
    const source = sources[index[axis] ?? 0];
    if (source === undefined) return null;
    const local = index.map((position, i) => (i === axis ? position - source.start : position));
    return source.elements[positionOf(source.dims, local)];
  });
}

/** Sizes are an attribute before opset 13, then an input; without either, equal parts (`num_outputs`, the last smaller). */
const split: Rule = (call) => {
  const x = input(call, 0);
  const count = call.node.outputs.length;
  const { dtype, shape } = x;
  const axis = axisOf(intAttr(call.node, 'axis') ?? 0, shape?.length ?? 0);
  if (shape === undefined || axis === undefined) return call.node.outputs.map(() => ({ dtype }));
  const sizes = intList(call, 'split', 1);
  const extents = splitExtents(shape[axis] ?? null, sizes, count);
  let start: Dim = 0;
  return extents.map((extent) => {
    const part = replaceAxis(shape, axis, extent);
    const from: Dim = start;
    start = addDims(start, extent);
    return {
      dtype,
      shape: part,
      elements: typeof from === 'number' ? taken(x, part, axis, from, 1) : undefined,
    };
  });
};

function splitExtents(whole: Dim, sizes: ReturnType<typeof intList>, count: number): Shape {
  if (sizes === 'unknown') return new Array<null>(count).fill(null);
  if (sizes !== 'absent') return sizes.map(toDim);
  if (count === 1) return [whole];
  if (typeof whole !== 'number') return new Array<null>(count).fill(null);
  const each = Math.ceil(whole / count);
  return Array.from({ length: count }, (_, i) => toDim(i < count - 1 ? each : whole - each * (count - 1)));
}

/** Elements of `part`, which takes positions start, start + step, ... of x along one axis. */
function taken(
  x: Value,
  part: Shape,
  axis: number,
  start: number,
  step: number,
): readonly Element[] | undefined {
  const [from, to] = [smallDims(x.shape), smallDims(part)];
  if (x.elements === undefined || from === undefined || to === undefined) return undefined;
  const { elements } = x;
  if (start + ((to[axis] ?? 0) - 1) * step >= (from[axis] ?? 0)) return undefined;
  return generate(to, (index) => {
    const source = index.map((position, i) => (i === axis ? start + position * step : position));
    return elements[positionOf(from, source)];
  });
}

/** Attributes before opset 10, then inputs. */
const slice: Rule = (call) => {
  const x = input(call, 0);
  const { dtype, shape } = x;
  if (shape === undefined) return [{ dtype }];
  const starts = intList(call, 'starts', 1);
  const ends = intList(call, 'ends', 2);
  const axes = intList(call, 'axes', 3);
  const steps = intList(call, 'steps', 4);
  if (axes === 'unknown') return [{ dtype, shape: unknownDims(shape.length) }];
  const count = entryCount(call, starts);
  if (axes === 'absent' && count === undefined) return [{ dtype, shape: unknownDims(shape.length) }];
  const axisList = axes === 'absent' ? Array.from({ length: count ?? 0 }, (_, i) => i) : axes;
  // Every axis at most once.
  if (axisList.length > shape.length) return [{ dtype, shape: unknownDims(shape.length) }];
  let current: Value = x;
  for (const [i, given] of axisList.entries()) {
    const axis = axisOf(given, shape.length);
    if (axis === undefined) return [{ dtype, shape: unknownDims(shape.length) }];
    const step = steps === 'absent' ? 1 : entry(steps, i);
    current = sliceAxis(current, axis, entry(starts, i), entry(ends, i), step);
  }
  return [current];
};

function entry(list: ReturnType<typeof intList>, i: number): number | undefined {
  return typeof list === 'string' ? undefined : list[i];
}

function entryCount(call: Call, starts: ReturnType<typeof intList>): number | undefined {
  return typeof starts === 'string' ? lengthOf(input(call, 1)) : starts.length;
}

function sliceAxis(x: Value, axis: number, start?: number, end?: number, step?: number): Value {
  const shape = x.shape ?? [];
  const extent = shape[axis] ?? null;
  const unknown: Value = { dtype: x.dtype, shape: replaceAxis(shape, axis, null) };
  if (start === undefined || end === undefined || step === undefined || step === 0) return unknown;
  if (typeof extent !== 'number') {
    const forward = step === 1 && start === 0 && end >= OPEN_END;
    const backward = step === -1 && start === -1 && end <= -OPEN_END;
    return forward || backward ? sameType(x) : unknown;
  }
  const last = step > 0 ? extent : extent - 1;
  const clamp = (position: number, lowest: number): number =>
    Math.min(Math.max(position < 0 ? position + extent : position, lowest), last);
  const from = clamp(start, 0);
  const to = clamp(end, step > 0 ? 0 : -1);
  const part = replaceAxis(shape, axis, Math.max(0, Math.ceil((to - from) / step)));
  return { dtype: x.dtype, shape: part, elements: taken(x, part, axis, from, step) };
}

/** Ends from here on mean "to the end" whatever the extent: exporters write the largest int32 or int64. */
const OPEN_END = 2 ** 31 - 1;

const gather: Rule = (call) => {
  const [x, indices] = [input(call, 0), input(call, 1)];
  const { dtype, shape } = x;
  const axis = axisOf(intAttr(call.node, 'axis') ?? 0, shape?.length ?? 0);
  if (shape === undefined || indices.shape === undefined || axis === undefined) return [{ dtype }];
  const gathered = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  return [{ dtype, shape: gathered, elements: gatheredElements(x, indices, gathered, axis) }];
};

function gatheredElements(
  x: Value,
  indices: Value,
  gathered: Shape,
  axis: number,
): readonly Element[] | undefined {
  const [from, by, to] = [smallDims(x.shape), smallDims(indices.shape), smallDims(gathered)];
  const { elements } = x;
  const wanted = indices.elements;
  if (!elements || !wanted || !from || !by || !to) return undefined;
  return generate(to, (index) => {
    const position = wanted[positionOf(by, index.slice(axis, axis + by.length))];
    const along = typeof position === 'number' ? axisOf(position, from[axis] ?? 0) : undefined;
    if (along === undefined) return null;
    return elements[positionOf(from, [...index.slice(0, axis), along, ...index.slice(axis + by.length)])];
  });
}

const gatherND: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const indices = input(call, 1).shape;
  const depth = indices?.at(-1);
  if (shape === undefined || indices === undefined || typeof depth !== 'number') return [{ dtype }];
  const kept = shape.slice((intAttr(call.node, 'batch_dims') ?? 0) + depth);
  return [{ dtype, shape: [...indices.slice(0, -1), ...kept] }];
};

/** How many entries the condition selects is not known before the run. */
const compress: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const along = intAttr(call.node, 'axis');
  return [{ dtype, shape: along === undefined ? [null] : cutSomewhere(shape, along) }];
};

function cutSomewhere(shape: Shape | undefined, along: number): Shape | undefined {
  const axis = axisOf(along, shape?.length ?? 0);
  return axis === undefined ? undefined : shape && replaceAxis(shape, axis, null);
}

const centerCropPad: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const wanted = input(call, 1).elements;
  const given = intsAttr(call.node, 'axes');
  if (shape === undefined) return [{ dtype }];
  const axes = given ?? Array.from(shape.keys());
  const result = [...shape];
  for (const [i, along] of axes.entries()) {
    const axis = axisOf(along, shape.length);
    if (axis === undefined) return [{ dtype, shape: unknownDims(shape.length) }];
    result[axis] = wanted?.[i] ?? null;
  }
  return [{ dtype, shape: result }];
};

/** Distinct elements, or distinct slices along an axis; first places, where each went, and counts. */
const unique: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const along = intAttr(call.node, 'axis');
  const distinct = along === undefined ? [null] : cutSomewhere(shape, along);
  const indices: Value = { dtype: 'int64', shape: [null] };
  return [{ dtype, shape: distinct }, indices, indices, indices];
};

const likeData: Rule = (call) => [sameType(input(call, 0))];

export const SELECT = {
  Concat: concat,
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: (call) => [{ dtype: input(call, 0).dtype, shape: input(call, 1).shape }],
  GatherND: gatherND,
  Scatter: likeData,
  ScatterElements: likeData,
  ScatterND: likeData,
  TensorScatter: likeData,
  Trilu: likeData,
  Compress: compress,
  CenterCropPad: centerCropPad,
  Unique: unique,
} as const satisfies Family;
