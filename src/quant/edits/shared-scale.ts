/** Groups of tensors that an operator such as Concat makes share their parameters, and where they can be parted. */
import { nodeOf, tensorOf, topologyOf, type Graph, type Node, type NodeId } from '../../ir/graph.js';
import type { TensorId, Use } from '../../ir/graph.js';
import { hasSameCodes, type Lane } from '../../ir/lane.js';
import type { QuantPlan } from '../placement/plan.js';
import { PLACEMENTS } from '../placement/planner.js';

/** A tensor that is computed with the parameters of another, because an operator asks for them. */
export interface SharedEntry {
  readonly tensor: TensorId;
  /** The tensor whose parameters it has. */
  readonly leader: TensorId;
  /** It, and those that only its codes are moved to. */
  readonly tensors: readonly TensorId[];
  /** Where the operator that joins the group reads one of them. */
  readonly joined: readonly Use[];
  readonly joins: readonly NodeId[];
  /** By more than that operator: the others would read a finer scale. */
  readonly isReadElsewhere: boolean;
}

/** In the order of the plan. Tensors that differ from their leader in the lane are parted already. */
export function sharedEntries(graph: Graph, plan: QuantPlan, lane: Lane): SharedEntry[] {
  const sharing = sharingNodes(graph, plan);
  return [...groupsOf(graph, plan, lane)].flatMap(([leader, group]) =>
    [...group].flatMap((tensor) => entryAt(graph, sharing, group, leader, tensor) ?? []),
  );
}

/** By the tensor whose parameters they have, it among them. */
function groupsOf(graph: Graph, plan: QuantPlan, lane: Lane): Map<TensorId, Set<TensorId>> {
  const groups = new Map<TensorId, Set<TensorId>>();
  for (const { tensor, use, range } of plan.quantizers) {
    if (range.kind !== 'same-as' || use !== undefined || tensorOf(graph, tensor).data !== undefined) continue;
    const [own, params] = [lane.tensors.get(tensor), lane.tensors.get(range.tensor)];
    if (own === undefined || params === undefined || !hasSameCodes(own, params)) continue;
    const group = groups.get(range.tensor) ?? new Set([range.tensor]);
    groups.set(range.tensor, group.add(tensor));
  }
  return groups;
}

/** Nodes that want the same parameters on all their edges, each with what it writes behind what is fused into it. */
function sharingNodes(
  graph: Graph,
  { placement, fusedAway }: QuantPlan,
): ReadonlyMap<NodeId, readonly TensorId[]> {
  if (placement === 'file') return new Map();
  const { rules } = PLACEMENTS[placement];
  const fused = new Set(fusedAway);
  const { uses } = topologyOf(graph);
  const behind = (tensor: TensorId): TensorId => {
    const reader = fused.has(tensor) ? uses[tensor]?.[0] : undefined;
    const next = reader === undefined ? undefined : nodeOf(graph, reader.node).outputs[0];
    return next === undefined || next === null ? tensor : behind(next);
  };
  const isSharing = ({ domain, op }: Node): boolean =>
    domain === '' && Object.hasOwn(rules, op) && rules[op]?.output === 'same-scale';
  return new Map(
    graph.nodes
      .filter(isSharing)
      .map(({ id, outputs }) => [id, outputs.flatMap((output) => (output === null ? [] : behind(output)))]),
  );
}

function entryAt(
  graph: Graph,
  sharing: ReadonlyMap<NodeId, readonly TensorId[]>,
  group: ReadonlySet<TensorId>,
  leader: TensorId,
  entry: TensorId,
): SharedEntry | undefined {
  if (entry === leader || [...sharing.values()].some((results) => results.includes(entry))) return undefined;
  const { uses } = topologyOf(graph);
  const tensors = new Set([entry]);
  const joined: Use[] = [];
  let isReadElsewhere = false;
  for (const tensor of tensors) {
    if (graph.outputs.includes(tensor)) isReadElsewhere = true;
    for (const use of uses[tensor] ?? []) {
      const { inputs } = nodeOf(graph, use.node);
      const results = (sharing.get(use.node) ?? []).filter((result) => group.has(result));
      const others = inputs.filter((input) => input !== null && group.has(input) && !tensors.has(input));
      if (results.length === 0) isReadElsewhere = true;
      else if (others.length === 0 && !results.includes(leader))
        for (const result of results) tensors.add(result);
      else joined.push({ node: use.node, slot: use.slot });
    }
  }
  if (joined.length === 0) return undefined;
  const joins = [...new Set(joined.map(({ node }) => node))];
  return { tensor: entry, leader, tensors: [...tensors], joined, joins, isReadElsewhere };
}
