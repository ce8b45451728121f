/** In which steps an output moves as integers. */
import type { Graph, TensorId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { passedOn } from '../../ir/passed-on.js';

/**
 * Difference between two neighbouring values of the tensor in the lane: the scale of its quantizer, or of the one in front of
 * operators that only move elements. Undefined where there is none, or one for each channel.
 */
export function stepOf(graph: Graph, { tensors }: Lane, tensor: TensorId): number | undefined {
  for (const { tensor: at } of passedOn(graph, tensor)) {
    const params = tensors.get(at);
    if (params === undefined) continue;
    const [scale] = params.read?.scale ?? params.scale;
    const isOne = params.granularity.kind === 'per-tensor' && scale !== undefined;
    return isOne && scale > 0 && Number.isFinite(scale) ? scale : undefined;
  }
  return undefined;
}
