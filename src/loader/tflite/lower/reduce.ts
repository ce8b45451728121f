/** Reductions over axes, running sums, and the places of largest and least elements. */
import type { DType, TensorId } from '../../../ir/graph.js';
import { layoutOfAxes } from './element-order.js';
import { permInto } from './layout.js';
import { Unlowerable, type Layout, type Lowering, type Rule } from './lowering.js';
import { cast, computedIn, writeFrom } from './operands.js';

/** File axes to reduce, each once, ascending. */
function reducedAxes(lowering: Lowering, rank: number): readonly number[] {
  // A scalar has no axes; the kernel takes any for it.
  if (rank === 0) return [];
  const axes = lowering.integers(1).map((axis) => lowering.axisIn('file', rank, axis));
  return [...new Set(axes)].sort((a, b) => a - b);
}

/** Orders in which a reduction reads its input and leaves its output. */
interface ReducedLayouts {
  readonly input: Layout;
  readonly output: Layout;
}

/**
 * The input's own layout where what remains of its axes is in an order that the output can have: channels-first pictures without
 * their spatial axes are [N, C], as in the file. Else the file's.
 */
function reducedLayouts(lowering: Lowering, axes: readonly number[], keepsDims: boolean): ReducedLayouts {
  const input = lowering.layoutOf(0);
  if (keepsDims || input === 'file') return { input, output: input };
  const rank = lowering.shape(0).length;
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
  const order = permInto(input, rank).filter((axis) => rest.includes(axis));
  const output = layoutOfAxes(order.map((axis) => rest.indexOf(axis)));
  return output === undefined ? { input: 'file', output: 'file' } : { input, output };
}

const SUMMED: ReadonlySet<DType> = new Set(['float32', 'float16', 'float64', 'int32', 'int64']);
const COMPARED: ReadonlySet<DType> = new Set([...SUMMED, 'int8', 'uint8']);
const LOGICAL: ReadonlySet<DType> = new Set(['bool']);

/** @param kernels types for which the runtime has a kernel of the ONNX operator */
function reduction(op: string, kernels: ReadonlySet<DType>): Rule {
  return (lowering) => {
    const rank = lowering.shape(0).length;
    const axes = reducedAxes(lowering, rank);
    const keepsDims = lowering.boolOption('keepDims');
    const layouts = reducedLayouts(lowering, axes, keepsDims);
    const dtype = lowering.dtype(0);
    const computed = computedIn(dtype, kernels);
    const input = cast(lowering, lowering.input(0, layouts.input), dtype, computed);
    const there = axes.map((axis) => lowering.axisIn(layouts.input, rank, axis)).sort((a, b) => a - b);
    writeFrom(lowering, computed, layouts.output, op, [input, lowering.ints(there)], {
      keepdims: keepsDims ? 1 : 0,
      // No axes leave the tensor as it is; ONNX would otherwise take all.
      ...(there.length === 0 ? { noop_with_empty_axes: 1 } : {}),
    });
  };
}

/** The first of equal elements, as in ONNX. */
function placeOf(op: string): Rule {
  return (lowering) => {
    const rank = lowering.shape(0).length;
    const [given, ...others] = lowering.integers(1);
    if (given === undefined || others.length > 0) throw new Unlowerable('it wants one axis');
    const axis = lowering.axisIn('file', rank, given);
    const layouts = reducedLayouts(lowering, [axis], false);
    const dtype = lowering.dtype(0);
    const input = lowering.input(0, layouts.input);
    const inputs = [cast(lowering, input, dtype, computedIn(dtype, COMPARED))];
    writeFrom(lowering, 'int64', layouts.output, op, inputs, {
      axis: lowering.axisIn(layouts.input, rank, axis),
      keepdims: 0,
    });
  };
}

const cumsum: Rule = (lowering) => {
  const layout = lowering.layoutOf(0);
  const [given, ...others] = lowering.integers(1);
  if (given === undefined || others.length > 0) throw new Unlowerable('it wants one axis');
  const axis: TensorId = lowering.ints([lowering.axisIn(layout, lowering.shape(0).length, given)], []);
  lowering.write(0, layout, 'CumSum', [lowering.input(0, layout), axis], {
    exclusive: lowering.boolOption('exclusive') ? 1 : 0,
    reverse: lowering.boolOption('reverse') ? 1 : 0,
  });
};

export const REDUCE_RULES: Readonly<Record<string, Rule>> = {
  ARG_MAX: placeOf('ArgMax'),
  ARG_MIN: placeOf('ArgMin'),
  CUMSUM: cumsum,
  // Of integers the kernel divides towards zero, as the runtime does.
  MEAN: reduction('ReduceMean', SUMMED),
  REDUCE_ALL: reduction('ReduceMin', LOGICAL),
  REDUCE_ANY: reduction('ReduceMax', LOGICAL),
  REDUCE_MAX: reduction('ReduceMax', COMPARED),
  REDUCE_MIN: reduction('ReduceMin', COMPARED),
  REDUCE_PROD: reduction('ReduceProd', SUMMED),
  SUM: reduction('ReduceSum', SUMMED),
};
