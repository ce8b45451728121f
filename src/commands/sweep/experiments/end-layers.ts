/** Where a network begins and ends: what is kept in float first, by hand. */
import { nodeOf, type Graph, type NodeId, type TensorId } from '../../../ir/graph.js';
import { macsOf } from '../../../ir/macs.js';
import type { Layer } from '../../../quant/layers.js';

/**
 * Layers that multiply before any other does, and behind which none does: one each in a plain network, one for every head of a
 * detector. Operators around them that only scale the picture or choose among the scores do not count.
 */
export function endLayers(
  graph: Graph,
  layers: readonly Layer[],
): { readonly first: readonly Layer[]; readonly last: readonly Layer[] } {
  const multiplying = layers.filter(({ nodes }) =>
    nodes.some((node) => macsOf(graph, nodeOf(graph, node)) !== 0),
  );
  const ofNode = new Map<NodeId, Layer>(
    multiplying.flatMap((layer) => layer.nodes.map((node): [NodeId, Layer] => [node, layer])),
  );
  const behind = new Set<TensorId>();
  const late = new Set<Layer>();
  for (const { id, inputs, outputs } of graph.nodes) {
    const own = ofNode.get(id);
    const isBehind = inputs.some((tensor) => tensor !== null && behind.has(tensor));
    // Inside a layer its own product is no other.
    if (own !== undefined && isBehind && own.nodes[0] === id) late.add(own);
    if (own === undefined && !isBehind) continue;
    for (const tensor of outputs) if (tensor !== null) behind.add(tensor);
  }
  const ahead = new Set<TensorId>();
  const early = new Set<Layer>();
  for (const { id, inputs, outputs } of graph.nodes.toReversed()) {
    const own = ofNode.get(id);
    const isAhead = outputs.some((tensor) => tensor !== null && ahead.has(tensor));
    if (own !== undefined && isAhead && own.nodes.at(-1) === id) early.add(own);
    if (own === undefined && !isAhead) continue;
    for (const tensor of inputs) if (tensor !== null) ahead.add(tensor);
  }
  return {
    first: multiplying.filter((layer) => !late.has(layer)),
    last: multiplying.filter((layer) => !early.has(layer)),
  };
}
