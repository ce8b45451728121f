/** The operator that computes an output, where others only move its elements. */
import { nodeLabel, tensorOf, type Graph, type Node, type TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { passedOn } from '../ir/passed-on.js';
import type { Finding } from './finding.js';

export interface Computed {
  /** What the operator writes. */
  readonly tensor: TensorId;
  readonly node: Node;
}

/** Undefined for what comes from an input unchanged. */
function computedBy(graph: Graph, tensor: TensorId): Computed | undefined {
  const last = passedOn(graph, tensor).at(-1);
  return last?.writer === undefined ? undefined : { tensor: last.tensor, node: last.writer };
}

/** Operators whose values lie in 0 to 1. */
const BOUNDED: ReadonlySet<string> = new Set(['Softmax', 'Sigmoid', 'HardSigmoid']);

/** The same where that operator gives probabilities: values of 0 to 1, whatever goes in. */
export function probabilitiesOf(graph: Graph, tensor: TensorId): Computed | undefined {
  const computed = computedBy(graph, tensor);
  return computed !== undefined && computed.node.domain === '' && BOUNDED.has(computed.node.op)
    ? computed
    : undefined;
}

/** The output by its name, and the operator that computes it. */
export function outputSubject(graph: Graph, tensor: TensorId): Finding['subject'] {
  const computed = computedBy(graph, tensor);
  return {
    ...(computed === undefined ? {} : { node: nodeLabel(computed.node) }),
    tensor: tensorOf(graph, tensor).name,
  };
}

/** Quantizers that the values of an output pass: its own, and those in front of operators that only move elements. */
export function outputQuantizers(graph: Graph, { tensors }: Lane, tensor: TensorId): TensorId[] {
  return passedOn(graph, tensor).flatMap(({ tensor: at }) => (tensors.has(at) ? [at] : []));
}
