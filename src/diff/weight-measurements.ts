/** Measurements of the constants that a plan quantizes: their error in the lane, and one scale beside one per channel. */
import { toFloat32 } from '../ir/elements.js';
import { tensorOf, topologyOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import { weightsOf } from '../ir/weights.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import type { PlannedQuantizer } from '../quant/placement/plan.js';
import { weightSqnr, weightStats, type WeightSqnr, type WeightStats } from '../quant/weights.js';
import { measurementOf, type ErrorMeasurement } from './measurement.js';
import { constantError } from './weight-error.js';

export interface ConstantMeasurement {
  readonly tensor: TensorId;
  /** Node that reads it as this quantizer has it. */
  readonly node: NodeId | undefined;
  readonly role: 'weight' | 'bias';
  readonly quant: QuantParams;
  readonly self: ErrorMeasurement | undefined;
  /** Dimension of the output channels; undefined for what has none (a bias, the constant operand of an Add). */
  readonly axis: number | undefined;
  /** Of weights with channels. */
  readonly spread?: { readonly stats: WeightStats; readonly sqnr: WeightSqnr };
}

/** One measurement per quantized constant, in the order of the plan. */
export function constantMeasurements(
  graph: Graph,
  lane: Lane,
  planned: readonly PlannedQuantizer[],
): ConstantMeasurement[] {
  const axes = new Map(weightsOf(graph).map(({ tensor, axis }) => [tensor, axis]));
  return planned.flatMap((quantizer): ConstantMeasurement[] => {
    const { tensor, use, role } = quantizer;
    const { data } = tensorOf(graph, tensor);
    const quant = use === undefined ? lane.tensors.get(tensor) : lane.uses.get(useKey(use.node, use.slot));
    if (data === undefined || quant === undefined || (role !== 'weight' && role !== 'bias')) return [];
    const node = use?.node ?? topologyOf(graph).uses[tensor]?.[0]?.node;
    // The values are what the file's codes stand for: nothing is lost by them, and what they were made from is not known.
    const isStored = lane.codes?.has(tensor) === true;
    if (isStored && node === undefined) return [];
    const axis = role === 'weight' ? axes.get(tensor) : undefined;
    const isWhole = quant.granularity.kind === 'per-tensor';
    if (isStored && (axis === undefined || !isWhole)) {
      return [{ tensor, node, role, quant, self: undefined, axis: undefined }];
    }
    const values = toFloat32(data);
    const spread =
      axis === undefined
        ? undefined
        : {
            stats: weightStats(values, data.dims, axis),
            sqnr: weightSqnr(values, data.dims, axis, quantizer.scheme),
          };
    if (isStored)
      return [
        {
          tensor,
          node,
          role,
          quant,
          self: undefined,
          axis: undefined,
          ...(spread === undefined ? {} : { spread }),
        },
      ];
    const sums = constantError(values, data.dims, quant, axis);
    return [
      {
        tensor,
        node,
        role,
        quant,
        self: measurementOf(sums.value, sums.error, sums.channelXX),
        axis,
        ...(spread === undefined ? {} : { spread }),
      },
    ];
  });
}
