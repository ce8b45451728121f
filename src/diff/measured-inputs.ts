import { nodeOf, topologyOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';

/** The measured activations that a node depends on, through whatever lies between and is not measured. */
export function measuredInputs(
  graph: Graph,
  node: NodeId,
  measured: { has(tensor: TensorId): boolean },
): TensorId[] {
  const { producer } = topologyOf(graph);
  const found = new Set<TensorId>();
  const pending = [node];
  const seen = new Set(pending);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const input of nodeOf(graph, id).inputs) {
      if (input === null) continue;
      const writer = producer[input];
      if (measured.has(input)) found.add(input);
      else if (writer !== undefined && !seen.has(writer)) {
        seen.add(writer);
        pending.push(writer);
      }
    }
  }
  return [...found];
}
