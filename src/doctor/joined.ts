/** Where an operator that joins tensors has its scale, and where what it joins was measured. */
import type { EdgeMeasurement } from '../diff/edge-measurements.js';
import { nodeOf, topologyOf, type Graph, type NodeId, type TensorId } from '../ir/graph.js';
import { sourceOf } from '../ir/operators.js';

type ByTensor = ReadonlyMap<TensorId, EdgeMeasurement>;

/** Operators that only move the values of their first input. */
const MOVES: ReadonlySet<string> = new Set([
  ...['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'DepthToSpace', 'SpaceToDepth'],
]);

/** Activation functions that targets fuse into the sum or product before them. */
const FUSED: ReadonlySet<string> = new Set(['Relu', 'Clip']);

/** Of the output of an operator; of the activation function behind it, where that is fused with it and has the only scale. */
export function joinedMeasurement(
  graph: Graph,
  byTensor: ByTensor,
  output: TensorId | null | undefined,
): EdgeMeasurement | undefined {
  if (output === null || output === undefined) return undefined;
  const own = byTensor.get(output) ?? byTensor.get(sourceOf(graph, output));
  if (own !== undefined) return own;
  const [use, ...others] = topologyOf(graph).uses[output] ?? [];
  if (use === undefined || others.length > 0) return undefined;
  const reader = nodeOf(graph, use.node);
  const [result] = reader.outputs;
  return FUSED.has(reader.op) && result !== null && result !== undefined ? byTensor.get(result) : undefined;
}

/** The tensor that this one has its values from unchanged: the first that `has` knows, through operators that only move values. */
export function movedFrom(
  graph: Graph,
  tensor: TensorId,
  has: (tensor: TensorId) => boolean,
): TensorId | undefined {
  const { producer } = topologyOf(graph);
  let id = tensor;
  while (!has(id)) {
    const from = moveSource(graph, producer[id]);
    if (from === undefined) return undefined;
    id = from;
  }
  return id;
}

function moveSource(graph: Graph, writer: NodeId | undefined): TensorId | undefined {
  if (writer === undefined) return undefined;
  const { op, domain, inputs } = nodeOf(graph, writer);
  return domain === '' && MOVES.has(op) ? (inputs[0] ?? undefined) : undefined;
}

export function isMove(op: string): boolean {
  return MOVES.has(op);
}

/**
 * What the values of a tensor would keep of themselves in steps of another one's quantizer, dB: an error of step^2 / 12 each, or their
 * own energy (0 dB) where all are rounded to 0. Undefined where their energy is not known.
 */
export function sqnrInSteps({ errors }: EdgeMeasurement, step: number): number | undefined {
  for (const { mse, sqnrDb } of errors.values()) {
    if (sqnrDb === undefined || !(mse > 0)) continue;
    const power = mse * 10 ** (sqnrDb / 10);
    return Math.max(0, 10 * Math.log10((12 * power) / step ** 2));
  }
  return undefined;
}
