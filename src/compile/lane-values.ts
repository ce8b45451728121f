/** Emits a graph under lanes: for every tensor the value it has in a lane, quantizers included. */
import { nodeLabel, tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { evaluationOrder, nodesOf, uncomputed } from './evaluation-order.js';
import { LaneTensors, type Held } from './lane-tensors.js';
import type { ModelWriter, Value } from './model-writer.js';
import { OperatorRunner } from './operator-runner.js';

/** Declares the graph's inputs in the model; the values are shared by all lanes. */
export function declareInputs(writer: ModelWriter, graph: Graph): ReadonlyMap<TensorId, Value> {
  return new Map(
    graph.inputs.map((id) => {
      const { name, dtype, shape } = tensorOf(graph, id);
      return [id, writer.input(name, dtype ?? 'float32', shape ?? [])];
    }),
  );
}

/** Values of one lane. Nodes are emitted in graph order; what nothing asks for is dropped on encoding. */
export class LaneValues {
  readonly tensors: LaneTensors;
  readonly runner: OperatorRunner;
  readonly #graph: Graph;
  readonly #held = new Map<TensorId, Held>();

  constructor(writer: ModelWriter, graph: Graph, lane: Lane, inputs: ReadonlyMap<TensorId, Value>) {
    this.tensors = new LaneTensors(writer, graph, lane);
    this.runner = new OperatorRunner(writer, graph, this.tensors);
    this.#graph = graph;
    for (const [id, raw] of inputs) this.#held.set(id, { raw });
    const hold = (tensor: TensorId): Held => this.#hold(tensor);
    const missing = uncomputed(graph);
    for (const step of evaluationOrder(graph)) {
      if (nodesOf(step).some(({ outputs }) => outputs.some((id) => id !== null && missing.has(id)))) continue;
      const made =
        step.kind === 'operator' ? this.runner.run(step.operator, hold) : this.runner.move(step.node, hold);
      for (const [id, held] of made) this.#held.set(id, held);
    }
  }

  /**
   * What consumers of the tensor (and a graph output) read in this lane.
   *
   * @throws RangeError for a tensor behind an operator that nothing computes
   */
  value(tensor: TensorId): Value {
    return this.tensors.value(tensor, this.#hold(tensor));
  }

  /** The tensor before its own quantizer, or its codes. @throws RangeError as `value` */
  held(tensor: TensorId): Held {
    return this.#hold(tensor);
  }

  #hold(tensor: TensorId): Held {
    const known = this.#held.get(tensor);
    if (known !== undefined) return known;
    const opaque = uncomputed(this.#graph).get(tensor);
    if (opaque === undefined) return this.tensors.constant(tensor);
    throw new RangeError(
      `tensor ${tensorOf(this.#graph, tensor).name} is behind ${nodeLabel(opaque)}, which nothing computes`,
    );
  }
}
