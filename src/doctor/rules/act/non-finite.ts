import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import type { Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';

/** The float network itself computes NaN or infinite values: only the first edge is named, the rest follows from it. */
export function nonFinite({ graph, edges }: Evidence): Finding[] {
  const first = edges.find((edge) => edge.nonFinite > 0);
  if (first === undefined) return [];
  const { edge } = first;
  const node = edge.producer === undefined ? undefined : nodeLabel(nodeOf(graph, edge.producer));
  return [
    {
      rule: 'act.non-finite',
      severity: 'error',
      subject: { ...(node === undefined ? {} : { node }), tensor: tensorOf(graph, edge.tensor).name },
      message: `the float network computes ${first.nonFinite} NaN or infinite values here, first for ${first.nonFiniteIn ?? 'a sample'}`,
      args: { nonFinite: first.nonFinite, sample: first.nonFiniteIn ?? '' },
    },
  ];
}
