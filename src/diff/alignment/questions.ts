/** What running both networks once would tell about their alignment. */
import { tensorOf, type Graph, type TensorId } from '../../ir/graph.js';
import { traceOf, type Side } from './align.js';
import type { Alignment } from './alignment.js';
import { isDoubtful, unaligned } from './behaviour.js';
import { sizeOf } from './members.js';

/** Bytes of one sample's values that are asked for, of each network. */
const BUDGET = 64 * 1024 * 1024;

export interface Questions {
  readonly reference: TensorId[];
  readonly candidate: TensorId[];
}

/**
 * Tensors whose values on one or two samples, in float, would complete the alignment: those that are not aligned though the other
 * network has one of as many elements, and those whose order of elements is a guess. In graph order, without what is beyond 64 MB
 * for each side; empty when nothing is open.
 */
export function questions(reference: Side, candidate: Side, alignment: Alignment): Questions {
  const { matching, edges } = traceOf(reference, candidate, alignment);
  const open = unaligned(matching, edges);
  const doubtful = edges.filter((edge) => isDoubtful(matching, edge));
  const budget = { reference: BUDGET, candidate: BUDGET };
  const asked: Questions = { reference: [], candidate: [] };
  const ask = (side: keyof Questions, graph: Graph, tensors: readonly TensorId[]): void => {
    for (const tensor of tensors) {
      const bytes = 4 * (sizeOf(graph, tensor) ?? Infinity);
      if (bytes > budget[side] || tensorOf(graph, tensor).data !== undefined) continue;
      budget[side] -= bytes;
      asked[side].push(tensor);
    }
  };
  ask('reference', reference.graph, [...doubtful.map((edge) => edge.reference), ...open.reference]);
  ask('candidate', candidate.graph, [...doubtful.map((edge) => edge.candidate), ...open.candidate]);
  return asked;
}
