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

/** Labels of the nodes that make a measured tensor of other measured ones: its writer, and those before it that write nothing measured. */
export function writersOf(
  graph: Graph,
  tensor: TensorId,
  measured: ReadonlySet<TensorId>,
): ReadonlySet<string> {
  const { producer } = topologyOf(graph);
  const labels = new Set<string>();
  const pending = [tensor];
  const seen = new Set(pending);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    const writer = producer[id];
    if (writer === undefined) continue;
    const node = nodeOf(graph, writer);
    labels.add(nodeLabel(node));
    for (const input of node.inputs) {
      if (input === null || measured.has(input) || seen.has(input)) continue;
      seen.add(input);
      pending.push(input);
    }
  }
  return labels;
}

/** Labels of what writes and what reads the tensors: quantizers of ONNX Runtime leave a tensor in float only where all of them are left out. */
export function labelsAround(graph: Graph, tensors: readonly TensorId[]): string[] {
  const { producer, uses } = topologyOf(graph);
  const nodes = tensors.flatMap((tensor) => [
    ...(producer[tensor] === undefined ? [] : [producer[tensor]]),
    ...(uses[tensor] ?? []).map(({ node }) => node),
  ]);
  return [...new Set(nodes)].map((node) => nodeLabel(nodeOf(graph, node)));
}
