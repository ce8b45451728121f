/** Tensors made from extents and scalars. */
import { elementCount } from '../../../ir/elements.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';
import { cast } from './operands.js';

/** Extents that the network computes are taken as they come. */
const fill: Rule = (lowering) => {
  const dims =
    lowering.constant(0) === undefined
      ? cast(lowering, lowering.input(0, 'file'), lowering.dtype(0), 'int64')
      : lowering.ints(stated(lowering, lowering.integers(0)));
  lowering.write(0, 'file', 'Expand', [lowering.input(1, 'file'), dims]);
};

/** @throws Unlowerable for extents that are not those of the output in the file, which may ask for any amount of memory */
function stated(lowering: Lowering, dims: readonly number[]): readonly number[] {
  const own = lowering.outputShape();
  if (dims.join() !== own.join()) {
    throw new Unlowerable(`its output is [${dims.join(', ')}], and [${own.join(', ')}] in the file`);
  }
  return dims;
}

const zerosLike: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const zero = cast(lowering, lowering.floats([0], []), 'float32', lowering.outputDtype());
  lowering.write(0, layout, 'Expand', [zero, lowering.step('Shape', [lowering.input(0, layout)])]);
};

/**
 * start, start + delta, ... before limit. The kernel adds up, and so rounds at every element; ONNX multiplies: constant floats are
 * therefore added up here.
 */
const range: Rule = (lowering) => {
  const slots = [0, 1, 2];
  const scalars = slots.map((slot) => {
    if (elementCount(lowering.shape(slot)) !== 1) throw new Unlowerable(`its input ${slot} is no scalar`);
    const input = lowering.input(slot, 'file');
    return lowering.shape(slot).length === 0 ? input : lowering.step('Reshape', [input, lowering.ints([])]);
  });
  if (slots.some((slot) => lowering.constant(slot) === undefined)) {
    lowering.write(0, 'file', 'Range', scalars);
    return;
  }
  const [start = 0, limit = 0, delta = 0] = slots.flatMap((slot) => lowering.numbers(slot));
  const isSingle = lowering.outputDtype() === 'float32';
  const steps = (limit - start) / delta;
  const count = Math.max(0, Math.ceil(isSingle ? Math.fround(Math.fround(limit - start) / delta) : steps));
  stated(lowering, [count]);
  if (!isSingle) lowering.write(0, 'file', 'Range', scalars);
  else if (count > LONGEST_STORED) throw new Unlowerable(`a range of ${count} floats`);
  else lowering.write(0, 'file', 'Identity', [lowering.floats(added(start, delta, count))]);
};

/** Elements of a range of floats that are stored with the graph. */
const LONGEST_STORED = 2 ** 20;

function added(start: number, delta: number, count: number): readonly number[] {
  const values: number[] = [];
  for (let value = start; values.length < count; value = Math.fround(value + delta)) values.push(value);
  return values;
}

export const CREATE_RULES: Readonly<Record<string, Rule>> = {
  FILL: fill,
  RANGE: range,
  ZEROS_LIKE: zerosLike,
};
