/** The fused activation function of arithmetic, on integers too. */
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import type { Layout, Lowering } from './lowering.js';
import { cast, writeFrom } from './operands.js';

/** Least and, where there is one, largest value; the kernels take all other fused activation functions for none. */
const FUSED_LIMITS: Readonly<Record<string, readonly number[]>> = {
  RELU: [0],
  RELU6: [0, 6],
  RELU_N1_TO_1: [-1, 1],
};

/** Writes output 0, behind the fused activation function, of a node whose result has type `computed`. */
export function writeClamped(
  lowering: Lowering,
  layout: Layout,
  op: string,
  inputs: readonly TensorId[],
  computed: DType,
): void {
  const limits = FUSED_LIMITS[String(lowering.op.options['fusedActivationFunction'])];
  if (limits === undefined) {
    writeFrom(lowering, computed, layout, op, inputs);
  } else if (isFloat(computed)) {
    lowering.writeActivated(0, layout, op, inputs);
  } else {
    const scalars = limits.map((limit) => cast(lowering, lowering.ints([limit], []), 'int64', computed));
    writeFrom(lowering, computed, layout, 'Clip', [lowering.main(op, inputs), ...scalars]);
  }
}
