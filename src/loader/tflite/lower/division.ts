/**
 * Quotients, remainders and shifts. Those of integers are computed as int64, in which the least number of a narrower type divided
 * by -1 does not overflow: where it does, the processor ends the process.
 *
 * Semantics: tensorflow/lite/kernels/{div,floor_div,floor_mod,right_shift}.cc
 */
import { bitsPerElement } from '../../../ir/elements.js';
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import { writeClamped } from './fused-limits.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';
import { cast, operandsOf, withoutCodes, writeFrom, type Operands } from './operands.js';

/** The operands as int64. @throws Unlowerable when that is what they are */
function dividends(lowering: Lowering): Operands {
  const dtype = lowering.dtype(0);
  if (dtype === 'int64' || dtype === 'uint64') throw new Unlowerable(`its elements are ${dtype}`);
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  return { layout, inputs: inputs.map((input) => cast(lowering, input, dtype, 'int64')) };
}

/** Integers are divided towards zero. */
const div: Rule = (lowering) => {
  const dtype = lowering.dtype(0);
  const { layout, inputs } = isFloat(dtype) ? operandsOf(lowering, [0, 1]) : dividends(lowering);
  writeClamped(lowering, layout, 'Div', inputs, isFloat(dtype) ? dtype : 'int64');
};

/**
 * Towards minus infinity. The kernel divides floats as doubles, so that no quotient is rounded up to a whole number before; of
 * integers, what the remainder leaves is divided exactly.
 */
const floorDiv: Rule = (lowering) => {
  const dtype = lowering.dtype(0);
  if (isFloat(dtype)) {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    const wide = inputs.map((input) => cast(lowering, input, dtype, 'float64'));
    writeFrom(lowering, 'float64', layout, 'Floor', [lowering.main('Div', wide)]);
    return;
  }
  const { layout, inputs } = dividends(lowering);
  const [dividend, divisor] = inputs as [TensorId, TensorId];
  const multiple = lowering.step('Sub', [dividend, lowering.step('Mod', inputs)]);
  writeFrom(lowering, 'int64', layout, 'Div', [multiple, divisor]);
};

/** The remainder has the sign of the divisor; ONNX's of floats has that of the dividend. */
const floorMod: Rule = (lowering) => {
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  const [dividend, divisor] = inputs as [TensorId, TensorId];
  const dtype = lowering.dtype(0);
  if (isFloat(dtype)) {
    const remainder = lowering.main('Mod', inputs, { fmod: 1 });
    const signs = [lowering.step('Sign', [remainder]), lowering.step('Sign', [divisor])];
    const zero = cast(lowering, lowering.floats([0], []), 'float32', dtype);
    const isOther = lowering.step('Less', [lowering.step('Mul', signs), zero]);
    const moved = lowering.step('Add', [remainder, divisor]);
    lowering.write(0, layout, 'Where', [isOther, moved, remainder]);
  } else if (dtype === 'int64') {
    // The least int64 by -1 would end the process; by 1 it leaves the same: nothing.
    const isTrap = lowering.step('Equal', [divisor, lowering.ints([-1], [])]);
    const safe = lowering.step('Where', [isTrap, lowering.ints([1], []), divisor]);
    lowering.write(0, layout, 'Mod', [dividend, safe]);
  } else {
    const wide = inputs.map((input) => cast(lowering, input, dtype, 'int64'));
    writeFrom(lowering, 'int64', layout, 'Mod', wide);
  }
};

const SHIFTED: ReadonlySet<DType> = new Set(['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32']);

/**
 * Arithmetic shift by 0 to all bits but one, whatever the file asks for. ONNX shifts unsigned integers only: here the power of two,
 * by which the number is then divided towards minus infinity.
 */
const rightShift: Rule = (lowering) => {
  const dtype = lowering.dtype(0);
  const bits = bitsPerElement(dtype);
  if (!SHIFTED.has(dtype)) throw new Unlowerable(`its elements are ${dtype}`);
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  const [value, count] = inputs.map((input) => cast(lowering, input, dtype, 'int64')) as [TensorId, TensorId];
  const within = lowering.step('Clip', [count, lowering.ints([0], []), lowering.ints([bits - 1], [])]);
  const one = cast(lowering, lowering.ints([1], []), 'int64', 'uint64');
  const shifted = lowering.step('BitShift', [one, cast(lowering, within, 'int64', 'uint64')], {
    direction: 'LEFT',
  });
  const power = cast(lowering, shifted, 'uint64', 'int64');
  const multiple = lowering.step('Sub', [value, lowering.step('Mod', [value, power])]);
  writeFrom(lowering, 'int64', layout, 'Div', [multiple, power]);
};

/** C's remainder, with the sign of the dividend. */
const remainder: Rule = (lowering) => {
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  lowering.write(0, layout, 'Mod', inputs, { fmod: 1 });
};

export const DIVISION_RULES: Readonly<Record<string, Rule>> = {
  DIV: div,
  FLOOR_DIV: withoutCodes(floorDiv),
  FLOOR_MOD: withoutCodes(floorMod),
  RIGHT_SHIFT: withoutCodes(rightShift),
  STABLEHLO_DIVIDE: withoutCodes(div),
  STABLEHLO_REMAINDER: withoutCodes(remainder),
};
