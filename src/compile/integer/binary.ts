/** Kernels of operators on two tensors: tables for pairs of 8-bit codes, arithmetic on whole tensors for 16 bits. */
import { tensorOf } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import {
  mayWrap,
  preluOf,
  preluScales,
  productOf,
  productScale,
  quotientOf,
  squaredDifferenceOf,
  sumOf,
  sumScaling,
  type InputRounding,
  type PairSpec,
} from './arithmetic.js';
import { Doubles, scalar } from './doubles.js';
import type { QuantizedMultiplier } from './fixed-point.js';
import { activationRange } from './fused-activation.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { binaryOf, codesOf } from './operands.js';
import { PORTABLE, requantize } from './requantize.js';
import { quotient16 } from './quotient16.js';
import { lookUpPair } from './tables.js';
import { inVectors, pairWalk, type VectorLoop } from './vector-loop.js';

type Operands = { readonly a: Operand; readonly b: Operand; readonly output: Operand };
type Compute = (call: OperatorCall, operands: Operands, spec: PairSpec) => Value | undefined;

function kernel(compute: Compute): IntegerKernel {
  return (call) => {
    const operands = binaryOf(call);
    if (operands === undefined) return undefined;
    const { a, b, output } = operands;
    const spec: PairSpec = { a, b, output, range: activationRange(call, output) };
    return codesOf(output, compute(call, operands, spec));
  };
}

const isWide = ({ dtype }: Operand): boolean => dtype === 'int16';

/** Extents of an operand in the order that the file's output has: only copies of activations say theirs. */
function extentsLike(call: OperatorCall, operand: Operand, output: Operand): readonly number[] {
  const { graph } = call;
  const axes = tensorOf(graph, output.tensor).fileAxes;
  const shape = tensorOf(graph, operand.tensor).shape ?? [];
  const extents = shape.map((extent) => (typeof extent === 'number' ? extent : NaN));
  return axes === undefined || axes.length !== extents.length
    ? extents
    : axes.map((axis) => extents[axis] ?? NaN);
}

/** How ADD rounds its inputs in vectors, and the loop that these are of; undefined where it has none. */
function vectorsOfSum(
  call: OperatorCall,
  { a, b, output }: Operands,
): { readonly rounding: InputRounding; readonly loop: VectorLoop } | undefined {
  const [first, second] = [extentsLike(call, a, output), extentsLike(call, b, output)];
  const walk = pairWalk(first, second);
  const isBroadcast = first.join() !== second.join();
  if (walk === undefined || (isWide(output) && isBroadcast)) return undefined;
  const once = output.dtype !== 'uint8' && walk.kind === 'pairs';
  const width = once ? 16 : 8;
  if (walk.length < width) return undefined;
  return { rounding: once ? 'once' : 'down', loop: { length: walk.length, width } };
}

/**
 * ADD (`sign` 1) and SUB (-1), which has no vector code. The few elements behind the last vector are rounded as those in vectors: it
 * matters in one of a million sums. Where sums wrap around in vectors alone it matters in all of them.
 */
function sum(sign: 1 | -1): IntegerKernel {
  return kernel((call, operands, spec) => {
    const { a, b, output } = operands;
    const vectors = sign === 1 ? vectorsOfSum(call, operands) : undefined;
    const rounding = vectors?.rounding ?? 'twice';
    if (!isWide(output)) {
      const lookedUp = (by: InputRounding): Value | undefined =>
        lookUpPair(call, a, b, sumOf, { ...spec, sign, rounding: by });
      if (vectors === undefined || !mayWrap(spec)) return lookedUp(rounding);
      const where = inVectors(call, output.tensor, vectors.loop);
      if (where === 'all' || where === 'none') return lookedUp(where === 'all' ? rounding : 'twice');
      const [inside, behind] = [lookedUp(rounding), lookedUp('twice')];
      if (inside === undefined || behind === undefined) return undefined;
      return call.writer.op('Where', [where, inside, behind]);
    }
    const { shift, ...by } = sumScaling(spec);
    const doubles = new Doubles(call.writer);
    const x = scaledInput(doubles, call.centered(a.tensor), shift, by.a, rounding);
    const y = scaledInput(doubles, call.centered(b.tensor), shift, by.b, rounding);
    const value = call.writer.op(sign === 1 ? 'Add' : 'Sub', [x, y]);
    return requantize(call.writer, { value, bound: 2 ** 31 }, scalar(realOf(by.output)), PORTABLE, {
      zeroPoint: output.zeroPoint,
      range: spec.range,
    });
  });
}

