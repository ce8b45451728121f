import type { Graph, TensorId } from './graph.js';

/** Of those tensors, how many at most lie one behind the other on a way through the graph. */
export function mostOnOneWay(graph: Graph, tensors: Iterable<TensorId>): number {
  const counted = new Set(tensors);
  const lengths = new Map<TensorId, number>();
  let longest = 0;
  for (const { inputs, outputs } of graph.nodes) {
    const before = inputs.reduce<number>(
      (most, id) => (id === null ? most : Math.max(most, lengths.get(id) ?? 0)),
      0,
    );
    for (const id of outputs) {
      if (id === null) continue;
      const length = before + (counted.has(id) ? 1 : 0);
      lengths.set(id, length);
      longest = Math.max(longest, length);
    }
  }
  return longest;
}
