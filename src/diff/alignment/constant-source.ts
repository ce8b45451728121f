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
  for (let at: TensorId | undefined = tensor; at !== undefined && !seen.has(at);) {
    if (tensorOf(graph, at).data !== undefined) return at;
    seen.add(at);
    const writer = producer[at];
    const node = writer === undefined ? undefined : nodeOf(graph, writer);
    const isKept = node !== undefined && KEEPING.has(node.op) && isFloat(tensorOf(graph, at).dtype);
    at = isKept ? (node.inputs[0] ?? undefined) : undefined;
  }
  return undefined;
}
