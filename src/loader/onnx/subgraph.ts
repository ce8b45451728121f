import type { OpaqueGraph, TensorId } from '../../ir/graph.js';
import { encodeGraph } from '../../onnx/proto.js';
import type { GraphProto } from '../../onnx/proto.js';
import { FreshNames } from './fresh-names.js';
import { allNames, freeNames, rewriteGraph, Scope } from './rewrite.js';

/**
 * The body of a control flow node, which the IR passes on without looking into it.
 *
 * @param ids tensors around the node, by name.
 */
export function opaqueGraph(graph: GraphProto, ids: ReadonlyMap<string, TensorId>): OpaqueGraph {
  const captured = [...freeNames(graph)].flatMap((name) => {
    const id = ids.get(name);
    return id === undefined ? [] : [[name, id] as const];
  });
  return {
    captures: captured.map(([, id]) => id),
    encode: (rename) =>
      encodeGraph(renameCaptures(graph, new Map(captured.map(([name, id]) => [name, rename(id)])))),
  };
}

/** The graph's own values step aside where one has the new name of a captured one. */
function renameCaptures(graph: GraphProto, names: ReadonlyMap<string, string>): GraphProto {
  const arrived = new Set(names.values());
  const fresh = new FreshNames(new Set([...arrived, ...allNames(graph)]));
  return rewriteGraph(graph, new Scope(names), {
    local: (name) => (arrived.has(name) ? fresh.next(`${name}_local`) : name),
    attribute: (attribute) => attribute,
    node: (node) => [node],
  });
}
