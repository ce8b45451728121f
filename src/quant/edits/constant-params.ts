/** Quantizers of constants, from their elements. */
import { toFloat32 } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import type { QuantParams } from '../../ir/lane.js';
import { paramsFromRange } from '../affine.js';
import type { TensorScheme } from '../scheme.js';
import { weightRanges } from '../weight-ranges.js';

/**
 * As `buildLane` gives a weight, before it is widened for a bias. Elements that are not finite count as zero.
 *
 * @param axis for one scale for each of its indices; one for the tensor when absent
 */
export function constantParams(data: ConstantData, scheme: TensorScheme, axis?: number): QuantParams {
  const elements = toFloat32(data).map((x) => (Number.isFinite(x) ? x : 0));
  const { rmin, rmax } = weightRanges(elements, data.dims, axis, scheme);
  const granularity =
    axis === undefined ? ({ kind: 'per-tensor' } as const) : ({ kind: 'per-axis', axis } as const);
  return paramsFromRange(rmin, rmax, scheme, granularity, 'observer');
}
