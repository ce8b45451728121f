import type { OpaqueGraph, TensorId } from '../../ir/graph.js';
import { encodeGraph } from '../../onnx/proto.js';
import type { GraphProto } from '../../onnx/proto.js';
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
  const taken = allNames(graph);
  for (const name of arrived) taken.add(name);
  return rewriteGraph(graph, new Scope(names), {
    local(name) {
      if (!arrived.has(name)) return name;
      let aside = `${name}_local`;
      for (let i = 2; taken.has(aside); i++) aside = `${name}_local${i}`;
      taken.add(aside);
      return aside;
    },
    attribute: (attribute) => attribute,
    node: (node) => [node],
  });
}
