/** Operators that make a tensor from an extent, a shape or a few settings. */
import type { DType, Shape } from '../graph.js';
import { intAttr, intsAttr } from '../graph.js';
import { readElements } from './constants.js';
import { dtypeAttr } from './datatype.js';
import { productOf, toDim } from './dims.js';
import { asDims, asElement, MAX_ELEMENTS, smallDims } from './elements.js';
import type { Element, Family, Rule, Value } from './rule.js';
import { input, lengthOf, scalarOf, unknownDims } from './rule.js';

const constant: Rule = ({ node }) => {
  for (const [name, attr] of node.attrs) {
    if (!name.startsWith('value')) continue;
    switch (attr.type) {
      case 'tensor':
        return [{ dtype: attr.value.dtype, shape: attr.value.dims, elements: readElements(attr.value) }];
      case 'int':
        return [{ dtype: 'int64', shape: [], elements: [Number(attr.value)] }];
      case 'ints':
        return [listed('int64', attr.value.map(Number))];
      case 'float':
        return [{ dtype: 'float32', shape: [], elements: [attr.value] }];
      case 'floats':
        return [listed('float32', attr.value)];
      case 'string':
        return [{ dtype: 'string', shape: [] }];
      case 'strings':
        return [{ dtype: 'string', shape: [attr.value.length] }];
      default:
        return [];
    }
  }
  return [];
};

function listed(dtype: DType, values: readonly number[]): Value {
  return { dtype, shape: [values.length], elements: values.length <= MAX_ELEMENTS ? values : undefined };
}

/** `start` and `end` from opset 15; out of range they are clamped. */
const shape: Rule = (call) => {
  const dims = input(call, 0).shape;
  if (dims === undefined) return [{ dtype: 'int64', shape: [null] }];
  const part = dims.slice(intAttr(call.node, 'start') ?? 0, intAttr(call.node, 'end') ?? dims.length);
  return [{ dtype: 'int64', shape: [part.length], elements: part }];
};

const size: Rule = (call) => {
  const dims = input(call, 0).shape;
  return [{ dtype: 'int64', shape: [], elements: dims && [productOf(dims)] }];
};

/** A shape that an input holds. */
function shapeInput(value: Value): Shape | undefined {
  return value.elements ? asDims(value.elements) : unknownDims(lengthOf(value));
}

const constantOfShape: Rule = (call) => {
  const attr = call.node.attrs.get('value');
  const fill = attr?.type === 'tensor' ? attr.value : undefined;
  const dtype = fill?.dtype ?? 'float32';
  const dims = shapeInput(input(call, 0));
  const element = fill === undefined ? 0 : readElements(fill)?.[0];
  const small = smallDims(dims);
  const count = small?.reduce((product, dim) => product * dim, 1);
  const elements =
    element === undefined || count === undefined ? undefined : new Array<Element>(count).fill(element);
  return [{ dtype, shape: dims, elements }];
};

const range: Rule = (call) => {
  const [start, limit, delta] = [input(call, 0), input(call, 1), input(call, 2)];
  const dtype = start.dtype ?? limit.dtype ?? delta.dtype;
  const [from, to, by] = [scalarOf(start), scalarOf(limit), scalarOf(delta)];
  if (from === 0 && by === 1) {
    const end = limit.elements?.[0];
    if (typeof end === 'string') return [{ dtype, shape: [end] }];
  }
  if (from === undefined || to === undefined || by === undefined) return [{ dtype, shape: [null] }];
  const count = toDim(Math.max(Math.ceil((to - from) / by), 0));
  if (typeof count !== 'number' || count > MAX_ELEMENTS) return [{ dtype, shape: [count] }];
  const elements = Array.from({ length: count }, (_, i) => asElement(from + i * by, dtype));
  return [{ dtype, shape: [count], elements }];
};

/** The depth is inserted at `axis` of the indices, last by default. */
const oneHot: Rule = (call) => {
  const { dtype } = input(call, 2);
  const indices = input(call, 0).shape;
  if (indices === undefined) return [{ dtype }];
  const depth = asDims(input(call, 1).elements ?? [])[0] ?? null;
  const given = intAttr(call.node, 'axis') ?? -1;
  const axis = given < 0 ? given + indices.length + 1 : given;
  if (axis < 0 || axis > indices.length) return [{ dtype }];
  return [{ dtype, shape: indices.toSpliced(axis, 0, depth) }];
};

/** Positions of the elements that are not 0, one column each. */
const nonZero: Rule = (call) => [{ dtype: 'int64', shape: [input(call, 0).shape?.length ?? null, null] }];

const like: Rule = (call) => [
  { dtype: dtypeAttr(call.node, 'dtype') ?? input(call, 0).dtype, shape: input(call, 0).shape },
];

const random: Rule = (call) => [
  {
    dtype: dtypeAttr(call.node, 'dtype') ?? 'float32',
    shape: asDims(intsAttr(call.node, 'shape') ?? []),
  },
];

const multinomial: Rule = (call) => [
  {
    dtype: dtypeAttr(call.node, 'dtype') ?? 'int32',
    shape: [input(call, 0).shape?.[0] ?? null, toDim(intAttr(call.node, 'sample_size') ?? 1)],
  },
];

export const CREATE = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shape,
  Size: size,
  Range: range,
  OneHot: oneHot,
  NonZero: nonZero,
  /** [selected, (batch, class, box)]. */
  NonMaxSuppression: () => [{ dtype: 'int64', shape: [null, 3] }],
  EyeLike: like,
  Bernoulli: like,
  RandomNormalLike: like,
  RandomUniformLike: like,
  RandomNormal: random,
  RandomUniform: random,
  Multinomial: multinomial,
} as const satisfies Family;
