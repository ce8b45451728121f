/**
 * Arithmetic on elements, with broadcasting.
 *
 * Semantics: tensorflow/lite/kernels/{add,sub,mul,div,pow,floor_div,floor_mod,elementwise,right_shift}.cc and their like.
 */
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import { CREATE_RULES } from './create.js';
import { Unlowerable, type AttrValue, type Layout, type Lowering, type Rule } from './lowering.js';
import { cast, computedIn, operandsOf, refuseCodes, writeFrom, type Operands } from './operands.js';

/** One node on one input, in whatever order of axes that has. */
function unary(op: string): Rule {
  return (lowering) => {
    const layout = lowering.layoutOf(0);
    lowering.write(0, layout, op, [lowering.input(0, layout)]);
  };
}

/** Two nodes on one input, the first of which stands for the operator. */
function chain(first: string, second: string): Rule {
  return (lowering) => {
    const layout = lowering.layoutOf(0);
    lowering.write(0, layout, second, [lowering.main(first, [lowering.input(0, layout)])]);
  };
}

/** One node on two inputs of an operator without a fused activation function. */
function binary(op: string, attrs: Readonly<Record<string, AttrValue>> = {}): Rule {
  return (lowering) => {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    lowering.write(0, layout, op, inputs, attrs);
  };
}

