import { nodeOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';

/** Operators that read how large a tensor is. */
const EXTENTS: ReadonlySet<string> = new Set(['Shape', 'Size']);

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
    const node = writer === undefined ? undefined : nodeOf(graph, writer);
    // The extents of a tensor say nothing about its values.
    if (node === undefined || EXTENTS.has(node.op)) continue;
    for (const input of node.inputs) {
      if (input === null || seen.has(input) || producer[input] === undefined) continue;
      seen.add(input);
      pending.push(input);
    }
  }
  return ends;
}
