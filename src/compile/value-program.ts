/** The program that gives the values of tensors themselves, beside those they are compared with. */
import { tensorOf, type DType, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import type { CompiledModel, ModelWriter, Value } from './model-writer.js';
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
  // Identity: a graph input may not be an output itself.
  const inputs = graph.inputs.map((id) => {
    const held = values.held(id);
    if (!('raw' in held)) throw new RangeError(`input ${tensorOf(graph, id).name} has no value of its own`);
    return position(writer.op('Identity', [held.raw]));
  });
  return { model: writer.encode([...outputs.keys()]), tensors: made, inputs };
}

/** As a type that every runtime can hand over. */
function readable(writer: ModelWriter, value: Value, dtype: DType | undefined): Value {
  if (dtype === undefined || dtype === 'float32') return writer.op('Identity', [value]);
  const to = dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : 'float64';
  return writer.op('Cast', [value], { to: ONNX_DATA_TYPE[to] });
}
