/** The quantized activations of a lane, as edits see them: what each is now, and what was seen of it. */
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import { QRANGE, type Lane, type QuantParams } from '../../ir/lane.js';
import { paramsFromRange, type AffineScheme } from '../affine.js';
import type { Range, TensorStats } from '../observers/index.js';
import { isSymmetric } from '../placement/lane-plan.js';
import type { PlannedQuantizer, QuantPlan } from '../placement/plan.js';
import { expectedNoise, expectedSqnrDb, type NoiseForecast } from '../precision.js';
import { paramsOf, rangeKey } from './edited-lane.js';

/** Tensors that have one range, by the tensor that has it: `rangeKey`. */
export interface QuantizedActivation {
  readonly tensor: TensorId;
  /** The first of its quantizers. */
  readonly planned: PlannedQuantizer;
  readonly params: QuantParams;
  /** With which a range becomes parameters of the same kind. */
  readonly scheme: AffineScheme;
}

/** Activations with a range of their own that the lane quantizes, in the order of the plan. */
export function quantizedActivations(graph: Graph, plan: QuantPlan, lane: Lane): QuantizedActivation[] {
  const found = new Map<TensorId, QuantizedActivation>();
  for (const planned of plan.quantizers) {
    const tensor = rangeKey(planned);
    const params = paramsOf(lane, planned);
    if (tensor === undefined || params === undefined || found.has(tensor)) continue;
    if (tensorOf(graph, planned.tensor).data !== undefined) continue;
    found.set(tensor, { tensor, planned, params, scheme: schemeNow(planned, params) });
  }
  return [...found.values()];
}

/** An edit may have changed type or symmetry; both show in the parameters, but for a zero point that is in the middle by chance. */
function schemeNow({ scheme }: PlannedQuantizer, { dtype, zeroPoint }: QuantParams): AffineScheme {
  const { zeroPointTies } = scheme;
  const ties = zeroPointTies === undefined ? {} : { zeroPointTies };
  const symmetric = (scheme.symmetric || dtype === 'int16') && isSymmetric(dtype, zeroPoint);
  if (dtype === scheme.dtype && symmetric === scheme.symmetric) {
    return { dtype, symmetric, narrowRange: scheme.narrowRange, ...ties };
  }
  return { dtype, symmetric, narrowRange: symmetric && !dtype.startsWith('u'), ...ties };
}

/** Parameters of an activation for a range. It saturates at the limits of its type, as `buildLane` has it. */
export function activationParams({ rmin, rmax }: Range, scheme: AffineScheme): QuantParams {
  const params = paramsFromRange([rmin], [rmax], scheme, { kind: 'per-tensor' }, 'edit');
  return { ...params, qmin: QRANGE[scheme.dtype][0] };
}

/** What the parameters represent. */
export function representedRange({ scale, zeroPoint, qmin, qmax }: QuantParams): Range {
  const [step = 0, zero = 0] = [scale[0], zeroPoint[0]];
  return { rmin: (qmin - zero) * step, rmax: (qmax - zero) * step };
}

/** Seen, and finite. */
export function isObserved(stats: TensorStats | undefined): stats is TensorStats {
  return (
    stats !== undefined &&
    stats.count > 0 &&
    Number.isFinite(stats.min) &&
    Number.isFinite(stats.max) &&
    (stats.min < 0 || stats.max > 0)
  );
}

/** SQNR of the tensor's own quantizer, in dB; undefined without a histogram, and where nothing would be lost. */
export function forecastDb({ histogram }: TensorStats, params: QuantParams): number | undefined {
  return histogram === undefined || histogram.total === 0 ? undefined : expectedSqnrDb(histogram, params);
}

/** Undefined without a histogram. */
export function forecastNoise({ histogram }: TensorStats, params: QuantParams): NoiseForecast | undefined {
  return histogram === undefined || histogram.total === 0 ? undefined : expectedNoise(histogram, params);
}
