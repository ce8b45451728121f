/** Operators that keep every element and change its place: reshapes, transposes, blocks to depth and back. */
import type { Dim, Node, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';
import { axesOf, divDims, mulDims, productOf, replaceAxis, toDim } from './dims.js';
import { generate, positionOf, smallDims } from './elements.js';
import type { Element, Family, Rule, Value } from './rule.js';
import { flag, input, intList, lengthOf, sameType, unknownDims } from './rule.js';

/** Same elements in the same order under another shape. */
function reshaped(x: Value, shape: Shape | undefined): Value {
  return { dtype: x.dtype, shape, elements: shape && smallDims(shape) ? x.elements : undefined };
}

const reshape: Rule = (call) => {
  const x = input(call, 0);
  const target = intsAttr(call.node, 'shape') ?? input(call, 1).elements;
  if (target === undefined) return [{ dtype: x.dtype, shape: unknownDims(lengthOf(input(call, 1))) }];
  return [reshaped(x, reshapeTo(x.shape, target, flag(call.node, 'allowzero')))];
};

/**
 * Extents that Reshape gives. One unknown entry (-1, or null: computed at run time) follows from the number of
 * elements, after the extents that stand on both sides are cancelled, be they fixed, symbolic or copied (0).
 */
function reshapeTo(
  from: Shape | undefined,
  target: readonly Element[],
  allowZero: boolean,
): Shape | undefined {
  const rest: Dim[] | undefined = from && [...from];
  const given: Dim[] = [];
  const result = target.map((entry, axis): Dim => {
    if (entry === 0 && !allowZero) {
      rest?.splice(axis, 1, 1);
      return from?.[axis] ?? null;
    }
    const dim = typeof entry === 'number' ? toDim(entry) : entry;
    given.push(dim);
    return dim;
  });
  const holes = [...target.keys()].filter((axis) => target[axis] === null || target[axis] === -1);
  const [hole, ...others] = holes;
  if (hole === undefined || others.length > 0 || rest === undefined) return result;
  const known = given.filter((dim) => dim !== null);
  return replaceAxis(result, hole, missingFactor(rest, known));
}

/** The x of product(all) = product(known) · x. */
function missingFactor(all: Shape, known: Shape): Dim {
  const left = [...all];
  const fixed: Dim[] = [];
  for (const dim of known) {
    const same = typeof dim === 'string' ? left.indexOf(dim) : -1;
    if (same >= 0) left.splice(same, 1);
    else fixed.push(dim);
  }
  const divisor = productOf(fixed);
  const numbers = productOf(left.filter((dim) => typeof dim === 'number'));
  const others = left.filter((dim) => typeof dim !== 'number');
  if (typeof divisor !== 'number' || typeof numbers !== 'number' || divisor === 0) return null;
  if (others.length === 0) return numbers % divisor === 0 ? numbers / divisor : null;
  return others.length === 1 && numbers === divisor ? (others[0] ?? null) : null;
}

const flatten: Rule = (call) => {
  const x = input(call, 0);
  const { shape } = x;
  const given = intAttr(call.node, 'axis') ?? 1;
  const axis = given < 0 ? given + (shape?.length ?? 0) : given;
  const fits = shape !== undefined && axis >= 0 && axis <= shape.length;
  if (!fits) return [{ dtype: x.dtype, shape: [null, null] }];
  return [reshaped(x, [productOf(shape.slice(0, axis)), productOf(shape.slice(axis))])];
};

/** Axes of the input in output order; undefined when `perm` is no permutation. */
function permutationOf(node: Node, rank: number): readonly number[] | undefined {
  const perm = intsAttr(node, 'perm');
  if (perm === undefined) return Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  return perm.length === rank && axesOf(perm, rank)?.size === rank ? perm : undefined;
}

const transpose: Rule = (call) => {
  const { dtype, shape, elements } = input(call, 0);
  if (shape === undefined) return [{ dtype, shape: unknownDims(intsAttr(call.node, 'perm')?.length) }];
  const perm = permutationOf(call.node, shape.length);
  if (perm === undefined) return [{ dtype }];
  const moved = perm.map((axis) => shape[axis] ?? null);
  return [{ dtype, shape: moved, elements: elements && transposed(elements, shape, moved, perm) }];
};

function transposed(
  elements: readonly Element[],
  shape: Shape,
  moved: Shape,
  perm: readonly number[],
): readonly Element[] | undefined {
  const [from, to] = [smallDims(shape), smallDims(moved)];
  if (from === undefined || to === undefined) return undefined;
  const source = new Array<number>(from.length).fill(0);
  return generate(to, (index) => {
    perm.forEach((axis, i) => (source[axis] = index[i] ?? 0));
    return elements[positionOf(from, source)];
  });
}

/** Axes are an attribute before opset 13, then an input. */
const squeeze: Rule = (call) => {
  const x = input(call, 0);
  const axes = intList(call, 'axes', 1);
  const { shape } = x;
  if (shape === undefined) return [{ dtype: x.dtype }];
  if (axes === 'unknown') {
    const count = lengthOf(input(call, 1));
    return [{ dtype: x.dtype, shape: unknownDims(count === undefined ? undefined : shape.length - count) }];
  }
  if (axes === 'absent') {
    // Which axes go depends on every extent being known.
    const known = shape.every((dim) => typeof dim === 'number');
    return [reshaped(x, known ? shape.filter((dim) => dim !== 1) : undefined)];
  }
  const dropped = axesOf(axes, shape.length);
  return [reshaped(x, dropped && shape.filter((_, axis) => !dropped.has(axis)))];
};

const unsqueeze: Rule = (call) => {
  const x = input(call, 0);
  const axes = intList(call, 'axes', 1);
  if (x.shape === undefined || axes === 'absent') return [{ dtype: x.dtype }];
  if (axes === 'unknown') {
    const count = lengthOf(input(call, 1));
    return [{ dtype: x.dtype, shape: unknownDims(count === undefined ? undefined : x.shape.length + count) }];
  }
  const rank = x.shape.length + axes.length;
  const added = axesOf(axes, rank);
  if (added?.size !== axes.length) return [{ dtype: x.dtype }];
  const old = x.shape.values();
  const shape = Array.from({ length: rank }, (_, axis): Dim =>
    added.has(axis) ? 1 : (old.next().value ?? null),
  );
  return [reshaped(x, shape)];
};

const depthToSpace: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const block = intAttr(call.node, 'blocksize') ?? 0;
  if (shape?.length !== 4 || !(block > 0)) return [{ dtype }];
  const [n = null, c = null, h = null, w = null] = shape;
  return [{ dtype, shape: [n, divDims(c, block * block), mulDims(h, block), mulDims(w, block)] }];
};

const spaceToDepth: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const block = intAttr(call.node, 'blocksize') ?? 0;
  if (shape?.length !== 4 || !(block > 0)) return [{ dtype }];
  const [n = null, c = null, h = null, w = null] = shape;
  return [{ dtype, shape: [n, mulDims(c, block * block), divDims(h, block), divDims(w, block)] }];
};

/** Sliding blocks back to an image: [N, C·block, positions] to [N, C, image...]. */
const col2Im: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const [image, block] = [input(call, 1), input(call, 2)];
  const extents = image.elements ?? unknownDims(lengthOf(image));
  const size = block.elements === undefined ? null : productOf(block.elements);
  if (extents === undefined) return [{ dtype }];
  const channels = typeof size === 'number' ? divDims(shape?.[1] ?? null, size) : null;
  return [{ dtype, shape: [shape?.[0] ?? null, channels, ...extents] }];
};

export const LAYOUT = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Col2Im: col2Im,
  ReverseSequence: (call) => [sameType(input(call, 0))],
} as const satisfies Family;
