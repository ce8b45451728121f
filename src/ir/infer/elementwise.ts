/** Operators that work element by element, with broadcasting where they have several operands. */
import type { DType } from '../graph.js';
import { dtypeAttr } from './datatype.js';
import { addDims, broadcast, mulDims } from './dims.js';
import { asElement, mapElements } from './elements.js';
import type { Call, Element, Family, Rule, Value } from './rule.js';
import { flag, input, sameType } from './rule.js';

/** Output like the first input. */
const unary: Rule = (call) => [sameType(input(call, 0))];

/** Output is the first input, element for element. */
const copy: Rule = (call) => [input(call, 0)];

const predicate: Rule = (call) => [{ dtype: 'bool', shape: input(call, 0).shape }];

/** A symbolic extent is a non-negative integer: functions that leave those alone keep it. */
function rounding(f: (x: number) => number): Rule {
  return (call) => {
    const x = input(call, 0);
    const elements = mapElements([x], ([element]) =>
      typeof element === 'number' ? f(element) : (element ?? null),
    );
    return [{ ...sameType(x), elements }];
  };
}

function computed(f: (x: number) => number): Rule {
  return (call) => {
    const x = input(call, 0);
    const elements = mapElements([x], ([element]) =>
      typeof element === 'number' ? asElement(f(element), x.dtype) : null,
    );
    return [{ ...sameType(x), elements }];
  };
}

function operandsOf(call: Call): readonly Value[] {
  return call.inputs.filter((operand) => operand !== undefined);
}

function dtypeOf(operands: readonly Value[]): DType | undefined {
  return operands.find((operand) => operand.dtype !== undefined)?.dtype;
}

/** Broadcast operands; the output has their common dtype. */
const variadic: Rule = (call) => {
  const operands = operandsOf(call);
  return [{ dtype: dtypeOf(operands), shape: broadcast(operands.map((operand) => operand.shape)) }];
};

/** Like `variadic`, following elements: `f` computes on numbers, `neutral` says when one operand is the result. */
function arithmetic(
  f: (a: number, b: number, dtype: DType | undefined) => number,
  neutral: (a: Element, b: Element) => Element = () => null,
): Rule {
  return (call) => {
    const operands = operandsOf(call);
    const dtype = dtypeOf(operands);
    const combine = (a: Element, b: Element): Element =>
      typeof a === 'number' && typeof b === 'number' ? asElement(f(a, b, dtype), dtype) : neutral(a, b);
    const elements = mapElements(operands, ([first = null, ...rest]) => rest.reduce(combine, first));
    return [{ dtype, shape: broadcast(operands.map((operand) => operand.shape)), elements }];
  };
}

function comparison(
  f: (a: number, b: number) => boolean,
  symbolic: (a: Element, b: Element) => Element,
): Rule {
  return (call) => {
    const operands = operandsOf(call);
    const elements = mapElements(operands, ([a = null, b = null]) =>
      typeof a === 'number' && typeof b === 'number' ? Number(f(a, b)) : symbolic(a, b),
    );
    return [{ dtype: 'bool', shape: broadcast(operands.map((operand) => operand.shape)), elements }];
  };
}

const unordered = (): Element => null;

/** An extent equals itself and no negative number: exporters compare shapes with -1. */
function equalSymbols(a: Element, b: Element): Element {
  if (typeof a === 'string' && a === b) return 1;
  const negative = (typeof a === 'number' && a < 0) || (typeof b === 'number' && b < 0);
  return negative && a !== null && b !== null ? 0 : null;
}

/** The output has the dtype of the first input alone: exponents and shifts may differ. */
const likeFirst: Rule = (call) => [
  { dtype: input(call, 0).dtype, shape: broadcast([input(call, 0).shape, input(call, 1).shape]) },
];

/** Integer division truncates; 0 as divisor gives what no dtype holds. */
function divide(a: number, b: number, dtype: DType | undefined): number {
  const quotient = a / b;
  return dtype === 'int64' || dtype === 'int32' ? Math.trunc(quotient) : quotient;
}

/** The remainder has the sign of the divisor. */
function floorModulo(a: number, b: number): number {
  return a - b * Math.floor(a / b);
}

