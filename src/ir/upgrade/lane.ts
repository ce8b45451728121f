import type { NodeId } from '../graph.js';
import { useKey, type Lane, type UseKey } from '../lane.js';

/** Where the nodes of a graph, and what they read, went when it was rewritten. Tensors stay. */
export interface Moves {
  /** By node before: the node that stands for the operator now. */
  readonly nodes: readonly NodeId[];
  /** Uses whose slot changed or that are several now; those that are not in it went along with their node. */
  readonly uses: ReadonlyMap<UseKey, readonly UseKey[]>;
  /** Nodes that became others: their uses are all in `uses`. */
  readonly rewritten: ReadonlySet<NodeId>;
}

/** The lane of the rewritten graph. */
export function moveLane(lane: Lane, moves: Moves): Lane {
  const { hybrid, dynamic, unfolded } = lane;
  return {
    ...lane,
    uses: movedUses(lane.uses, moves),
    ...(dynamic && { dynamic: movedUses(dynamic, moves) }),
    ...(hybrid && {
      hybrid: new Map(Array.from(hybrid, ([node, input]) => [movedNode(node, moves), input])),
    }),
    ...(unfolded && {
      unfolded: unfolded.map((entry) => ({ ...entry, node: movedNode(entry.node, moves) })),
    }),
  };
}

function movedNode(node: NodeId, { nodes }: Moves): NodeId {
  const moved = nodes[node];
  if (moved === undefined) throw new RangeError(`node ${node} of the lane is not in the graph`);
  return moved;
}

function movedUses<T>(uses: ReadonlyMap<UseKey, T>, moves: Moves): Map<UseKey, T> {
  const moved = new Map<UseKey, T>();
  for (const [key, value] of uses) {
    const [node, slot] = key.split(':').map(Number) as [NodeId, number];
    const targets = moves.rewritten.has(node)
      ? (moves.uses.get(key) ?? [])
      : [useKey(movedNode(node, moves), slot)];
    for (const target of targets) moved.set(target, value);
  }
  return moved;
}
