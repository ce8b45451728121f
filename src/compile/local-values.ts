/** Values of single operators of a lane, fed from the float run. */
import {
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type Node,
  type TensorId,
} from '../ir/graph.js';
import type { Operator } from '../ir/operators.js';
import { evaluationOrder } from './evaluation-order.js';
import { quantized, type Held } from './lane-tensors.js';
import type { LaneValues } from './lane-values.js';
import type { ModelWriter, Value } from './model-writer.js';

/** What the values are made of: the float run, and the lane whose operators are looked at. */
export interface LocalRuns {
  readonly graph: Graph;
  readonly float: LaneValues;
  readonly tested: LaneValues;
  /** Edges inside a fused operator, across which the operator is followed. */
  readonly fusedAway: ReadonlySet<TensorId>;
}

export class LocalValues {
  readonly #writer: ModelWriter;
  readonly #runs: LocalRuns;
  readonly #operators = new Map<TensorId, Operator>();
  readonly #outputs = new Map<Operator, ReadonlyMap<TensorId, Held>>();

  constructor(writer: ModelWriter, runs: LocalRuns) {
    this.#writer = writer;
    this.#runs = runs;
    if (runs.tested.tensors.lane.arithmetic === undefined) return;
    for (const step of evaluationOrder(runs.graph)) {
      if (step.kind === 'layout') continue;
      for (const { outputs } of step.operator.nodes) {
        for (const id of outputs) if (id !== null) this.#operators.set(id, step.operator);
      }
    }
  }

  /** The edge recomputed by its own operator alone, through the edge's own quantizer. */
  value(tensor: TensorId): Value {
    const operator = this.#operators.get(tensor);
    if (operator !== undefined) return this.#ofOperator(operator, tensor);
    const { graph, tested } = this.#runs;
    const raw = this.#raw(tensor);
    const params = tested.tensors.params(tensor);
    return params === undefined ? raw : quantized(this.#writer, graph, tensor, raw, params);
  }

  /** As one operator of the file, by its integer kernel where it has one. */
  #ofOperator(operator: Operator, tensor: TensorId): Value {
    const { tested } = this.#runs;
    const outputs = this.#outputs.get(operator) ?? tested.runner.run(operator, (id) => this.#input(id));
    this.#outputs.set(operator, outputs);
    const held = outputs.get(tensor);
    if (held === undefined) throw new RangeError(`an operator does not write tensor ${tensor}`);
    return tested.tensors.value(tensor, held);
  }

  /** What the float run has, before the quantizers of the lane; a copy in another order of axes moves the codes of that. */
  #input(tensor: TensorId): Held {
    const { graph, float, tested } = this.#runs;
    if (tensorOf(graph, tensor).data !== undefined) return tested.tensors.constant(tensor);
    const producer = this.#producer(tensor);
    if (producer?.origin.part !== 'layout') return { raw: float.value(tensor) };
    const held = tested.runner.move(producer, (id) => this.#input(id)).get(tensor);
    if (held === undefined) throw new RangeError(`node ${producer.id} does not write tensor ${tensor}`);
    return held;
  }

  /** Node by node, in float. */
  #raw(tensor: TensorId): Value {
    const { graph, float, tested, fusedAway } = this.#runs;
    const node = this.#producer(tensor);
    if (node === undefined) return float.value(tensor);
    const input = (id: TensorId, slot: number): Value => {
      const fused = fusedAway.has(id) && tensorOf(graph, id).data === undefined;
      return tested.through(node, slot, id, fused ? this.#raw(id) : float.value(id));
    };
    const inputs = node.inputs.map((id, slot) => (id === null ? null : input(id, slot)));
    const outputs = this.#writer.node(node, nodeLabel(node), inputs, (captured) => input(captured, -1));
    const value = outputs[node.outputs.indexOf(tensor)];
    if (value === undefined) throw new RangeError(`node ${node.id} does not write tensor ${tensor}`);
    return value;
  }

  #producer(tensor: TensorId): Node | undefined {
    const { graph } = this.#runs;
    const producer = topologyOf(graph).producer[tensor];
    return producer === undefined ? undefined : nodeOf(graph, producer);
  }
}
