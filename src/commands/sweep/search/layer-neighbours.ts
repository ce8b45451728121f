/** Layers that meet at a quantized tensor: it is in float only when all of them are. */
import { nodeOf, tensorOf, topologyOf, type Graph, type NodeId, type TensorId } from '../../../ir/graph.js';
import { sourceOf } from '../../../ir/operators.js';
import type { Layer } from '../../../quant/layers.js';
import type { QuantPlan } from '../../../quant/placement/plan.js';

/**
 * Positions of the layers that read or write each quantized activation, or one that shares parameters with it, ascending; sets of
 * two layers and more, each once, in graph order of the tensors.
 */
export function meetingLayers(graph: Graph, plan: QuantPlan, layers: readonly Layer[]): number[][] {
  const layerOf = new Map<NodeId, number>(
    layers.flatMap(({ nodes }, at) => nodes.map((node): [NodeId, number] => [node, at])),
  );
  const { producer, uses } = topologyOf(graph);
  const leaders = new Map<TensorId, TensorId>();
  const members = new Map<TensorId, Set<number>>();
  for (const { tensor, range } of plan.quantizers) {
    if (range.kind === 'bias' || tensorOf(graph, tensor).data !== undefined) continue;
    const leader = range.kind === 'same-as' ? range.tensor : tensor;
    leaders.set(tensor, leader);
    if (!members.has(leader)) members.set(leader, new Set());
  }
  const meet = (tensor: TensorId, node: NodeId | undefined): void => {
    const leader = leaders.get(tensor) ?? leaders.get(sourceOf(graph, tensor));
    const layer = node === undefined ? undefined : layerOf.get(node);
    if (leader !== undefined && layer !== undefined) members.get(leader)?.add(layer);
  };
  for (const { id } of graph.tensors) {
    meet(id, producer[id]);
    for (const { node } of uses[id] ?? []) meet(id, node);
    // What is written in another order of axes than it is quantized in.
    const writer = producer[id];
    const [from] = writer === undefined ? [] : nodeOf(graph, writer).inputs;
    if (writer !== undefined && nodeOf(graph, writer).origin.part === 'layout' && from != null)
      meet(id, producer[from]);
  }
  const sets = new Map<string, number[]>();
  for (const found of members.values()) {
    const set = [...found].sort((a, b) => a - b);
    if (set.length > 1) sets.set(set.join(), set);
  }
  return [...sets.values()];
}