/** Least and, where there is one, largest value; the kernels take all other fused activation functions for none. */
const FUSED_LIMITS: Readonly<Record<string, readonly number[]>> = {
  RELU: [0],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/** One node on two inputs, behind the fused activation function. */
function arithmetic(op: string): Rule {
  return (lowering) => {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    writeClamped(lowering, layout, op, inputs, lowering.dtype(0));
  };
}

/** Writes output 0, behind the fused activation function, of a node whose result has type `computed`. */
function writeClamped(
  lowering: Lowering,
  layout: Layout,
  op: string,
  inputs: readonly TensorId[],
  computed: DType,
): void {
  const limits = FUSED_LIMITS[String(lowering.op.options['fusedActivationFunction'])];
  if (limits === undefined) {
    writeFrom(lowering, computed, layout, op, inputs);
  } else if (isFloat(computed)) {
    lowering.writeActivated(0, layout, op, inputs);
  } else {
    const scalars = limits.map((limit) => cast(lowering, lowering.ints([limit], []), 'int64', computed));
    writeFrom(lowering, computed, layout, 'Clip', [lowering.main(op, inputs), ...scalars]);
  }
}

const EXTREMUM_TYPES = new Set<DType>([
  'float32',
  'float16',
  'float64',
  'int8',
  'uint8',
  'int32',
  'uint32',
  'int64',
  'uint64',
]);

/** Maximum and minimum, for which the runtime has no kernels on 16-bit integers. */
function extremum(op: string): Rule {
  return (lowering) => {
    const dtype = lowering.dtype(0);
    const computed = computedIn(dtype, EXTREMUM_TYPES);
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    const wide = inputs.map((input) => cast(lowering, input, dtype, computed));
    writeFrom(lowering, computed, layout, op, wide);
  };
}

/**
 * The operands of a division of integers as int64, in which the least number of a narrower type divided by -1 does not overflow,
 * which would end the process.
 * @throws Unlowerable for int64 itself
 */
function dividends(lowering: Lowering): Operands {
  const dtype = lowering.dtype(0);
  if (dtype === 'int64' || dtype === 'uint64') throw new Unlowerable(`its elements are ${dtype}`);
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  return { layout, inputs: inputs.map((input) => cast(lowering, input, dtype, 'int64')) };
}

/** Integers are divided towards zero. */
const div: Rule = (lowering) => {
  if (isFloat(lowering.dtype(0))) {
    arithmetic('Div')(lowering);
    return;
  }
  const { layout, inputs } = dividends(lowering);
  writeClamped(lowering, layout, 'Div', inputs, 'int64');
};

/** Towards minus infinity; of integers, what the remainder leaves is divided exactly. */
const floorDiv: Rule = (lowering) => {
  refuseCodes(lowering, [0, 1]);
  if (isFloat(lowering.dtype(0))) {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    lowering.write(0, layout, 'Floor', [lowering.main('Div', inputs)]);
    return;
  }
  const { layout, inputs } = dividends(lowering);
  const [dividend, divisor] = inputs as [TensorId, TensorId];
  const multiple = lowering.step('Sub', [dividend, lowering.step('Mod', inputs)]);
  writeFrom(lowering, 'int64', layout, 'Div', [multiple, divisor]);
};

/** The remainder has the sign of the divisor; ONNX's of floats has that of the dividend. */
const floorMod: Rule = (lowering) => {
  refuseCodes(lowering, [0, 1]);
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

const squaredDifference: Rule = (lowering) => {
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  const difference = lowering.main('Sub', inputs);
  lowering.write(0, layout, 'Mul', [difference, difference]);
};

const square: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const input = lowering.input(0, layout);
  lowering.write(0, layout, 'Mul', [input, input]);
};

/** All of one shape. ONNX's Sum is for floats only. */
const addN: Rule = (lowering) => {
  const slots = lowering.op.inputs.map((_, slot) => slot);
  const { layout, inputs } = operandsOf(lowering, slots);
  const [first, ...others] = inputs;
  const last = others.at(-1);
  if (first === undefined) throw new Unlowerable('it has no inputs');
  if (isFloat(lowering.dtype(0)) || last === undefined) {
    lowering.write(0, layout, 'Sum', inputs);
    return;
  }
  const sum = others.slice(0, -1).reduce((all, next) => lowering.step('Add', [all, next]), first);
  lowering.write(0, layout, 'Add', [sum, last]);
};

/** Angle of the point (x, y), from the arc tangent in the right half plane. */
const atan2: Rule = (lowering) => {
  if (lowering.dtype(0) !== 'float32') throw new Unlowerable(`its elements are ${lowering.dtype(0)}`);
  const { layout, inputs } = operandsOf(lowering, [0, 1]);
  const [y, x] = inputs as [TensorId, TensorId];
  const scalar = (value: number): TensorId => lowering.floats([value], []);
  const slope = lowering.main('Div', [y, lowering.step('Abs', [x])]);
  const isFlat = lowering.step('Equal', [y, scalar(0)]);
  const right = lowering.step('Where', [isFlat, scalar(0), lowering.step('Atan', [slope])]);
  const isBelow = lowering.step('Less', [y, scalar(0)]);
  const half = lowering.step('Where', [isBelow, scalar(-Math.PI), scalar(Math.PI)]);
  const isLeft = lowering.step('Less', [x, scalar(0)]);
  lowering.write(0, layout, 'Where', [isLeft, lowering.step('Sub', [half, right]), right]);
};

const BITS: Partial<Record<DType, number>> = {
  int8: 8,
  uint8: 8,
  int16: 16,
  uint16: 16,
  int32: 32,
  uint32: 32,
};

/**
 * Arithmetic shift by 0 to all bits but one, whatever the file asks for. ONNX shifts unsigned integers only: here the power of two,
 * by which the number is then divided towards minus infinity.
 */
const rightShift: Rule = (lowering) => {
  refuseCodes(lowering, [0, 1]);
  const dtype = lowering.dtype(0);
  const bits = BITS[dtype];
  if (bits === undefined) throw new Unlowerable(`its elements are ${dtype}`);
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

const bitwiseXor: Rule = (lowering) => {
  refuseCodes(lowering, [0, 1]);
  binary(lowering.dtype(0) === 'bool' ? 'Xor' : 'BitwiseXor')(lowering);
};

/** An operator of StableHLO: operands of one shape, of floats, codes being integers like any others. */
function stablehlo(rule: Rule): Rule {
  return (lowering) => {
    refuseCodes(
      lowering,
      lowering.op.inputs.map((_, slot) => slot),
    );
    rule(lowering);
  };
}

export const ELEMENTWISE_RULES: Readonly<Record<string, Rule>> = {
  ...CREATE_RULES,
  ABS: unary('Abs'),
  ADD: arithmetic('Add'),
  ADD_N: addN,
  ATAN2: atan2,
  BITWISE_XOR: bitwiseXor,
  CEIL: unary('Ceil'),
  COS: unary('Cos'),
  DIV: div,
  EXP: unary('Exp'),
  FLOOR: unary('Floor'),
  FLOOR_DIV: floorDiv,
  FLOOR_MOD: floorMod,
  LOG: unary('Log'),
  MAXIMUM: extremum('Max'),
  MINIMUM: extremum('Min'),
  MUL: arithmetic('Mul'),
  NEG: unary('Neg'),
  POW: binary('Pow'),
  RIGHT_SHIFT: rightShift,
  // Both round halves to even.
  ROUND: unary('Round'),
  RSQRT: chain('Sqrt', 'Reciprocal'),
  SIGN: unary('Sign'),
  SIN: unary('Sin'),
  SQRT: unary('Sqrt'),
  SQUARE: square,
  SQUARED_DIFFERENCE: squaredDifference,
  SUB: arithmetic('Sub'),
  STABLEHLO_ABS: stablehlo(unary('Abs')),
  STABLEHLO_ADD: stablehlo(arithmetic('Add')),
  STABLEHLO_COSINE: stablehlo(unary('Cos')),
  STABLEHLO_DIVIDE: stablehlo(div),
  STABLEHLO_EXPONENTIAL: stablehlo(unary('Exp')),
  STABLEHLO_FLOOR: stablehlo(unary('Floor')),
  STABLEHLO_LOG: stablehlo(unary('Log')),
  STABLEHLO_MAXIMUM: stablehlo(extremum('Max')),
  STABLEHLO_MINIMUM: stablehlo(extremum('Min')),
  STABLEHLO_MULTIPLY: stablehlo(arithmetic('Mul')),
  STABLEHLO_NEGATE: stablehlo(unary('Neg')),
  STABLEHLO_POWER: stablehlo(binary('Pow')),
  STABLEHLO_REMAINDER: stablehlo(binary('Mod', { fmod: 1 })),
  STABLEHLO_RSQRT: stablehlo(chain('Sqrt', 'Reciprocal')),
  STABLEHLO_SUBTRACT: stablehlo(arithmetic('Sub')),
};
