/** Constants that a graph passes through operators which only change their shape or type: a bias that is reshaped before it is added. */
import { isFloat, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../../ir/graph.js';

/** Operators that keep the values of their first operand and their row-major order. */
const KEEPING: ReadonlySet<string> = new Set([
  ...['Identity', 'Cast', 'CastLike', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'],
]);

/** The constant with the values of the tensor, in its order; undefined when there is none. */
export function constantSource(graph: Graph, tensor: TensorId): TensorId | undefined {
  const { producer } = topologyOf(graph);
  const seen = new Set<TensorId>();
  let at = tensor;
  // A graph that writes a tensor twice could go in circles.
  while (!seen.has(at)) {
    if (tensorOf(graph, at).data !== undefined) return at;
    seen.add(at);
    const writer = producer[at];
    const node = writer === undefined ? undefined : nodeOf(graph, writer);
    const from = node !== undefined && KEEPING.has(node.op) ? (node.inputs[0] ?? undefined) : undefined;
    if (from === undefined || !isFloat(tensorOf(graph, at).dtype)) return undefined;
    at = from;
  }
  return undefined;
}
