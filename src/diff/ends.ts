import { nodeOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';

/**
 * Where a comparison of two runs ends: every graph output that was measured; for one that was not (its shape depends on the
 * data, it is an integer), the last measured tensors before it that some node computes.
 */
export function endsOf(graph: Graph, measured: ReadonlySet<TensorId>): ReadonlySet<TensorId> {
  const { producer } = topologyOf(graph);
  const ends = new Set<TensorId>();
  const pending = [...graph.outputs];
  const seen = new Set<TensorId>(pending);
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (measured.has(tensor)) {
      ends.add(tensor);
      continue;
    }
    const writer = producer[tensor];
    for (const input of writer === undefined ? [] : nodeOf(graph, writer).inputs) {
      if (input === null || seen.has(input) || producer[input] === undefined) continue;
      seen.add(input);
      pending.push(input);
    }
  }
  return ends;
}
