/** Which finding is told first. */
import { measuredInputs } from '../diff/measured-inputs.js';
import { tensorOf, topologyOf, type TensorId } from '../ir/graph.js';
import { ruleNamed } from './catalogue.js';
import type { Evidence } from './evidence.js';
import { isOfAll, worstFirst, type Diagnosed } from './finding.js';
import { writersOf } from './subject.js';
import { BROKEN_DB } from './untold.js';

/** Worst first. Where suspects are known, of one severity what is said of the worst suspect comes first; else in the order given. */
export function ranked(evidence: Evidence, findings: readonly Diagnosed[]): readonly Diagnosed[] {
  const { graph, suspects, edges } = evidence;
  if (suspects === undefined || edges === undefined) return worstFirst(wholeFirst(findings));
  const measured = new Set(edges.map(({ edge }) => edge.tensor));
  const ranks = new Map<string, number>();
  suspects.forEach(({ tensor }, rank) => {
    const names = [tensorOf(graph, tensor).name, ...writersOf(graph, tensor, measured)];
    for (const name of names) if (!ranks.has(name)) ranks.set(name, rank);
  });
  // What is said of the whole model comes before what is said of a place.
  const rankOf = (finding: Diagnosed): number => {
    const { tensor = '', node = '' } = finding.subject;
    return isOfAll(finding)
      ? -1
      : Math.min(ranks.get(tensor) ?? suspects.length, ranks.get(node) ?? suspects.length);
  };
  const broken = new Set(
    suspects.filter(({ db }) => db < BROKEN_DB).map(({ tensor }) => tensorOf(graph, tensor).name),
  );
  const inOrder = findings
    .map((finding) => ({ finding: earned(finding, broken), rank: rankOf(finding) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ finding }) => finding);
  return upstreamFirst(evidence, worstFirst(inOrder), measured);
}

/** An error of the whole network is behind those of its places. */
function wholeFirst(findings: readonly Diagnosed[]): Diagnosed[] {
  const rankOf = (finding: Diagnosed): number => (finding.severity === 'error' && isOfAll(finding) ? 0 : 1);
  return [...findings].sort((a, b) => rankOf(a) - rankOf(b));
}

/** What might be harmless elsewhere is an error where the tensor is broken by itself. */
function earned(finding: Diagnosed, broken: ReadonlySet<string>): Diagnosed {
  const isCause =
    finding.severity === 'warning' &&
    ruleNamed(finding.rule)?.severity === 'error' &&
    broken.has(finding.subject.tensor ?? '');
  return isCause ? { ...finding, severity: 'error' } : finding;
}

/**
 * Damage done to a tensor shows at what reads it, too, and sometimes more: of two errors of which one is on what the other reads, that
 * one is told first.
 */
function upstreamFirst(
  { graph }: Evidence,
  findings: readonly Diagnosed[],
  measured: ReadonlySet<TensorId>,
): Diagnosed[] {
  const { producer } = topologyOf(graph);
  const byName = new Map([...measured].map((tensor) => [tensorOf(graph, tensor).name, tensor]));
  const order = [...findings];
  // Each step goes up by one layer, and no layer twice.
  const visited = new Set<Diagnosed>();
  for (
    let [first] = order;
    first !== undefined && first.severity === 'error' && !visited.has(first);
    [first] = order
  ) {
    visited.add(first);
    const tensor = byName.get(first.subject.tensor ?? '');
    const writer = tensor === undefined ? undefined : producer[tensor];
    const read = writer === undefined ? [] : measuredInputs(graph, writer, measured);
    const names = new Set(read.map((id) => tensorOf(graph, id).name));
    const at = order.findIndex(
      ({ severity, subject }) => severity === 'error' && names.has(subject.tensor ?? ''),
    );
    if (at > 0) order.unshift(...order.splice(at, 1));
  }
  return order;
}
