/** Tensors of 8-bit codes, which are all that ONNX Runtime's integer kernels on CPU take. */
import type { OperatorCall } from '../kernel.js';
import type { Operand } from '../affine.js';
import { activationRange } from '../fused-activation.js';

export function areBytes(...operands: readonly Operand[]): boolean {
  return operands.every(({ dtype }) => dtype === 'int8' || dtype === 'uint8');
}

/** Codes that the operator may write: those of the type, within the lane's limits and those of its activation function. */
export function outputRange(call: OperatorCall, output: Operand): readonly [lowest: number, highest: number] {
  const { qmin = output.lowest, qmax = output.highest } = call.params(output.tensor) ?? {};
  const [lowest, highest] = activationRange(call, output);
  return [Math.max(lowest, qmin), Math.min(highest, qmax)];
}
