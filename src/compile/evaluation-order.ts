/** In which steps a graph is computed, and what of it cannot be. */
import { OPAQUE_DOMAIN, type Graph, type Node, type TensorId } from '../ir/graph.js';
import { operatorsOf, type Operator } from '../ir/operators.js';

/** An operator of the file with all its nodes, or a node that only brings a tensor into another order of axes. */
export type Step =
  | { readonly kind: 'operator'; readonly operator: Operator }
  | { readonly kind: 'layout'; readonly node: Node };

const orders = new WeakMap<Graph, readonly Step[]>();

/** All steps, each behind what it reads. */
export function evaluationOrder(graph: Graph): readonly Step[] {
  const known = orders.get(graph);
  if (known !== undefined) return known;
  // Other orders of an operator's inputs may be made between its nodes, so it comes where its last node stands.
  const closing = new Map(operatorsOf(graph).map((operator) => [operator.nodes.at(-1), operator]));
  const order = graph.nodes.flatMap((node): Step[] => {
    if (node.origin.part === 'layout') return [{ kind: 'layout', node }];
    const operator = closing.get(node);
    return operator === undefined ? [] : [{ kind: 'operator', operator }];
  });
  orders.set(graph, order);
  return order;
}

export function nodesOf(step: Step): readonly Node[] {
  return step.kind === 'operator' ? step.operator.nodes : [step.node];
}

const missing = new WeakMap<Graph, ReadonlyMap<TensorId, Node>>();

/** Tensors that nothing here computes, each with the opaque operator that writes it or that it depends on. */
export function uncomputed(graph: Graph): ReadonlyMap<TensorId, Node> {
  const known = missing.get(graph) ?? behind(graph, ({ domain }) => domain === OPAQUE_DOMAIN);
  missing.set(graph, known);
  return known;
}

/** Tensors whose elements are picked by score, each with the operator that picks: their places say nothing. */
export function selected(graph: Graph): ReadonlyMap<TensorId, Node> {
  return behind(graph, ({ op, domain }) => op === 'NonMaxSuppression' && domain === '');
}

/** Outputs of operators that have such a node, and all that depends on them; each with the first of those nodes. */
function behind(graph: Graph, isCause: (node: Node) => boolean): ReadonlyMap<TensorId, Node> {
  const found = new Map<TensorId, Node>();
  const causeOf = (node: Node): Node | undefined => {
    if (isCause(node)) return node;
    const captured = [...node.attrs.values()].flatMap((attr) =>
      attr.type === 'graph' ? attr.value.captures : [],
    );
    const read = [...node.inputs, ...captured].find((id) => id !== null && found.has(id));
    return read === undefined || read === null ? undefined : found.get(read);
  };
  for (const step of evaluationOrder(graph)) {
    const nodes = nodesOf(step);
    const cause = nodes.map(causeOf).find((node) => node !== undefined);
    if (cause === undefined) continue;
    for (const { outputs } of nodes) {
      for (const output of outputs) if (output !== null) found.set(output, cause);
    }
  }
  return found;
}
