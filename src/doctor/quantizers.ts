/** Quantizers of activations as rules ask for them. */
import { topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../ir/lane.js';
import { sourceOf } from '../ir/operators.js';

/**
 * Of an activation as what follows reads it: its own, in whatever order of axes, or where it has none that of its readers when all of
 * them have one.
 */
export function quantizerOf(graph: Graph, lane: Lane, tensor: TensorId): QuantParams | undefined {
  const own = lane.tensors.get(tensor) ?? lane.tensors.get(sourceOf(graph, tensor));
  if (own !== undefined) return own;
  const uses = topologyOf(graph).uses[tensor] ?? [];
  const read = uses.map(({ node, slot }) => lane.uses.get(useKey(node, slot)));
  return graph.outputs.includes(tensor) || read.includes(undefined) ? undefined : read[0];
}

/** Of one scale; undefined also for a scale that is no positive number. */
export function stepOf(params: QuantParams | undefined): number | undefined {
  const [scale = 0] = params?.scale ?? [];
  return params?.granularity.kind === 'per-tensor' && scale > 0 && Number.isFinite(scale) ? scale : undefined;
}

/** Operators whose results have a range that runtimes prescribe, whatever the data are. */
export const PRESCRIBED: ReadonlySet<string> = new Set([
  ...['Softmax', 'LogSoftmax', 'Sigmoid', 'HardSigmoid', 'Tanh', 'LpNormalization'],
]);
