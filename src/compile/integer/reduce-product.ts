/**
 * REDUCE_PROD: one factor after the other, each product rescaled so that all of them together are what the output's scale wants.
 *
 * Source: QuantizedReduceProd of tensorflow/lite/kernels/internal/optimized/reduce.h; the scaling is that of reduce.cc.
 */
import { tensorOf } from '../../ir/graph.js';
import type { Value } from '../model-writer.js';
import { Doubles, scalar } from './doubles.js';
import { toCodes } from './fixed-point-values.js';
import { quantizeMultiplier } from './fixed-point.js';
import type { IntegerKernel, OperatorCall } from './kernel.js';
import { codesOf } from './operands.js';
import { reductionOf, type Reduction } from './reduce.js';

/** Every factor is some ten nodes. */
const MOST_FACTORS = 512;

/** Centered codes as [rest..., count], the reduced elements in the order of the file. */
function factors(call: OperatorCall, { input, tensor, axes, count }: Reduction): Value {
  const { writer } = call;
  const rank = tensor.shape?.length ?? 0;
  const all = Array.from({ length: rank }, (_, axis) => axis);
  const inFile = tensor.fileAxes ?? all;
  const perm = [
    ...all.filter((axis) => !axes.includes(axis)),
    ...inFile.filter((axis) => axes.includes(axis)),
  ];
  const turned = writer.op('Transpose', [new Doubles(writer).of(call.centered(input.tensor))], { perm });
  const kept = Array<number>(rank - axes.length).fill(0);
  return writer.op('Reshape', [turned, writer.literal('int64', [...kept, count], [kept.length + 1])]);
}

/** MultiplyByQuantizedMultiplier of 64-bit integers below 2^47: the factor is cut to 15 bits. */
function rescaler(doubles: Doubles, real: number): ((x: Value) => Value) | undefined {
  const { multiplier, shift } = quantizeMultiplier(real);
  const reduced = multiplier < 0x7fff0000 ? Math.floor((multiplier + 2 ** 15) / 65536) : 0x7fff;
  const right = 15 - shift;
  if (right <= 0) return undefined;
  // Where the product may be beyond 53 bits, its lower 16 are added apart.
  const low = right > 16 ? 16 : 0;
  return (x) => {
    const high = doubles.floor(doubles.times(x, scalar(2 ** -low)));
    const rest = doubles.sum(x, doubles.times(high, scalar(-(2 ** low))));
    const tail = doubles.plus(doubles.times(rest, scalar(reduced)), scalar(2 ** (right - 1)));
    const sum = doubles.sum(
      doubles.times(high, scalar(reduced)),
      doubles.floor(doubles.times(tail, scalar(2 ** -low))),
    );
    return doubles.wrapped(doubles.floor(doubles.times(sum, scalar(2 ** (low - right)))));
  };
}

export const reduceProduct: IntegerKernel = (call) => {
  const reduction = reductionOf(call);
  if (reduction === undefined || reduction.count > MOST_FACTORS) return undefined;
  const { input, output, count } = reduction;
  const { writer, graph } = call;
  const shape = tensorOf(graph, output.tensor).shape ?? [];
  if (!shape.every((extent) => typeof extent === 'number')) return undefined;
  const shaped = (codes: Value): Value =>
    writer.op('Reshape', [codes, writer.literal('int64', shape, [shape.length])]);
  // One factor is copied as it is, whatever the scales.
  if (count === 1) return codesOf(output, shaped(call.codes(input.tensor)));
  const doubles = new Doubles(writer);
  const rescaled = rescaler(doubles, input.scale / output.scale ** (1 / count));
  if (rescaled === undefined) return undefined;
  const all = factors(call, reduction);
  const factor = (i: number): Value =>
    writer.op('Gather', [all, writer.literal('int64', [i], [])], { axis: -1 });
  let product = factor(0);
  for (let i = 1; i < count; i++) product = rescaled(writer.op('Mul', [product, factor(i)]));
  return codesOf(output, shaped(toCodes(writer, rescaled(product), output)));
};
