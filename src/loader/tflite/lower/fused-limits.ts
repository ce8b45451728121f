/** The fused activation function of arithmetic, on integers too. */
import { isFloat, type DType, type TensorId } from '../../../ir/graph.js';
import { FUSED_LIMITS } from './activation-limits.js';
import type { Layout, Lowering } from './lowering.js';
import { cast, writeFrom } from './operands.js';

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
    // RELU has no upper limit, which integers do not have either.
    const scalars = limits
      .filter(Number.isFinite)
      .map((limit) => cast(lowering, lowering.ints([limit], []), 'int64', computed));
    writeFrom(lowering, computed, layout, 'Clip', [lowering.main(op, inputs), ...scalars]);
  }
}
