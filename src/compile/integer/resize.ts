/**
 * RESIZE_BILINEAR: on codes as they are, in fixed point for signed codes, in float32 for unsigned ones.
 *
 * Sources, in tensorflow/lite/kernels/internal: reference/resize_bilinear.h and optimized/resize_bilinear.h.
 */
import { stringAttr, tensorOf } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { Doubles, scalar } from './doubles.js';
import { toCodes } from './fixed-point-values.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';

type Mode = 'align_corners' | 'half_pixel' | 'asymmetric';

/** For every element along an axis of the output, the two elements of the input that it lies between. */
interface Neighbours {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** Weight of the upper one, in the unit of the arithmetic. */
  readonly weight: readonly number[];
}

/** With 10 bits behind the point. */
function fixedNeighbours(from: number, to: number, mode: Mode): Neighbours {
  const isSpread = mode === 'align_corners' && to > 1;
  const [extent, steps] = isSpread ? [from - 1, to - 1] : [from, to];
  const scale = Math.floor((1024 * extent + Math.floor(steps / 2)) / steps);
  const positions = Array.from({ length: to }, (_, i) =>
    mode === 'half_pixel' ? i * scale + Math.floor(scale / 2) - 512 : i * scale,
  );
  const lower = positions.map((at) => Math.min(Math.max(Math.trunc(at / 1024), 0), from - 1));
  return {
    lower,
    upper: positions.map((at) => Math.min(Math.trunc((at + 1023) / 1024), from - 1)),
    weight: positions.map((at, i) => at - 1024 * (lower[i] ?? 0)),
  };
}

/** In float32. */
function floatNeighbours(from: number, to: number, mode: Mode): Neighbours {
  const f = Math.fround;
  const scale = mode === 'align_corners' && to > 1 ? f((from - 1) / (to - 1)) : f(from / to);
  const positions = Array.from({ length: to }, (_, i) =>
    mode === 'half_pixel' ? f(f((i + 0.5) * scale) - 0.5) : f(i * scale),
  );
  const lower = positions.map((at) => Math.max(Math.floor(at), 0));
  return {
    lower,
    upper: positions.map((at) => Math.min(Math.ceil(at), from - 1)),
    weight: positions.map((at, i) => f(at - (lower[i] ?? 0))),
  };
}

/** Rows and columns of the pictures [N, C, height, width], whose extents are known. */
interface Axes {
  readonly rows: Neighbours;
  readonly columns: Neighbours;
}

function axesOf(
  call: OperatorCall,
  tensors: Parameters<typeof tensorOf>[1][],
  isUnsigned: boolean,
): Axes | undefined {
  const [from = [], to = []] = tensors.map((tensor) => (tensorOf(call.graph, tensor).shape ?? []).slice(2));
  const mode = stringAttr(call.main, 'coordinate_transformation_mode') as Mode;
  const neighbours = isUnsigned ? floatNeighbours : fixedNeighbours;
  const [rows, columns] = [0, 1].map((axis) => {
    const [before, after] = [from[axis], to[axis]];
    const isKnown = typeof before === 'number' && typeof after === 'number';
    return isKnown ? neighbours(before, after, mode) : undefined;
  });
  return rows === undefined || columns === undefined ? undefined : { rows, columns };
}

const HEIGHT = 2;
const WIDTH = 3;

/** Elements at `indices` of the axis. */
function gather({ writer }: OperatorCall, value: Value, indices: readonly number[], axis: number): Value {
  return writer.op('Gather', [value, writer.literal('int64', indices, [indices.length])], { axis });
}

/** One number for every index of the axis. */
function along(
  { writer }: OperatorCall,
  dtype: 'float32' | 'float64',
  values: readonly number[],
  axis: number,
): Value {
  return writer.literal(dtype, values, axis === HEIGHT ? [values.length, 1] : [values.length]);
}

/** Weighted sums in 20 bits behind the point, rounded away from zero on ties. */
function fixedPoint(call: OperatorCall, codes: Value, { rows, columns }: Axes): Value {
  const { writer } = call;
  const doubles = new Doubles(writer);
  const between = (value: Value, { lower, upper, weight }: Neighbours, axis: number): Value => {
    const rest = weight.map((part) => 1024 - part);
    const first = writer.op('Mul', [gather(call, value, lower, axis), along(call, 'float64', rest, axis)]);
    const second = writer.op('Mul', [gather(call, value, upper, axis), along(call, 'float64', weight, axis)]);
    return writer.op('Add', [first, second]);
  };
  const sum = between(between(doubles.of(codes), rows, HEIGHT), columns, WIDTH);
  return doubles.round(doubles.times(sum, scalar(2 ** -20)));
}

/** Four products added in the kernel's order, and 1/2; cut off. */
function floatingPoint(call: OperatorCall, codes: Value, { rows, columns }: Axes): Value {
  const { writer } = call;
  const f = Math.fround;
  const parts = ({ lower, upper, weight }: Neighbours, axis: number) =>
    [
      {
        indices: lower,
        weights: along(
          call,
          'float32',
          weight.map((part) => f(1 - part)),
          axis,
        ),
      },
      { indices: upper, weights: along(call, 'float32', weight, axis) },
    ] as const;
  const products = parts(rows, HEIGHT).flatMap((row) => {
    const chosen = gather(call, codes, row.indices, HEIGHT);
    return parts(columns, WIDTH).map((column) => {
      const weights = writer.op('Mul', [row.weights, column.weights]);
      return writer.op('Mul', [gather(call, chosen, column.indices, WIDTH), weights]);
    });
  });
  const sum = products.reduce((total, product) => writer.op('Add', [total, product]));
  return writer.op('Floor', [writer.op('Add', [sum, writer.literal('float32', [0.5], [])])]);
}

export const resizeBilinear: IntegerKernel = (call) => {
  const operands = unaryOf(call);
  if (operands === undefined) return undefined;
  const { input, output } = operands;
  const isUnsigned = input.dtype === 'uint8';
  const axes = axesOf(call, [input.tensor, output.tensor], isUnsigned);
  if (axes === undefined) return undefined;
  const codes = call.codes(input.tensor);
  if (isUnsigned) return codesOf(output, floatingPoint(call, codes, axes));
  return codesOf(output, toCodes(call.writer, fixedPoint(call, codes, axes), { ...output, zeroPoint: 0 }));
};
