/**
 * Elementwise operators as functions of one number. Two networks may have one activation function as one operator or as five:
 * what tells them apart, or the same, is what they compute.
 */
import { toFloat32 } from '../../ir/elements.js';
import {
  floatAttr,
  intAttr,
  stringAttr,
  tensorOf,
  type ConstantData,
  type Graph,
  type Node,
} from '../../ir/graph.js';
import { constantSource } from './constant-source.js';

/** Points at which functions are compared: both sides of every corner that an activation function has. */
export const POINTS: readonly number[] = [
  -9.5, -5, -3.1, -2.9, -1.7, -1, -0.4, 0, 0.15, 0.4, 0.8, 1, 1.7, 2.9, 3.1, 5.5, 6.5, 12,
];

type Samples = readonly number[];
type Scalar = (x: number, node: Node) => number;

const sigmoid: Scalar = (x) => 1 / (1 + Math.exp(-x));
const clamp = (x: number, min: number, max: number): number => Math.min(Math.max(x, min), max);

/** Abramowitz and Stegun 7.1.26, off by 1.5e-7 at most. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const fastGelu = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

/** Operators of one operand. https://onnx.ai/onnx/operators/ */
const UNARY: Readonly<Record<string, Scalar>> = {
  Abs: Math.abs,
  Ceil: Math.ceil,
  Celu: (x, node) => {
    const alpha = floatAttr(node, 'alpha') ?? 1;
    return Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
  },
  Elu: (x, node) => (x > 0 ? x : (floatAttr(node, 'alpha') ?? 1) * Math.expm1(x)),
  Erf: erf,
  Exp: Math.exp,
  FastGelu: fastGelu,
  Floor: Math.floor,
  Gelu: (x, node) => (stringAttr(node, 'approximate') === 'tanh' ? fastGelu(x) : gelu(x)),
  HardSigmoid: (x, node) =>
    clamp((floatAttr(node, 'alpha') ?? 0.2) * x + (floatAttr(node, 'beta') ?? 0.5), 0, 1),
  HardSwish: (x) => (x * clamp(x + 3, 0, 6)) / 6,
  LeakyRelu: (x, node) => (x >= 0 ? x : (floatAttr(node, 'alpha') ?? 0.01) * x),
  Log: Math.log,
  Mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  Neg: (x) => -x,
  QuickGelu: (x, node) => x * sigmoid((floatAttr(node, 'alpha') ?? 1.702) * x, node),
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(0, x),
  Round: (x) => Math.round(x),
  Selu: (x, node) => {
    const [alpha, gamma] = [floatAttr(node, 'alpha') ?? 1.6732632, floatAttr(node, 'gamma') ?? 1.050701];
    return gamma * (x > 0 ? x : alpha * Math.expm1(x));
  },
  Sigmoid: sigmoid,
  Sign: Math.sign,
  Softplus: (x) => Math.log1p(Math.exp(x)),
  Softsign: (x) => x / (1 + Math.abs(x)),
  Sqrt: Math.sqrt,
  Swish: (x, node) => x * sigmoid((floatAttr(node, 'alpha') ?? 1) * x, node),
  Tanh: Math.tanh,
  ThresholdedRelu: (x, node) => (x > (floatAttr(node, 'alpha') ?? 1) ? x : 0),
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Min: Math.min,
  Max: Math.max,
  PRelu: (a, b) => (a >= 0 ? a : a * b),
  Sum: (a, b) => a + b,
};

/** Operators that change neither values nor their number; some change their order. */
const MOVERS: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'CastLike', 'Dropout', 'Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'],
  ...['QuantizeLinear', 'DequantizeLinear'],
]);

function isStandard({ domain }: Node): boolean {
  return domain === '' || domain === 'ai.onnx' || domain === 'com.microsoft';
}

export function isMover(node: Node): boolean {
  return isStandard(node) && MOVERS.has(node.op);
}

/** Whether each element of the result is a function of the element at the same place of the operands. */
export function isElementwise(node: Node): boolean {
  const { op } = node;
  const isKnown =
    op in UNARY || op in BINARY || op === 'Clip' || (op === 'BatchNormalization' && !isTraining(node));
  return isStandard(node) && isKnown && node.outputs.length === 1;
}

function isTraining(node: Node): boolean {
  return (intAttr(node, 'training_mode') ?? 0) !== 0;
}

/**
 * Values of the node's result for given values of its operands; a constant counts with its first element, which belongs to the
 * first channel whatever its layout. Undefined when that cannot be told.
 *
 * @param operands by slot; undefined for constants
 */
export function applied(
  graph: Graph,
  node: Node,
  operands: readonly (Samples | undefined)[],
): Samples | undefined {
  const at = (slot: number): Samples | undefined => operands[slot] ?? constantSamples(graph, node, slot);
  const x = at(0);
  if (x === undefined) return undefined;
  const unary = UNARY[node.op];
  if (unary !== undefined) return x.map((value) => unary(value, node));
  if (node.op === 'Clip') {
    const [min, max] = [
      floatAttr(node, 'min') ?? at(1)?.[0] ?? -Infinity,
      floatAttr(node, 'max') ?? at(2)?.[0] ?? Infinity,
    ];
    return x.map((value) => clamp(value, min, max));
  }
  if (node.op === 'BatchNormalization') {
    const [scale, shift, mean, variance] = [at(1)?.[0], at(2)?.[0], at(3)?.[0], at(4)?.[0]];
    if (scale === undefined || shift === undefined || mean === undefined || variance === undefined)
      return undefined;
    const factor = scale / Math.sqrt(variance + (floatAttr(node, 'epsilon') ?? 1e-5));
    return x.map((value) => (value - mean) * factor + shift);
  }
  const binary = BINARY[node.op];
  if (binary === undefined) return undefined;
  let result: Samples | undefined = x;
  for (let slot = 1; slot < node.inputs.length && result !== undefined; slot++) {
    const other = at(slot);
    result = other && result.map((value, i) => binary(value, other[i] ?? 0));
  }
  return result;
}

function constantSamples(graph: Graph, node: Node, slot: number): Samples | undefined {
  const id = node.inputs[slot] ?? undefined;
  const source = id === undefined ? undefined : constantSource(graph, id);
  const data = source === undefined ? undefined : tensorOf(graph, source).data;
  const first = data && floatsOf(data)?.[0];
  return first === undefined ? undefined : POINTS.map(() => first);
}

/** Values of a constant of numbers; undefined for types that have none. */
export function floatsOf(data: ConstantData): Float32Array | undefined {
  if (data.strings !== undefined || /^(float[48]|complex)/.test(data.dtype)) return undefined;
  return toFloat32(data);
}

/** Whether two functions are the same but for what 8 bits make of their constants. */
export function agree(a: Samples, b: Samples): boolean {
  const finite = [...a, ...b].filter((value) => Number.isFinite(value)).map(Math.abs);
  const tolerance = 0.02 * Math.min(Math.max(...finite, 0), 20) + 1e-6;
  return a.every((value, i) => {
    const other = b[i] ?? NaN;
    return Math.abs(value - other) <= tolerance || Object.is(value, other);
  });
}
