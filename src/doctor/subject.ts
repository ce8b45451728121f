import { nodeLabel, nodeOf, tensorOf, topologyOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Finding } from './finding.js';

/** The tensor and the operator that writes it, or reads it first. */
export function subjectOf(graph: Graph, tensor: TensorId): Finding['subject'] {
  const { producer, uses } = topologyOf(graph);
  const node = producer[tensor] ?? uses[tensor]?.[0]?.node;
  return {
    ...(node === undefined ? {} : { node: nodeLabel(nodeOf(graph, node)) }),
    tensor: tensorOf(graph, tensor).name,
  };
}
