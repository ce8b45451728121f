/**
 * QLinearAveragePool: values are summed one after the other in float32, divided, and rounded together with the zero point.
 * QLinearGlobalAveragePool, and a window that is the whole image: codes are summed and requantized.
 *
 * Source: onnxruntime/contrib_ops/cpu/quantization/qlinear_pool.cc, onnxruntime/core/mlas/lib/qlgavgpool.cpp.
 */
import { intAttr, intsAttr, stringAttr, tensorOf, type Node } from '../../../ir/graph.js';
import { reduce } from '../../operators.js';
import type { Value } from '../../model-writer.js';
import { Doubles, scalar } from '../doubles.js';
import type { IntegerKernel, OperatorCall } from '../kernel.js';
import type { Operand } from '../affine.js';
import { unaryOf } from '../operands.js';
import { aroundMain } from './around-main.js';
import { areBytes } from './byte-operands.js';
import { requantized, roundedCodes } from './requantize.js';

/** Beyond, float32 skips integers. */
const EXACT32 = 2 ** 24;
/** Each place of a window is a Slice and an Add. */
const LARGEST_WINDOW = 64;
/** Opsets from which Pad and Slice take what they need as inputs. */
const PAD_WITH_INPUTS = 11;

type Operands = { readonly input: Operand; readonly output: Operand };

interface Axis {
  readonly extent: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
  readonly outputs: number;
}

function kernel(
  op: string,
  pool: (call: OperatorCall, x: Value, operands: Operands) => Value | undefined,
): IntegerKernel {
  return (call) => {
    const operands = call.main.op === op ? unaryOf(call) : undefined;
    if (operands === undefined || !areBytes(operands.input, operands.output)) return undefined;
    return aroundMain(
      call,
      (tensor) => call.centered(tensor),
      (x) => pool(call, x, operands),
    );
  };
}

/** `x` are codes minus zero point. */
function globalMean(call: OperatorCall, x: Value, { input, output }: Operands): Value | undefined {
  const extents = spatialExtents(call, call.main.inputs[0]);
  const count = extents?.reduce((product, extent) => product * extent, 1) ?? 0;
  const bound = count * (input.highest - input.lowest);
  if (extents === undefined || count === 0 || bound >= EXACT32) return undefined;
  const axes = extents.map((_, axis) => axis + 2);
  const single = reduce(call.writer, 'ReduceSum', x, axes);
  const factor = input.scale / Math.fround(output.scale * count);
  const value = new Doubles(call.writer).of(single);
  return requantized(call, { value, single, bound }, scalar(factor), output);
}

function mean(call: OperatorCall, x: Value, operands: Operands): Value | undefined {
  const { writer } = call;
  const axes = axesOf(call);
  if (axes === undefined) return undefined;
  if (axes.every(({ extent, window, before, outputs }) => window === extent && before === 0 && outputs === 1))
    return globalMean(call, x, operands);
  const size = axes.reduce((product, { window }) => product * window, 1);
  if (size > LARGEST_WINDOW || writer.opset < PAD_WITH_INPUTS) return undefined;
  const { input, output } = operands;
  const float = (value: number): Value => writer.literal('float32', [value], []);
  const sum = windowSums(call, writer.op('Mul', [x, float(input.scale)]), axes);
  const average = writer.op('Div', [sum, countsOf(call, axes)]);
  const steps = writer.op('Div', [average, float(output.scale)]);
  const shifted = output.zeroPoint === 0 ? steps : writer.op('Add', [steps, float(output.zeroPoint)]);
  return roundedCodes(call, shifted, output, 0);
}

