/** Tensors made from extents and scalars. */
import { elementCount } from '../../../ir/elements.js';
import { isFloat, type TensorId } from '../../../ir/graph.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';
import { cast } from './operands.js';

const fill: Rule = (lowering) => {
  const dims =
    lowering.constant(0) === undefined
      ? cast(lowering, lowering.input(0, 'file'), lowering.dtype(0), 'int64')
      : lowering.ints(lowering.integers(0));
  lowering.write(0, 'file', 'Expand', [lowering.input(1, 'file'), dims]);
};

const zerosLike: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const zero = cast(lowering, lowering.floats([0], []), 'float32', lowering.outputDtype());
  lowering.write(0, layout, 'Expand', [zero, lowering.step('Shape', [lowering.input(0, layout)])]);
};

/** Elements of a range of floats that are stored with the graph. */
const LONGEST_STORED = 2 ** 20;

/**
 * start, start + delta, ... before limit. The kernel adds up, and so rounds at every element; ONNX multiplies: constant floats are
 * therefore added up here.
 */
const range: Rule = (lowering) => {
  const scalars = [0, 1, 2].map((slot) => {
    if (elementCount(lowering.shape(slot)) !== 1) throw new Unlowerable(`its input ${slot} is no scalar`);
    return lowering.shape(slot).length === 0
      ? lowering.input(slot, 'file')
      : lowering.step('Reshape', [lowering.input(slot, 'file'), lowering.ints([])]);
  });
  if (isFloat(lowering.outputDtype()) && [0, 1, 2].every((slot) => lowering.constant(slot) !== undefined)) {
    lowering.write(0, 'file', 'Identity', [sums(lowering)]);
  } else {
    lowering.write(0, 'file', 'Range', scalars);
  }
};

function sums(lowering: Lowering): TensorId {
  const [start = 0, limit = 0, delta = 0] = [0, 1, 2].flatMap((slot) => lowering.numbers(slot));
  const count = Math.ceil(Math.abs(Math.fround(Math.fround(limit - start) / delta)));
  if (!(count <= LONGEST_STORED) || Math.sign(limit - start) !== Math.sign(delta)) {
    throw new Unlowerable(`a range from ${start} to ${limit} by ${delta}`);
  }
  const values: number[] = [];
  for (let value = start; values.length < count; value = Math.fround(value + delta)) values.push(value);
  return lowering.floats(values);
}

export const CREATE_RULES: Readonly<Record<string, Rule>> = {
  FILL: fill,
  RANGE: range,
  ZEROS_LIKE: zerosLike,
};
