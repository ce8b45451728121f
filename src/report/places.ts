/** What the user calls a place in a network. */
import {
  nodeLabel,
  nodeOf,
  topologyOf,
  type Graph,
  type Node,
  type NodeId,
  type TensorId,
} from '../ir/graph.js';
import type { QuantPlan } from '../quant/placement/plan.js';

/** An operator, with what is fused into it. */
interface PlacedOperator {
  /** As the user's file calls its first node. */
  readonly node: string;
  /** Operators of the file in it, such as `Conv+Relu`. */
  readonly op: string;
}

/** Where a tensor stands: the operator that computes it, or for what no node writes the one that reads it. */
interface Place extends PlacedOperator {
  readonly order: number;
}

/** Names places in a graph; a fused operator is called after its first node, `Conv+Relu`. */
export class Places {
  readonly #graph: Graph;
  readonly #fusedAway: ReadonlySet<TensorId>;

  constructor(graph: Graph, plan: Pick<QuantPlan, 'fusedAway'>) {
    this.#graph = graph;
    this.#fusedAway = new Set(plan.fusedAway);
  }

  of(tensor: TensorId, reader?: NodeId): Place {
    const { producer, uses } = topologyOf(this.#graph);
    const written = producer[tensor];
    const id = written ?? reader ?? uses[tensor]?.[0]?.node;
    if (id === undefined) return { node: '', op: '', order: -1 };
    const operator = written === undefined ? this.#placed([nodeOf(this.#graph, id)]) : this.operator(written);
    return { ...operator, order: id };
  }

  /** The operator whose last node this is. */
  operator(last: NodeId): PlacedOperator {
    return this.#placed(this.#chain(last));
  }

  #placed(chain: readonly Node[]): PlacedOperator {
    return { node: nodeLabel(chain[0] as Node), op: opsOf(this.#graph, chain).join('+') };
  }

  /** The node and those that were fused in front of it, first computed first. */
  #chain(id: NodeId): Node[] {
    const node = nodeOf(this.#graph, id);
    const inner = node.inputs.find((input) => input !== null && this.#fusedAway.has(input));
    const before =
      inner === undefined || inner === null ? undefined : topologyOf(this.#graph).producer[inner];
    // A tensor in another order of axes belongs to whichever operator asked for it first.
    if (before === undefined || nodeOf(this.#graph, before).origin.part === 'layout') return [node];
    return [...this.#chain(before), node];
  }
}

/** Operators of the file: what became several nodes has one name. */
function opsOf({ format }: Graph, chain: readonly Node[]): string[] {
  if (format === 'onnx') return chain.map(({ op }) => op);
  const shown = chain.filter(({ origin: { index } }, i) => chain[i - 1]?.origin.index !== index);
  return shown.map(({ origin: { op } }) => op);
}
