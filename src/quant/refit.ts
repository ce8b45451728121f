/** Parameters of the same form, made again for other values. */
import type { ConstantData } from '../ir/graph.js';
import { toFloat32 } from '../ir/elements.js';
import type { Granularity, QuantParams } from '../ir/lane.js';
import { paramsFromRange, type AffineScheme } from './affine.js';
import { isSymmetric } from './placement/lane-plan.js';
import { channelRanges } from './weights.js';

/** The quantizer with the range of these values: type and symmetry stay, one scale for the tensor. */
export function refittedRange(params: QuantParams, { min, max }: { min: number; max: number }): QuantParams {
  return fitted(params, [min], [max], { kind: 'per-tensor' });
}

/**
 * The quantizer with scales from the constant itself; undefined for a constant with elements that are no finite numbers, or none.
 *
 * @param axis for one scale for each of its indices; one for the tensor when absent
 */
export function refittedConstant(
  params: QuantParams,
  data: ConstantData,
  axis?: number,
): QuantParams | undefined {
  const values = toFloat32(data);
  if (values.length === 0 || !values.every(Number.isFinite)) return undefined;
  if (axis !== undefined) {
    const { min, max } = channelRanges(values, data.dims, axis);
    return fitted(params, min, max, { kind: 'per-axis', axis });
  }
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return fitted(params, [min], [max], { kind: 'per-tensor' });
}

function fitted(
  params: QuantParams,
  min: ArrayLike<number>,
  max: ArrayLike<number>,
  granularity: Granularity,
): QuantParams {
  return paramsFromRange(min, max, schemeOfParams(params), granularity, 'edit');
}

/** With which a range becomes parameters of the same kind. */
export function schemeOfParams({ dtype, qmin, zeroPoint }: QuantParams): AffineScheme {
  const symmetric = isSymmetric(dtype, zeroPoint);
  const narrowRange = symmetric && (dtype === 'int8' || dtype === 'int16' || qmin === -127);
  return { dtype, symmetric, narrowRange };
}
