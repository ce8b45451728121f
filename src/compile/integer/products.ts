/**
 * Sums of products of codes, exact: in float32 where no sum can leave 2^24, whatever the order of adding; else in parts that do
 * not, or in float64 where the runtime has it.
 */
import { toFloat32 } from '../../ir/elements.js';
import type { ConstantData, Node } from '../../ir/graph.js';
import { QRANGE, type QuantParams } from '../../ir/lane.js';
import { axisLayout } from '../../quant/affine.js';
import type { Value } from '../model-writer.js';
import { constantOf, Derived } from './constant-codes.js';
import { Doubles, scalar } from './doubles.js';
import type { OperatorCall } from './kernel.js';
import type { Sums } from './requantize.js';

/** Beyond, float32 skips integers. */
const EXACT32 = 2 ** 24;

type Range = readonly [lowest: number, highest: number];

/** Codes minus zero point of an activation, as float32. */
export interface Centered {
  readonly value: Value;
  /** Limits of the elements, with 0, which padding is. */
  readonly range: Range;
}

/** Integers, one per output channel. */
export type Bias = Float64Array;

/** A node that sums products of its inputs 0 and 1, and adds input 2 to them. */
export interface Product {
  readonly call: OperatorCall;
  readonly main: Node;
  readonly bias: Bias | undefined;
}

export function centeredRange({ dtype, zeroPoint }: QuantParams): Range {
  const [lowest, highest] = QRANGE[dtype];
  const [point = 0] = zeroPoint;
  return [Math.min(0, lowest - point), Math.max(0, highest - point)];
}

/**
 * Conv or ConvTranspose with constant weights, their output channels along `axis`. The runtime convolves in float32 only, so what
 * does not fit there is split: activations into bytes, weights into digits. Undefined where no split helps.
 */
export function convolved(
  { call, main, bias }: Product,
  x: Centered,
  weights: ConstantData,
  axis: number,
): Sums | undefined {
  const doubles = new Doubles(call.writer);
  const bound = boundOf(weights, axis, x.range, bias);
  if (bound < EXACT32) {
    const single = singly(call, main, x.value, weights, bias);
    return { value: doubles.of(single), single, bound };
  }
  const activations = x.range[1] - x.range[0] < 512 ? [{ ...x, unit: 1 }] : bytesOf(call, x);
  const fits = (digit: ConstantData): boolean =>
    activations.every(({ range }) => boundOf(digit, axis, range, undefined) < EXACT32);
  const split = SPLITS.find((candidate) => digitsOf.of(weights, candidate).every(fits));
  if (split === undefined) return undefined;
  const terms = activations.flatMap(({ value, unit }) =>
    digitsOf.of(weights, split).map((digit, i) => {
      const sums = singly(call, main, value, digit, undefined);
      return doubles.times(doubles.of(sums), scalar(unit * split.radix ** i));
    }),
  );
  const sum = terms.reduce((total, term) => doubles.sum(total, term));
  // One number per channel, over [N, C, spatial...].
  const spatial = Array<number>(weights.dims.length - 2).fill(1);
  return { value: withBias(doubles, sum, bias, spatial), bound };
}

/** MatMul or Gemm whose products have `depth` terms; `weights` are input 1 where that is a constant. */
export function multiplied(
  { call, main, bias }: Product,
  x: Centered,
  y: Centered,
  depth: number,
  weights?: { readonly data: ConstantData; readonly axis: number },
): Sums | undefined {
  const doubles = new Doubles(call.writer);
  const largest = (range: Range): number => Math.max(-range[0], range[1]);
  const bound =
    weights === undefined
      ? depth * largest(x.range) * largest(y.range) + largestOf(bias)
      : boundOf(weights.data, weights.axis, x.range, bias);
  const isSmall = bound < EXACT32;
  const [a, b] = isSmall ? [x.value, y.value] : [doubles.of(x.value), doubles.of(y.value)];
  const [product] = call.apply(main, main.inputs.length > 2 ? [a, b, null] : [a, b]);
  if (product === undefined) return undefined;
  if (!isSmall) return { value: withBias(doubles, product, bias, []), bound };
  const single =
    bias === undefined
      ? product
      : call.writer.op('Add', [product, call.writer.literal('float32', bias, [bias.length])]);
  return { value: withBias(doubles, doubles.of(product), bias, []), single, bound };
}

function singly(
  call: OperatorCall,
  main: Node,
  x: Value,
  weights: ConstantData,
  bias: Bias | undefined,
): Value {
  const added = bias === undefined ? null : call.writer.literal('float32', bias, [bias.length]);
  const [sums] = call.apply(main, [x, call.writer.constant(weights), added]);
  if (sums === undefined) throw new RangeError(`node ${main.id} writes nothing`);
  return sums;
}

function withBias(doubles: Doubles, sums: Value, bias: Bias | undefined, behind: readonly number[]): Value {
  if (bias === undefined) return sums;
  return doubles.plus(sums, { values: Array.from(bias), dims: [bias.length, ...behind] });
}

function largestOf(bias: Bias | undefined): number {
  return bias?.reduce((most, value) => Math.max(most, Math.abs(value)), 0) ?? 0;
}

/** Largest magnitude of any sum of some of the products in one output, bias included. */
function boundOf(
  weights: ConstantData,
  axis: number,
  [lowest, highest]: Range,
  bias: Bias | undefined,
): number {
  const values = toFloat32(weights);
  const { outer, channels, inner } = axisLayout(values.length, weights.dims, axis);
  const below = new Float64Array(channels);
  const above = new Float64Array(channels);
  for (let o = 0, i = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = i + inner; i < end; i++) {
        const weight = values[i]!;
        below[c]! += weight * (weight > 0 ? lowest : highest);
        above[c]! += weight * (weight > 0 ? highest : lowest);
      }
    }
  }
  return above.reduce(
    (most, sum, c) => Math.max(most, Math.max(sum, -below[c]!) + Math.abs(bias?.[c] ?? 0)),
    0,
  );
}

/** 16-bit codes as 256 · high + low. */
function bytesOf({ writer }: OperatorCall, { value, range }: Centered): (Centered & { unit: number })[] {
  const literal = (number: number): Value => writer.literal('float32', [number], []);
  const high = writer.op('Floor', [writer.op('Mul', [value, literal(2 ** -8)])]);
  const low = writer.op('Sub', [value, writer.op('Mul', [high, literal(256)])]);
  const highRange: Range = [Math.floor(range[0] / 256), Math.floor(range[1] / 256)];
  return [
    { value: high, range: highRange, unit: 256 },
    { value: low, range: [0, 255], unit: 1 },
  ];
}

interface Split {
  readonly count: number;
  readonly radix: number;
}

/** Of 8 bits; the last digit takes what is above them. */
const SPLITS: readonly Split[] = [
  { count: 1, radix: 256 },
  { count: 2, radix: 16 },
  { count: 4, radix: 4 },
];

/** Digits of integers, the lowest first, around 0. */
const digitsOf = new Derived((weights: ConstantData, { count, radix }: Split): readonly ConstantData[] => {
  if (count === 1) return [weights];
  let rest = Float32Array.from(toFloat32(weights));
  const digits: ConstantData[] = [];
  for (let i = 1; i < count; i++) {
    const upper = rest.map((value) => Math.floor((value + radix / 2) / radix));
    digits.push(
      constantOf(
        'float32',
        rest.map((value, j) => value - radix * upper[j]!),
        weights.dims,
      ),
    );
    rest = upper;
  }
  return [...digits, constantOf('float32', rest, weights.dims)];
});
