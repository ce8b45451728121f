/** The program that gives the values of tensors themselves, beside those they are compared with. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { rawInputs, readable } from './evaluation-program.js';
import type { CompiledModel, Value } from './model-writer.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';

export interface ValueProgram {
  readonly model: CompiledModel;
  /** For each tensor asked for: positions among the model's outputs of its value in the lane, and of what it should be. */
  readonly tensors: readonly { readonly value: number; readonly reference: number | undefined }[];
  /** The same for the inputs of the graph, with the type they have there. */
  readonly inputs: readonly number[];
}

/** Values are float32; those of float64, integers and bool float64. `other` as for measurements. */
export function valueProgram(
  graph: Graph,
  lane: Lane,
  other: ReferenceNetwork | undefined,
  tensors: readonly TensorId[],
): ValueProgram {
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set(), other);
  const values = runs.lane(lane);
  const outputs = new Map<Value, number>();
  const position = (value: Value): number => {
    const known = outputs.get(value) ?? outputs.size;
    outputs.set(value, known);
    return known;
  };
  const made = tensors.map((tensor) => {
    const { dtype } = tensorOf(graph, tensor);
    const reference = other === undefined ? undefined : runs.reference(tensor);
    return {
      value: position(readable(writer, values.value(tensor), dtype)),
      reference: reference === undefined ? undefined : position(readable(writer, reference, dtype)),
    };
  });
  const inputs = rawInputs(writer, graph, values).map(position);
  return { model: writer.encode([...outputs.keys()]), tensors: made, inputs };
}
