/** Activations of two networks run on the same data, to see which belong together. */
import type { Graph, TensorId } from '../ir/graph.js';
import { FLOAT_LANE } from '../ir/lane.js';
import type { CompiledModel, Value } from './model-writer.js';
import { toFloat32 } from './operators.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';
import { tensorOf } from '../ir/graph.js';

export interface ActivationsProgram {
  readonly model: CompiledModel;
  /** Position of each tensor among the model's outputs, all float32. */
  readonly reference: ReadonlyMap<TensorId, number>;
  readonly candidate: ReadonlyMap<TensorId, number>;
}

/** @param other with a counterpart for every input of `graph`; the candidate runs in float */
export function activationsProgram(
  graph: Graph,
  other: ReferenceNetwork,
  wanted: { readonly reference: readonly TensorId[]; readonly candidate: readonly TensorId[] },
): ActivationsProgram {
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set<TensorId>(), other);
  const tested = runs.lane(FLOAT_LANE);
  const outputs: Value[] = [];
  const place = (of: Graph, tensor: TensorId, value: Value): [TensorId, number] => {
    const float = toFloat32(writer, value, tensorOf(of, tensor).dtype ?? 'float32');
    // Identity: a graph input may not be an output itself.
    const fetched = writer.op('Identity', [float]);
    const known = outputs.indexOf(fetched);
    return [tensor, known >= 0 ? known : outputs.push(fetched) - 1];
  };
  const values = runs.other;
  const reference = new Map(
    values === undefined ? [] : wanted.reference.map((id) => place(other.graph, id, values.value(id))),
  );
  const candidate = new Map(wanted.candidate.map((id) => place(graph, id, tested.value(id))));
  return { model: writer.encode(outputs), reference, candidate };
}
