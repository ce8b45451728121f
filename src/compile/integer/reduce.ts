/**
 * MEAN and SUM.
 *
 * Sources, in tensorflow/lite/kernels: reduce.cc, internal/reference/reduce.h, internal/optimized/reduce.h and
 * internal/optimized/integer_ops/mean.h.
 */
import { toInts } from '../../ir/elements.js';
import { intAttr, tensorOf, type Tensor } from '../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { Value } from '../model-writer.js';
import type { Operand } from './affine.js';
import { Doubles, scalar, type Spread } from './doubles.js';
import { multipliedBy, toCodes } from './fixed-point-values.js';
import { quantizeMultiplier, type QuantizedMultiplier } from './fixed-point.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf, unaryOf } from './operands.js';
import { requantize } from './requantize.js';

export interface Reduction {
  readonly input: Operand;
  readonly output: Operand;
  readonly tensor: Tensor;
  /** Of the IR's tensor. */
  readonly axes: readonly number[];
  readonly keepsDims: boolean;
  /** Elements that become one. */
  readonly count: number;
}

export function reductionOf(call: OperatorCall): Reduction | undefined {
  const { main, graph } = call;
  const operands = unaryOf(call);
  const [, axesTensor] = main.inputs;
  const data = axesTensor == null ? undefined : tensorOf(graph, axesTensor).data;
  if (operands === undefined || data === undefined) return undefined;
  const tensor = tensorOf(graph, operands.input.tensor);
  const axes = toInts(data);
  const extents = axes.map((axis) => tensor.shape?.[axis]);
  if (!extents.every((extent) => typeof extent === 'number')) return undefined;
  const count = extents.reduce((x, y) => x * y, 1);
  return count === 0
    ? undefined
    : { ...operands, tensor, axes, count, keepsDims: intAttr(main, 'keepdims') === 1 };
}

/** Sums of float32 integers no larger than `reach`, as float64. */
function summed({ writer }: OperatorCall, value: Value, reach: number, reduction: Reduction): Value {
  const { axes, keepsDims, count } = reduction;
  const doubles = new Doubles(writer);
  const isExact = reach * count < 2 ** 24;
  const attrs = { keepdims: keepsDims ? 1 : 0, ...(axes.length === 0 ? { noop_with_empty_axes: 1 } : {}) };
  const over = writer.literal('int64', axes, [axes.length]);
  const sum = writer.op('ReduceSum', [isExact ? value : doubles.of(value), over], attrs);
  return isExact ? doubles.of(sum) : sum;
}

const reachOfCodes = ({ lowest, highest }: Operand): number => Math.max(-lowest, highest);
const reachOfCentered = (input: Operand): number => reachOfCodes(input) + Math.abs(input.zeroPoint);

const f = Math.fround;

/** Over height and width of a picture that stays one: a kernel of its own, in vectors of 16 channels. */
function isPictureMean({ tensor, axes, keepsDims, input }: Reduction): boolean {
  if (!keepsDims || tensor.shape?.length !== 4 || input.dtype === 'int16') return false;
  const [, height = 1, width = 2] = tensor.fileAxes ?? [];
  return axes.length === 2 && axes.includes(height) && axes.includes(width);
}

/** 1 for the channels behind the last whole vector. */
function portableChannels({ tensor }: Reduction): Spread | undefined {
  const axis = tensor.fileAxes?.[3] ?? 3;
  const channels = tensor.shape?.[axis];
  if (typeof channels !== 'number') return undefined;
  const end = channels - (channels % 16);
  if (end === channels) return scalar(0);
  if (end === 0) return scalar(1);
  const values = Array.from({ length: channels }, (_, i) => (i < end ? 0 : 1));
  return { values, dims: [0, 1, 2, 3].map((i) => (i === axis ? channels : 1)) };
}

/** The codes themselves are summed; their zero point is taken off at the end, rounded with the output's. */
function pictureMean(call: OperatorCall, reduction: Reduction): Value | undefined {
  const { input, output, count } = reduction;
  const portable = portableChannels(reduction);
  if (portable === undefined) return undefined;
  const offset = f(f(input.zeroPoint * input.scale) / output.scale);
  const bias = output.zeroPoint - Math.trunc(f(offset > 0 ? offset + 0.5 : offset - 0.5));
  const factor = f(input.scale / f(count * output.scale));
  const reach = reachOfCodes(input);
  const value = summed(call, call.codes(input.tensor), reach, reduction);
  const range = [output.lowest, output.highest] as const;
  const rounding = { kind: 'fixed', portable } as const;
  return requantize(call.writer, { value, bound: reach * count }, scalar(factor), rounding, {
    zeroPoint: bias,
    range,
  });
}

/** The factor from sum to output, divided by the count in integers with as many bits as there are. */
function meanMultiplier(inputScale: number, outputScale: number, count: number): QuantizedMultiplier {
  const { multiplier, shift } = quantizeMultiplier(inputScale / outputScale);
  const bits = Math.min(Math.floor(Math.log2(count)), 32, 31 + shift);
  const divided = (BigInt(multiplier) << BigInt(bits)) / BigInt(count);
  return { multiplier: Number(divided), shift: shift - bits };
}

const mean: IntegerKernel = (call) => {
  const reduction = reductionOf(call);
  if (reduction === undefined) return undefined;
  const { input, output, count } = reduction;
  if (isPictureMean(reduction)) return codesOf(output, pictureMean(call, reduction));
  const doubles = new Doubles(call.writer);
  const sum = summed(call, call.centered(input.tensor), reachOfCentered(input), reduction);
  const scaled = multipliedBy(doubles, sum, meanMultiplier(input.scale, output.scale, count));
  return codesOf(output, toCodes(call.writer, scaled, output));
};

/** In float32. */
const sum: IntegerKernel = (call) => {
  const reduction = reductionOf(call);
  if (reduction === undefined) return undefined;
  const { input, output, count } = reduction;
  const { writer } = call;
  const doubles = new Doubles(writer);
  const scale = f(input.scale / output.scale);
  const bias = f(f(-input.zeroPoint * scale) * count);
  const exact = summed(call, call.codes(input.tensor), reachOfCodes(input), reduction);
  const total = writer.op('Cast', [exact], { to: ONNX_DATA_TYPE.float32 });
  const scaled = writer.op('Mul', [total, writer.literal('float32', [scale], [])]);
  const moved = writer.op('Add', [scaled, writer.literal('float32', [bias], [])]);
  return codesOf(output, toCodes(writer, doubles.round(doubles.of(moved)), output));
};

export const REDUCE_KERNELS: Readonly<Record<string, IntegerKernel>> = { MEAN: mean, SUM: sum };
