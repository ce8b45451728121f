/**
 * Arithmetic on elements, with broadcasting.
 *
 * Semantics: tensorflow/lite/kernels/{add,sub,mul,maximum_minimum,pow,squared_difference,elementwise,atan2}.cc and their like.
 */
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import { CREATE_RULES } from './create.js';
import { DIVISION_RULES } from './division.js';
import { writeClamped } from './fused-limits.js';
import { Unlowerable, type Rule } from './lowering.js';
import { cast, computedIn, operandsOf, withoutCodes, writeFrom } from './operands.js';

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
function binary(op: string): Rule {
  return (lowering) => {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    lowering.write(0, layout, op, inputs);
  };
}

/** One node on two inputs, behind the fused activation function. */
function arithmetic(op: string): Rule {
  return (lowering) => {
    const { layout, inputs } = operandsOf(lowering, [0, 1]);
    writeClamped(lowering, layout, op, inputs, lowering.dtype(0));
  };
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

export const ELEMENTWISE_RULES: Readonly<Record<string, Rule>> = {
  ...CREATE_RULES,
  ...DIVISION_RULES,
  ABS: unary('Abs'),
  ADD: arithmetic('Add'),
  ADD_N: addN,
  ATAN2: atan2,
  BITWISE_XOR: withoutCodes(binary('BitwiseXor')),
  CEIL: unary('Ceil'),
  COS: unary('Cos'),
  EXP: unary('Exp'),
  FLOOR: unary('Floor'),
  LOG: unary('Log'),
  MAXIMUM: extremum('Max'),
  MINIMUM: extremum('Min'),
  MUL: arithmetic('Mul'),
  NEG: unary('Neg'),
  POW: binary('Pow'),
  // Both round halves to even.
  ROUND: unary('Round'),
  RSQRT: chain('Sqrt', 'Reciprocal'),
  SIGN: unary('Sign'),
  SIN: unary('Sin'),
  SQRT: unary('Sqrt'),
  SQUARE: square,
  SQUARED_DIFFERENCE: squaredDifference,
  SUB: arithmetic('Sub'),
  // Operands of one shape; codes are integers like any others.
  STABLEHLO_ABS: withoutCodes(unary('Abs')),
  STABLEHLO_ADD: withoutCodes(arithmetic('Add')),
  STABLEHLO_COSINE: withoutCodes(unary('Cos')),
  STABLEHLO_EXPONENTIAL: withoutCodes(unary('Exp')),
  STABLEHLO_FLOOR: withoutCodes(unary('Floor')),
  STABLEHLO_LOG: withoutCodes(unary('Log')),
  STABLEHLO_MAXIMUM: withoutCodes(extremum('Max')),
  STABLEHLO_MINIMUM: withoutCodes(extremum('Min')),
  STABLEHLO_MULTIPLY: withoutCodes(arithmetic('Mul')),
  STABLEHLO_NEGATE: withoutCodes(unary('Neg')),
  STABLEHLO_POWER: withoutCodes(binary('Pow')),
  STABLEHLO_RSQRT: withoutCodes(chain('Sqrt', 'Reciprocal')),
  STABLEHLO_SUBTRACT: withoutCodes(arithmetic('Sub')),
};
