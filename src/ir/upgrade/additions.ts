import {
  tensorOf,
  topologyOf,
  type DType,
  type Graph,
  type Shape,
  type Tensor,
  type TensorId,
} from '../graph.js';

/** Tensors of a graph, and those that its upgrade adds behind them: all of them between the nodes of one operator. */
export class Additions {
  readonly #graph: Graph;
  readonly #added: Tensor[] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  get added(): readonly Tensor[] {
    return this.#added;
  }

  tensor(id: TensorId): Tensor {
    return this.#added[id - this.#graph.tensors.length] ?? tensorOf(this.#graph, id);
  }

  isRead(id: TensorId): boolean {
    const uses = topologyOf(this.#graph).uses[id] ?? [];
    return uses.length > 0 || this.#graph.outputs.includes(id);
  }

  constant(dtype: DType, values: BigInt64Array | Float32Array, dims: readonly number[]): TensorId {
    const bytes = new Uint8Array(values.buffer);
    const data = { dtype, dims, byteLength: bytes.byteLength, bytes: () => bytes };
    return this.#add({ name: 'constant', dtype, shape: dims, data });
  }

  activation(dtype: DType | undefined, shape: Shape | undefined): TensorId {
    return this.#add({ name: 'step', dtype, shape });
  }

  #add(tensor: Omit<Tensor, 'id'>): TensorId {
    const id = (this.#graph.tensors.length + this.#added.length) as TensorId;
    this.#added.push({ id, ...tensor });
    return id;
  }
}
