import {
  nodeLabel,
  nodeOf,
  tensorOf,
  topologyOf,
  type Graph,
  type NodeId,
  type TensorId,
} from '../../../ir/graph.js';
import type { With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { short } from '../../wording.js';
import { rule } from '../../rule.js';

export const graphChanged = rule({
  id: 'base.graph-changed',
  title: 'The export computes another function than the reference',
  severity: 'error',
  needs: ['reference', 'alignment', 'suspects'],
  text: {
    what: 'Operators that one network has and the other has not, where the tensors behind them differ.',
    why: 'An operator that a converter dropped, added or replaced changes the function: no calibration brings that back.',
    instead:
      'Convert again without the optimization that did it, or take the float model that the export was made from as the reference.',
    see: ['base.op-differs', 'w.not-same-model'],
  },
  check,
});

/** Local SQNR (dB) of the first common tensor behind an operator, below which the operator is missed. */
const MISSED_DB = 20;
const BROKEN_DB = 10;
/** What exporters leave to the range of the quantizer behind it. */
const CLAMPS: ReadonlySet<string> = new Set(['Relu', 'Clip']);

/** Operators that one network has and the other has not, where the tensors behind them differ. */
function check(evidence: With<'reference' | 'alignment' | 'suspects'>): Diagnosed[] {
  const { graph, reference, alignment, suspects } = evidence;
  const localDb = new Map(
    suspects.flatMap(({ tensor, kind, db }) => (kind === 'operator' ? [[tensor, db] as const] : [])),
  );
  const candidates = new Map(alignment.edges.map((edge) => [edge.reference, edge.candidate]));
  const own = new Set(alignment.edges.map(({ candidate }) => candidate));
  const behindReference = (node: NodeId): TensorId[] =>
    firstBehind(reference.graph, node, (id) => candidates.has(id)).map(
      (id) => candidates.get(id) as TensorId,
    );
  const behindCandidate = (node: NodeId): TensorId[] => firstBehind(graph, node, (id) => own.has(id));
  const told = new Set<TensorId>();
  const judge = (
    missing: NodeId,
    from: Graph,
    where: 'reference' | 'candidate',
    behind: TensorId[],
  ): Diagnosed[] => {
    const [tensor] = behind.filter((id) => (localDb.get(id) ?? Infinity) < MISSED_DB);
    if (tensor === undefined || told.has(tensor)) return [];
    told.add(tensor);
    const db = localDb.get(tensor) ?? 0;
    const node = nodeOf(from, missing);
    const writer = topologyOf(graph).producer[tensor];
    const absent = where === 'reference' ? 'the candidate has not' : 'the reference has not';
    return [
      {
        rule: 'base.graph-changed',
        severity: db < BROKEN_DB ? 'error' : 'warning',
        subject: {
          ...(writer === undefined ? {} : { node: nodeLabel(nodeOf(graph, writer)) }),
          tensor: tensorOf(graph, tensor).name,
        },
        message: `the ${where} has ${node.origin.op} ${nodeLabel(node)} before it, which ${absent}; on the reference's inputs ${
          Number.isFinite(db)
            ? `${short(db)} dB are left here (local)`
            : 'nothing of the signal is left here (local)'
        }`,
        // A Relu that a quantizer was to stand for is missed where the zero point is wrong.
        ...(where === 'reference' && CLAMPS.has(node.op) ? { yieldsTo: ['act.shifted-range'] } : {}),
        args: { op: node.origin.op, network: where, ...(Number.isFinite(db) ? { localSqnrDb: db } : {}) },
      },
    ];
  };
  return [
    ...alignment.unmatched.reference.flatMap((id) =>
      judge(id, reference.graph, 'reference', behindReference(id)),
    ),
    ...alignment.unmatched.candidate.flatMap((id) => judge(id, graph, 'candidate', behindCandidate(id))),
  ];
}

/** The tensors at or behind a node's outputs that are aligned, each the first on its path. */
function firstBehind(graph: Graph, node: NodeId, isAligned: (tensor: TensorId) => boolean): TensorId[] {
  const { uses } = topologyOf(graph);
  const found = new Set<TensorId>();
  const pending = [node];
  const seen = new Set(pending);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const output of nodeOf(graph, id).outputs) {
      if (output === null) continue;
      if (isAligned(output)) {
        found.add(output);
        continue;
      }
      for (const use of uses[output] ?? []) {
        if (seen.has(use.node)) continue;
        seen.add(use.node);
        pending.push(use.node);
      }
    }
  }
  return [...found];
}