const where: Rule = (call) => {
  const [condition, a, b] = [input(call, 0), input(call, 1), input(call, 2)];
  const elements = mapElements([condition, a, b], ([chosen = null, x = null, y = null]) => {
    if (chosen === null) return x === y ? x : null;
    return chosen === 0 ? y : x;
  });
  return [{ dtype: a.dtype ?? b.dtype, shape: broadcast([condition.shape, a.shape, b.shape]), elements }];
};

function cast(x: Value, to: DType | undefined): Value {
  const elements = mapElements([x], ([element = null]) => {
    if (typeof element === 'number') return asElement(isInteger(to) ? Math.trunc(element) : element, to);
    return isInteger(to) || to === 'float32' || to === 'float64' ? element : null;
  });
  return { dtype: to, shape: x.shape, elements };
}

function isInteger(dtype: DType | undefined): boolean {
  return dtype === 'int64' || dtype === 'int32';
}

/** max(extent, x) for x <= 0 is the extent; an extent compared with itself is itself. */
function largest(a: Element, b: Element): Element {
  if (typeof a === 'string' && (a === b || (typeof b === 'number' && b <= 0))) return a;
  return typeof b === 'string' && typeof a === 'number' && a <= 0 ? b : null;
}

function smallest(a: Element, b: Element): Element {
  return a === b ? a : null;
}

function difference(a: Element, b: Element): Element {
  if (b === 0) return a;
  return a !== null && a === b ? 0 : null;
}

export const ELEMENTWISE = {
  Identity: copy,
  Abs: computed(Math.abs),
  Acos: unary,
  Acosh: unary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  BitwiseNot: unary,
  Ceil: rounding(Math.ceil),
  Celu: unary,
  Clip: unary,
  Cos: unary,
  Cosh: unary,
  Elu: unary,
  Erf: unary,
  Exp: unary,
  Floor: rounding(Math.floor),
  Gelu: unary,
  HardSigmoid: unary,
  HardSwish: unary,
  IsInf: predicate,
  IsNaN: predicate,
  LeakyRelu: unary,
  Log: unary,
  Mish: unary,
  Neg: computed((x) => -x),
  Not: computed((x) => 1 - x),
  PRelu: unary,
  Reciprocal: unary,
  RegexFullMatch: predicate,
  Relu: unary,
  Round: rounding(roundHalfEven),
  Selu: unary,
  Shrink: unary,
  Sigmoid: unary,
  Sign: unary,
  Sin: unary,
  Sinh: unary,
  Softplus: unary,
  Softsign: unary,
  Sqrt: unary,
  Swish: unary,
  Tan: unary,
  Tanh: unary,
  ThresholdedRelu: unary,

  Add: arithmetic((a, b) => a + b, addDims),
  Sub: arithmetic((a, b) => a - b, difference),
  Mul: arithmetic((a, b) => a * b, mulDims),
  Div: arithmetic(divide, (a, b) => (b === 1 ? a : null)),
  Mod: (call) => arithmetic(flag(call.node, 'fmod') ? (a, b) => a % b : floorModulo)(call),
  Max: arithmetic((a, b) => Math.max(a, b), largest),
  Min: arithmetic((a, b) => Math.min(a, b), smallest),
  Sum: variadic,
  Mean: variadic,
  BitwiseAnd: variadic,
  BitwiseOr: variadic,
  BitwiseXor: variadic,
  StringConcat: variadic,
  BitShift: likeFirst,
  Pow: likeFirst,

  And: comparison((a, b) => a !== 0 && b !== 0, unordered),
  Or: comparison((a, b) => a !== 0 || b !== 0, unordered),
  Xor: comparison((a, b) => a !== b, unordered),
  Equal: comparison((a, b) => a === b, equalSymbols),
  Greater: comparison((a, b) => a > b, unordered),
  GreaterOrEqual: comparison((a, b) => a >= b, unordered),
  Less: comparison((a, b) => a < b, unordered),
  LessOrEqual: comparison((a, b) => a <= b, unordered),

  Where: where,
  Cast: (call) => [cast(input(call, 0), dtypeAttr(call.node, 'to'))],
  CastLike: (call) => [cast(input(call, 0), input(call, 1).dtype)],
} as const satisfies Family;

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
