/** Values of single operators of a lane, each fed with what its inputs should be. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import { evaluationOrder, nodesOf, uncomputed } from './evaluation-order.js';
import type { Held } from './lane-tensors.js';
import type { LaneValues } from './lane-values.js';
import type { Value } from './model-writer.js';
import type { Reference } from './reference.js';

export class LocalValues {
  readonly #tested: LaneValues;
  readonly #graph: Graph;
  readonly #reference: Reference;
  readonly #made = new Map<TensorId, Held>();

  /**
   * @param reference values that tensors should have; where it has none, an operator reads what the operator before it made,
   *   as across the parts of a fused one
   */
  constructor(graph: Graph, tested: LaneValues, reference: Reference) {
    this.#graph = graph;
    this.#tested = tested;
    this.#reference = reference;
    const missing = uncomputed(graph);
    for (const step of evaluationOrder(graph)) {
      if (nodesOf(step).some(({ outputs }) => outputs.some((id) => id !== null && missing.has(id)))) continue;
      const hold = (tensor: TensorId): Held => this.#hold(tensor);
      const made =
        step.kind === 'operator'
          ? tested.runner.run(step.operator, hold)
          : tested.runner.move(step.node, hold);
      for (const [id, held] of made) this.#made.set(id, held);
    }
  }

  /** The edge recomputed by its own operator alone, through the edge's own quantizer. */
  value(tensor: TensorId): Value {
    const held = this.#made.get(tensor);
    if (held === undefined)
      throw new RangeError(`no operator writes tensor ${tensorOf(this.#graph, tensor).name}`);
    return this.#tested.tensors.value(tensor, held);
  }

  #hold(tensor: TensorId): Held {
    if (tensorOf(this.#graph, tensor).data !== undefined) return this.#tested.tensors.constant(tensor);
    const should = this.#reference(tensor);
    if (should !== undefined) return { raw: should };
    return this.#made.get(tensor) ?? this.#tested.held(tensor);
  }
}