/** What is outside adds zero, and so nothing. */
function windowSums({ writer }: OperatorCall, values: Value, axes: readonly Axis[]): Value {
  const ints = (list: readonly number[]): Value => writer.literal('int64', list, [list.length]);
  const behind = axes.map(({ extent, window, stride, before, outputs }) =>
    Math.max(0, (outputs - 1) * stride + window - before - extent),
  );
  const isPadded = axes.some(({ before }, i) => before > 0 || (behind[i] ?? 0) > 0);
  const pads = [0, 0, ...axes.map(({ before }) => before), 0, 0, ...behind];
  const padded = isPadded ? writer.op('Pad', [values, ints(pads)]) : values;
  const numbers = ints(axes.map((_, axis) => axis + 2));
  const strides = ints(axes.map(({ stride }) => stride));
  const places = offsetsOf(axes.map(({ window }) => window)).map((offset) =>
    writer.op('Slice', [
      padded,
      ints(offset),
      ints(axes.map(({ stride, outputs }, i) => (offset[i] ?? 0) + (outputs - 1) * stride + 1)),
      numbers,
      strides,
    ]),
  );
  return places.reduce((sum, place) => writer.op('Add', [sum, place]));
}

/** Positions in a window, in row-major order. */
function offsetsOf(windows: readonly number[]): number[][] {
  return windows.reduce<number[][]>(
    (offsets, window) =>
      offsets.flatMap((offset) => Array.from({ length: window }, (_, place) => [...offset, place])),
    [[]],
  );
}

/** Elements that each mean is of, over the spatial axes. */
function countsOf({ writer, main }: OperatorCall, axes: readonly Axis[]): Value {
  const size = axes.reduce((product, { window }) => product * window, 1);
  if (intAttr(main, 'count_include_pad') === 1) return writer.literal('float32', [size], []);
  const counts = axes.reduce<number[]>(
    (products, { extent, window, stride, before, outputs }) =>
      products.flatMap((product) =>
        Array.from({ length: outputs }, (_, i) => {
          const start = i * stride - before;
          return product * (Math.min(start + window, extent) - Math.max(start, 0));
        }),
      ),
    [1],
  );
  if (counts.every((count) => count === size)) return writer.literal('float32', [size], []);
  return writer.literal('float32', counts, [1, 1, ...axes.map(({ outputs }) => outputs)]);
}

function axesOf(call: OperatorCall): Axis[] | undefined {
  const { main } = call;
  const extents = spatialExtents(call, main.inputs[0]);
  const outputs = spatialExtents(call, main.outputs[0]);
  const windows = intsAttr(main, 'kernel_shape');
  const isDilated = intsAttr(main, 'dilations')?.some((step) => step !== 1) === true;
  if (extents === undefined || outputs === undefined || windows?.length !== extents.length || isDilated)
    return undefined;
  return extents.map((extent, axis): Axis => {
    const window = windows[axis] ?? 1;
    const stride = intsAttr(main, 'strides')?.[axis] ?? 1;
    const count = outputs[axis] ?? 1;
    return {
      extent,
      window,
      stride,
      outputs: count,
      before: padBefore(main, axis, (count - 1) * stride + window - extent),
    };
  });
}

/** @param missing elements that the windows reach beyond the image */
function padBefore(main: Node, axis: number, missing: number): number {
  switch (stringAttr(main, 'auto_pad') ?? 'NOTSET') {
    case 'SAME_UPPER':
      return Math.floor(Math.max(0, missing) / 2);
    case 'SAME_LOWER':
      return Math.ceil(Math.max(0, missing) / 2);
    case 'VALID':
      return 0;
    default:
      return intsAttr(main, 'pads')?.[axis] ?? 0;
  }
}

/** Extents behind batch and channels; undefined where one is not known. */
function spatialExtents(
  { graph }: OperatorCall,
  tensor: Node['inputs'][number] | undefined,
): number[] | undefined {
  const shape = tensor == null ? undefined : tensorOf(graph, tensor).shape;
  const extents = shape?.slice(2).filter((extent) => typeof extent === 'number');
  return extents !== undefined && extents.length > 0 && extents.length === (shape?.length ?? 0) - 2
    ? extents
    : undefined;
}

export const POOL_KERNELS: Readonly<Record<string, IntegerKernel>> = {
  QLinearAveragePool: kernel('AveragePool', mean),
  QLinearGlobalAveragePool: kernel('GlobalAveragePool', globalMean),
};
