import { nodeLabel, nodeOf, tensorOf } from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { subjectOf } from '../../subject.js';
import { rule } from '../../rule.js';

export const nonFinite = rule({
  id: 'act.non-finite',
  title: 'The network computes NaN or infinite values',
  severity: 'error',
  needs: ['edges'],
  text: {
    what: 'NaN and infinities on the samples measured: in the float network, or only in the candidate.',
    why: 'A range cannot be made of them, and one of them spoils every sum that it enters.',
    instead:
      'Look at the named operator: a division by zero, a logarithm of what is not positive, weights that are NaN; or at the sample.',
    see: ['q.degenerate'],
  },
  check,
});

type Measured = With<'edges'>;

function check(evidence: Measured): Finding[] {
  return evidence.reference === undefined ? inFloat(evidence) : asIntegers(evidence);
}

/** The float network itself computes NaN or infinite values: only the first edge is named, the rest follows from it. */
function inFloat({ graph, edges }: Measured): Finding[] {
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
function asIntegers({ graph, edges }: Measured): Finding[] {
  const made = (
    { nonFinite: own, errors }: Measured['edges'][number],
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
