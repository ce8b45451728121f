/** One tensor seen in the order of elements of another: two networks need not agree on where the channels are. */

/**
 * Reshape to `dims`, transpose (dimension i of the result is dimension perm[i]), then reshape to the dims that are wanted.
 * A tensor whose elements lie in the same order needs no view, whatever its dims.
 */
export interface View {
  readonly dims: readonly number[];
  readonly perm: readonly number[];
}

/** Elements of a tensor, row-major, in the order of the view. @throws RangeError when they do not fill its dims */
export function viewed<T extends Float32Array | Float64Array>(values: T, { dims, perm }: View): T {
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (count !== values.length) throw new RangeError(`${values.length} values do not fill ${dims.join('x')}`);
  const result = values.slice() as T;
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((product, dim) => product * dim, 1));
  const extents = perm.map((axis) => dims[axis] as number);
  const steps = perm.map((axis) => strides[axis] as number);
  const index = perm.map(() => 0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    result[to] = values[from] as number;
    for (let axis = perm.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      const at = (index[axis] as number) + 1;
      if (at < (extents[axis] as number)) {
        index[axis] = at;
        break;
      }
      from -= (steps[axis] as number) * at;
      index[axis] = 0;
    }
  }
  return result;
}

/** The view that undoes one. */
export function inverse({ dims, perm }: View): View {
  return {
    dims: perm.map((axis) => dims[axis] as number),
    perm: dims.map((_, axis) => perm.indexOf(axis)),
  };
}
