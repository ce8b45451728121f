/** What kernels read of a quantizer: scale and zero point of a whole tensor, and the integers its type holds. */
import { QRANGE, type QDType, type QuantParams } from '../../ir/lane.js';
import type { TensorId } from '../../ir/graph.js';
import type { OperatorCall } from './kernel.js';

export interface Affine {
  readonly dtype: QDType;
  /** A float32. */
  readonly scale: number;
  readonly zeroPoint: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Undefined where scales are per channel or per block, which TFLite's kernels do not take for activations, and where the scale is
 * no positive number.
 */
export function affineOf(params: QuantParams | undefined): Affine | undefined {
  if (params?.granularity.kind !== 'per-tensor') return undefined;
  const { dtype, scale, zeroPoint } = params;
  const [size = 0] = scale;
  if (!(size > 0 && Number.isFinite(size))) return undefined;
  const [lowest, highest] = QRANGE[dtype];
  return { dtype, scale: size, zeroPoint: zeroPoint[0] ?? 0, lowest, highest };
}

/** A tensor of the operator with its quantizer. */
export interface Operand extends Affine {
  readonly tensor: TensorId;
}

/** Types of activations that TFLite's integer kernels compute on. */
const KERNEL_TYPES: ReadonlySet<QDType> = new Set(['int8', 'uint8', 'int16']);

export function operandOf(call: OperatorCall, tensor: TensorId | null | undefined): Operand | undefined {
  if (tensor === null || tensor === undefined) return undefined;
  const affine = affineOf(call.params(tensor));
  return affine === undefined || !KERNEL_TYPES.has(affine.dtype) ? undefined : { ...affine, tensor };
}

export function sameQuantizer(a: Affine, b: Affine): boolean {
  return a.dtype === b.dtype && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}
