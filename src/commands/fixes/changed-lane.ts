/** A finished file's quantization with a fix applied to it. */
import { alignedConstants } from '../../diff/compared-constants.js';
import type { EdgeMeasurement } from '../../diff/edge-measurements.js';
import type { LaneChange } from '../../doctor/finding.js';
import { tensorOf, type ConstantData, type TensorId } from '../../ir/graph.js';
import { hasSameCodes, type Lane } from '../../ir/lane.js';
import { weightsOf } from '../../ir/weights.js';
import { refittedConstant, refittedRange } from '../../quant/refit.js';
import { inPlaceOf } from '../ladder-lanes.js';
import type { NetworkPair } from '../network-pair.js';

/**
 * The lane in the form that changes can be made to: float operators between quantizers. Integer kernels go by the scales of all that
 * they read, so one of them cannot be changed by itself.
 */
export function changeable({ name, tensors, uses, dynamic, values }: Lane): Lane {
  return {
    name,
    tensors,
    uses,
    ...(dynamic === undefined ? {} : { dynamic }),
    ...(values === undefined ? {} : { values }),
  };
}

/** Undefined where nothing of the change can be made, such as weights that have no counterpart. */
export function changedLane(
  { candidate: { graph, lane }, alignment }: Pick<NetworkPair, 'candidate' | 'alignment'>,
  measurements: readonly EdgeMeasurement[],
  { ranges = [], float = [], constants = [] }: LaneChange,
): Lane | undefined {
  const tensors = new Map(lane.tensors);
  const values = new Map<TensorId, ConstantData>(lane.values);
  const uses = new Map(lane.uses);
  let isChanged = false;
  for (const id of ranges) {
    const params = tensors.get(id);
    if (params === undefined) continue;
    // Tensors that codes are only moved through have the same parameters, and the same fault.
    for (const { edge, range } of measurements) {
      const own = tensors.get(edge.tensor);
      if (own === undefined || !(edge.tensor === id || hasSameCodes(own, params))) continue;
      if (!Number.isFinite(range.min) || !Number.isFinite(range.max)) continue;
      tensors.set(edge.tensor, refittedRange(own, range));
      isChanged = true;
    }
  }
  for (const id of float) isChanged = tensors.delete(id) || isChanged;
  const axes = new Map(weightsOf(graph).map(({ tensor, axis }) => [tensor, axis]));
  const aligned = alignedConstants(alignment);
  for (const { tensor, perAxis } of constants) {
    const params = tensors.get(tensor);
    const own = tensorOf(graph, tensor).data;
    const twin = aligned.get(tensor);
    const made = twin === undefined ? undefined : inPlaceOf(own, twin);
    if (made === undefined) continue;
    const isPerAxis = perAxis === true || params?.granularity.kind === 'per-axis';
    // A bias has the scales of the products that it is added to.
    const isFree = params === undefined || params.dtype === 'int32';
    const fitted = isFree
      ? undefined
      : refittedConstant(params, made, isPerAxis ? axes.get(tensor) : undefined);
    if (!isFree && fitted === undefined) continue;
    if (fitted === undefined) tensors.delete(tensor);
    else tensors.set(tensor, fitted);
    values.set(tensor, made);
    isChanged = true;
  }
  return isChanged ? changeable({ ...lane, tensors, uses, values }) : undefined;
}
