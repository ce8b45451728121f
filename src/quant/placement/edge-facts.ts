/** What the structure of one graph says about its edges, where planning depends on it. */
import type { Graph, Node, Tensor, TensorId, Topology } from '../../ir/graph.js';
import { isFloat, tensorOf, topologyOf } from '../../ir/graph.js';

/** A slot that may be omitted or past the end. */
type Optional = TensorId | null | undefined;

export class EdgeFacts {
  readonly #graph: Graph;
  readonly #topology: Topology;
  readonly #outputs: ReadonlySet<TensorId>;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#topology = topologyOf(graph);
    this.#outputs = new Set(graph.outputs);
  }

  tensor(id: TensorId): Tensor {
    return tensorOf(this.#graph, id);
  }

  producer(tensor: TensorId): Node | undefined {
    const id = this.#topology.producer[tensor];
    return id === undefined ? undefined : this.#graph.nodes[id];
  }

  /** One use in all, by a node or by a subgraph. */
  hasOneReader(tensor: TensorId): boolean {
    return this.#topology.uses[tensor]?.length === 1;
  }

  /** Written by a node, read by one other and by nobody else. */
  isInner(tensor: TensorId): boolean {
    return this.producer(tensor) !== undefined && this.hasOneReader(tensor) && !this.#outputs.has(tensor);
  }

  /** Known to be floating-point. */
  isQuantizable(tensor: Optional): tensor is TensorId {
    return tensor != null && isFloat(this.tensor(tensor).dtype);
  }

  isFloatConstant(tensor: Optional): tensor is TensorId {
    return tensor != null && isFloat(this.tensor(tensor).data?.dtype);
  }

  /** Not known to hold something else than floating-point numbers. */
  mayBeFloat(tensor: Optional): tensor is TensorId {
    return tensor != null && (this.tensor(tensor).dtype === undefined || this.isQuantizable(tensor));
  }
}
