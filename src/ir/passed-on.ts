/** Operators that only move or pick elements. */
import { nodeOf, topologyOf, type Graph, type Node, type NodeId, type TensorId } from './graph.js';

/** They give values of their first input, and make none. */
const PASSING: ReadonlySet<string> = new Set([
  ...['Identity', 'Dropout', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Tile'],
  ...['Slice', 'Gather', 'Split', 'DepthToSpace', 'SpaceToDepth'],
]);

/** The tensor, and those that its values come from unchanged, the nearest first, each with the node that writes it. */
export function passedOn(graph: Graph, tensor: TensorId): { tensor: TensorId; writer: Node | undefined }[] {
  const { producer } = topologyOf(graph);
  const found: { tensor: TensorId; writer: Node | undefined }[] = [];
  let at: TensorId | null | undefined = tensor;
  while (at !== null && at !== undefined) {
    const made: NodeId | undefined = producer[at];
    const writer: Node | undefined = made === undefined ? undefined : nodeOf(graph, made);
    found.push({ tensor: at, writer });
    at =
      writer !== undefined && writer.domain === '' && PASSING.has(writer.op) ? writer.inputs[0] : undefined;
  }
  return found;
}
