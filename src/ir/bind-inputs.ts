import type { Graph, Shape, TensorId } from './graph.js';

/**
 * The graph for inputs of exactly these extents, by input name: symbols that an extent settles are settled everywhere.
 * Extents must agree with what the graph fixes; inputs that are not named stay as they are.
 */
export function bindInputs(graph: Graph, extents: ReadonlyMap<string, readonly number[]>): Graph {
  const symbols = new Map<string, number>();
  const bound = new Map<TensorId, readonly number[]>();
  for (const id of graph.inputs) {
    const tensor = graph.tensors[id];
    const dims = tensor === undefined ? undefined : extents.get(tensor.name);
    if (dims === undefined) continue;
    bound.set(id, dims);
    tensor?.shape?.forEach((dim, i) => {
      const extent = dims[i];
      if (typeof dim === 'string' && extent !== undefined) symbols.set(dim, extent);
    });
  }
  const settle = (shape: Shape | undefined): Shape | undefined =>
    shape?.map((dim) => (typeof dim === 'string' ? (symbols.get(dim) ?? dim) : dim));
  return {
    ...graph,
    tensors: graph.tensors.map((tensor) => ({
      ...tensor,
      shape: bound.get(tensor.id) ?? settle(tensor.shape),
    })),
  };
}
