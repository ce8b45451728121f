/** The program that gives the outputs of several networks for the same data, as a reader of the results gets them. */
import { tensorOf, type Graph, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { ONNX_DATA_TYPE } from '../ir/onnx-data-type.js';
import { uncomputed } from './evaluation-order.js';
import type { LaneValues } from './lane-values.js';
import type { CompiledModel, ModelWriter, Value } from './model-writer.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';

export interface EvaluatedOutput {
  /** As the user's file calls it. */
  readonly name: string;
  /** Position among the model's outputs. */
  readonly at: number;
}

export interface EvaluationProgram {
  readonly model: CompiledModel;
  /** The reference first, then one for each lane; every one with all outputs of its own file that something computes. */
  readonly networks: readonly (readonly EvaluatedOutput[])[];
  /** What the inputs of `graph` are fed, in their order, with the type they have there; empty unless asked for. */
  readonly inputs: readonly number[];
}

/**
 * Outputs are float32, those of float64, integers and bool float64; codes are turned into what they stand for.
 *
 * @param reference lane of `graph` that the others are compared with, or another network with a counterpart for every input of it
 * @param withInputs also gives what `graph` is fed, for another implementation of it
 */
export function evaluationProgram(
  graph: Graph,
  lanes: readonly Lane[],
  reference: Lane | ReferenceNetwork,
  withInputs = false,
): EvaluationProgram {
  const other = 'counterparts' in reference ? reference : undefined;
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set(), other);
  const positions = new Map<Value, number>();
  const position = (value: Value): number => {
    const known = positions.get(value) ?? positions.size;
    positions.set(value, known);
    return known;
  };
  const outputs = (of: Graph, values: LaneValues): EvaluatedOutput[] =>
    computedOutputs(of).map((id) => {
      const { name, dtype } = tensorOf(of, id);
      return { name, at: position(readable(writer, values.value(id), dtype)) };
    });
  const tested = lanes.map((lane) => runs.lane(lane));
  const first =
    'counterparts' in reference
      ? outputs(reference.graph, runs.other as LaneValues)
      : outputs(graph, runs.lane(reference));
  const networks = [first, ...tested.map((values) => outputs(graph, values))];
  const [anyLane] = tested;
  const inputs = withInputs && anyLane !== undefined ? rawInputs(writer, graph, anyLane).map(position) : [];
  return { model: writer.encode([...positions.keys()]), networks, inputs };
}

/** Outputs that are tensors and not behind an operator that nothing computes. */
export function computedOutputs(graph: Graph): TensorId[] {
  const missing = uncomputed(graph);
  return graph.outputs.filter((id) => !missing.has(id) && tensorOf(graph, id).dtype !== undefined);
}

/** Values of the graph's inputs before their quantizers. Identity: a graph input may not be an output itself. */
export function rawInputs(writer: ModelWriter, graph: Graph, values: LaneValues): Value[] {
  return graph.inputs.map((id) => {
    const held = values.held(id);
    if (!('raw' in held)) throw new RangeError(`input ${tensorOf(graph, id).name} has no value of its own`);
    return writer.op('Identity', [held.raw]);
  });
}

/** As a type that every runtime can hand over: float32, and float64 for those of more digits. */
export function readable(writer: ModelWriter, value: Value, dtype: Graph['tensors'][number]['dtype']): Value {
  if (dtype === undefined || dtype === 'float32') return writer.op('Identity', [value]);
  const to = dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : 'float64';
  return writer.op('Cast', [value], { to: ONNX_DATA_TYPE[to] });
}
