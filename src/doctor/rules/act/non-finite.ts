import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import type { ComparisonEvidence, Evidence } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';

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

/** The candidate computes NaN or infinite values where the reference has numbers: named is the first operator that does so by itself. */
export function nonFiniteCandidate({ graph, edges }: ComparisonEvidence): Finding[] {
  const made = (
    { nonFinite: own, errors }: ComparisonEvidence['edges'][number],
    kind: 'local' | 'cumulative',
  ): number => (errors.get(kind)?.nonFinite ?? 0) - own;
  const first =
    edges.find((edge) => made(edge, 'local') > 0) ?? edges.find((edge) => made(edge, 'cumulative') > 0);
  if (first === undefined) return [];
  const count = Math.max(made(first, 'local'), made(first, 'cumulative'));
  return [
    {
      rule: 'act.non-finite',
      severity: 'error',
      subject: subjectOf(graph, first.edge.tensor),
      message: `the candidate computes ${count} NaN or infinite values here, where the reference has numbers`,
      args: { nonFinite: count },
    },
  ];
}