function realOf({ multiplier, shift }: QuantizedMultiplier): number {
  return multiplier * 2 ** (shift - 31);
}

/** 16-bit codes minus zero point at the common scale, as float64: `scaledInput` of arithmetic.ts on whole tensors. */
function scaledInput(
  doubles: Doubles,
  centered: Value,
  shift: number,
  { multiplier, shift: right }: QuantizedMultiplier,
  rounding: InputRounding,
): Value {
  const x = doubles.of(centered);
  // 17 bits times 31 are exact.
  const highProduct = (value: Value, factor: number): Value =>
    doubles.floor(doubles.plus(doubles.times(value, scalar(factor * 2 ** -31)), scalar(0.5)));
  if (rounding === 'once') {
    const moved = doubles.times(x, scalar(2 ** (shift + right)));
    return highProduct(shift + right < 0 ? doubles.floor(moved) : moved, multiplier);
  }
  const high = doubles.times(highProduct(x, multiplier * 2 ** shift), scalar(2 ** right));
  return rounding === 'down' ? doubles.floor(high) : doubles.round(high);
}

/** MUL. */
const mul: IntegerKernel = kernel((call, { a, b, output }, spec) => {
  if (!isWide(output)) return lookUpPair(call, a, b, productOf, spec);
  const doubles = new Doubles(call.writer);
  const product = call.writer.op('Mul', [
    doubles.of(call.centered(a.tensor)),
    doubles.of(call.centered(b.tensor)),
  ]);
  const bound = reachOf(a) * reachOf(b);
  return requantize(call.writer, { value: product, bound }, scalar(realOf(productScale(spec))), PORTABLE, {
    zeroPoint: output.zeroPoint,
    range: spec.range,
  });
});

/** No code minus zero point is larger. */
function reachOf({ zeroPoint, lowest, highest }: Operand): number {
  return Math.max(highest - zeroPoint, zeroPoint - lowest);
}

const div: IntegerKernel = kernel((call, { a, b, output }, spec) =>
  isWide(output) ? quotient16(call, a, b, output, spec) : lookUpPair(call, a, b, quotientOf, spec),
);

/** There is none for more than 8 bits. */
const squaredDifference: IntegerKernel = kernel((call, { a, b }, spec) =>
  lookUpPair(call, a, b, squaredDifferenceOf, spec),
);

/** PRELU. Slopes of 16-bit inputs have 8 bits. */
const prelu: IntegerKernel = kernel((call, { a, b, output }, spec) => {
  const { writer } = call;
  if (!isWide(output)) return lookUpPair(call, a, b, preluOf, spec);
  if (b.dtype !== 'int8') return undefined;
  const doubles = new Doubles(writer);
  const x = doubles.of(call.centered(a.tensor));
  const product = writer.op('Mul', [x, doubles.of(call.centered(b.tensor))]);
  const codes = { zeroPoint: output.zeroPoint, range: spec.range };
  const { identity, slope } = preluScales(spec);
  const above = requantize(
    writer,
    { value: x, bound: reachOf(a) },
    scalar(realOf(identity)),
    PORTABLE,
    codes,
  );
  const bound = reachOf(a) * reachOf(b);
  const below = requantize(writer, { value: product, bound }, scalar(realOf(slope)), PORTABLE, codes);
  if (above === undefined || below === undefined) return undefined;
  const isBelow = writer.op('Less', [x, writer.literal('float64', [0], [])]);
  return writer.op('Where', [isBelow, below, above]);
});

export const BINARY_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  ADD: sum(1),
  DIV: div,
  MUL: mul,
  PRELU: prelu,
  SQUARED_DIFFERENCE: squaredDifference,
  SUB: sum(-1),
};
