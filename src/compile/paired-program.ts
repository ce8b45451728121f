/** The program that gives tensors of a lane beside what they should be, whole or at some of their elements. */
import type { Graph } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { probed } from './calibration-program.js';
import type { Edge } from './edges.js';
import type { CompiledModel, Value } from './model-writer.js';
import { ComparedRuns, writerFor, type ReferenceNetwork } from './reference.js';

export interface WantedPair {
  readonly edge: Edge;
  /** Positions of elements in row-major order; all elements when absent. */
  readonly at?: readonly number[];
}

export interface PairedProgram {
  readonly model: CompiledModel;
  /** For each tensor asked for: positions among the model's outputs of its values in the lane, and of what they should be. */
  readonly pairs: readonly { readonly value: number; readonly reference: number | undefined }[];
}

/**
 * Values are float32.
 *
 * @param other what the tensors should be; the same network in float when absent
 */
export function pairedProgram(
  graph: Graph,
  lane: Lane,
  other: ReferenceNetwork | undefined,
  wanted: readonly WantedPair[],
): PairedProgram {
  const writer = writerFor(graph, other);
  const runs = new ComparedRuns(writer, graph, new Set(), other);
  const values = runs.lane(lane);
  const outputs = new Map<Value, number>();
  const position = ({ edge, at }: WantedPair, value: Value): number => {
    // Identity: a graph input may not be an output itself.
    const whole = writer.op('Identity', [probed(writer, graph, edge, value)]);
    const fetched =
      at === undefined
        ? whole
        : writer.op('Gather', [
            writer.op('Reshape', [whole, writer.literal('int64', [-1], [1])]),
            writer.literal('int64', at, [at.length]),
          ]);
    const known = outputs.get(fetched) ?? outputs.size;
    outputs.set(fetched, known);
    return known;
  };
  const pairs = wanted.map((pair) => {
    const reference = runs.reference(pair.edge.tensor);
    return {
      value: position(pair, values.value(pair.edge.tensor)),
      reference: reference === undefined ? undefined : position(pair, reference),
    };
  });
  return { model: writer.encode([...outputs.keys()]), pairs };
}
