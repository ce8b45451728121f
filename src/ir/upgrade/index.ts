/**
 * Brings a graph to a newer version of ai.onnx, its meaning unchanged: networks of different versions fit into one model only so.
 *
 * Hand-written: the one converter there is (onnx.version_converter) is C++ behind Python, knows names instead of ids, and leaves
 * changes of meaning out.
 */
import { UnsupportedError } from '../../errors.js';
import { nodeLabel, type Graph, type Node, type NodeId, type Origin } from '../graph.js';
import { useKey, type Lane, type UseKey } from '../lane.js';
import { Additions } from './additions.js';
import { Call, NotUpgradable, type Draft } from './call.js';
import { moveLane } from './lane.js';
import { CHANGES, OPERATORS, OPSETS } from './operator-sets.js';

export interface Upgraded {
  readonly graph: Graph;
  readonly lane?: Lane;
}

/** A broken network in a thousand places is as well described by the first of them. */
const LISTED = 50;

/**
 * The graph with its nodes of ai.onnx as version `opset` has them, and the lane on it.
 *
 * Tensors keep their ids; those between the nodes of one operator come behind and are `inner`, with type and extents as far as they are
 * known without inference. New nodes are steps beside the node that stands for the operator, so that ids of nodes change and the
 * lane's keys with them. Opset equal: the same objects. No node changed: the same nodes and tensors, and the same lane.
 *
 * @throws UnsupportedError when operators cannot be brought over: all of them are listed. Nodes with graphs inside cannot, because
 *   those are not looked into.
 * @throws RangeError when the graph's version is newer than `opset`.
 */
export function upgradeOpset(graph: Graph, opset: number, lane?: Lane): Upgraded {
  const withLane = (result: Graph, moved = lane): Upgraded =>
    moved === undefined ? { graph: result } : { graph: result, lane: moved };
  const from = graph.opsets.get('');
  // A graph without that domain has no node of it, and takes any version.
  if (from === undefined) return withLane({ ...graph, opsets: new Map(graph.opsets).set('', opset) });
  if (from === opset) return withLane(graph);
  if (from > opset)
    throw new RangeError(`the graph has opset ${from}; it cannot be brought back to ${opset}`);
  if (from < OPSETS[0] || opset > OPSETS[1]) {
    throw new UnsupportedError(
      `ai.onnx opset ${from} cannot be brought to ${opset}; ${OPSETS.join(' to ')} are supported`,
      { hint: hintFor(Math.min(opset, OPSETS[1])) },
    );
  }

  const additions = new Additions(graph);
  const moves = { nodes: [] as NodeId[], uses: new Map<UseKey, UseKey[]>(), rewritten: new Set<NodeId>() };
  const nodes: Node[] = [];
  const problems: string[] = [];
  for (const node of graph.nodes) {
    const drafts = upgraded(node, from, opset, additions);
    if (typeof drafts === 'string') problems.push(`${nodeLabel(node)} (${node.origin.op}): ${drafts}`);
    else if (drafts === undefined) {
      const id = nodes.length as NodeId;
      moves.nodes.push(id);
      nodes.push(id === node.id ? node : { ...node, id });
    } else {
      moves.rewritten.add(node.id);
      moves.nodes.push((nodes.length + drafts.findIndex(({ isMain }) => isMain)) as NodeId);
      for (const draft of drafts) nodes.push(placed(draft, node, nodes.length as NodeId, moves.uses));
    }
  }
  if (problems.length > 0) throw cannot(problems, from, opset);

  const opsets = new Map(graph.opsets).set('', opset);
  if (moves.rewritten.size === 0) return withLane({ ...graph, opsets });
  const tensors = [...graph.tensors, ...additions.added];
  const inner = new Set([...(graph.inner ?? []), ...additions.added.map(({ id }) => id)]);
  return withLane({ ...graph, opsets, nodes, tensors, inner }, lane && moveLane(lane, moves));
}

/** What takes the place of a node; undefined when it stays as it is, and the reason when nothing can. */
function upgraded(
  node: Node,
  from: number,
  to: number,
  additions: Additions,
): readonly Draft[] | undefined | string {
  for (const attr of node.attrs.values()) {
    if (attr.type === 'graph') return 'it has a graph inside, which is not looked into';
  }
  if (node.domain !== '') return undefined;
  const start: Draft = {
    ...node,
    inputs: node.inputs.map((tensor, slot) => (tensor === null ? null : { tensor, slot })),
    isMain: true,
  };
  let drafts: readonly Draft[] = [start];
  try {
    for (const { opset, rules } of CHANGES) {
      if (opset <= from || opset > to || !drafts.some(({ op }) => rules.has(op))) continue;
      drafts = drafts.flatMap((draft) => {
        const rule = rules.get(draft.op);
        if (rule === undefined) return [draft];
        const call = new Call(draft, additions);
        rule(call);
        return call.drafts.length === 0 ? [draft] : call.drafts;
      });
    }
  } catch (error) {
    if (!(error instanceof NotUpgradable)) throw error;
    return error.message;
  }
  if (drafts.some(({ op }) => !OPERATORS.has(op))) return `opset ${to} has no such operator`;
  return drafts[0] === start ? undefined : drafts;
}

/** The node of a draft. Its uses of what the operator reads are noted under those that they take the place of. */
function placed(draft: Draft, node: Node, id: NodeId, uses: Map<UseKey, UseKey[]>): Node {
  draft.inputs.forEach((operand, slot) => {
    if (operand?.slot === undefined) return;
    const before = useKey(node.id, operand.slot);
    const now = uses.get(before);
    if (now === undefined) uses.set(before, [useKey(id, slot)]);
    else now.push(useKey(id, slot));
  });
  const { op, attrs, inputs, outputs, isMain } = draft;
  return {
    id,
    op,
    domain: node.domain,
    attrs,
    inputs: inputs.map((operand) => operand?.tensor ?? null),
    outputs,
    origin: isMain ? node.origin : stepOf(node.origin),
  };
}

function stepOf(origin: Origin): Origin {
  const step: { -readonly [key in keyof Origin]: Origin[key] } = { part: 'step', ...origin };
  delete step.absorbed;
  return step;
}

function cannot(problems: readonly string[], from: number, to: number): UnsupportedError {
  const places = problems.slice(0, LISTED);
  if (problems.length > LISTED) places.push(`and ${problems.length - LISTED} more`);
  const nodes = problems.length === 1 ? '1 node' : `${problems.length} nodes`;
  return new UnsupportedError(`${nodes} of ai.onnx opset ${from} cannot be brought to opset ${to}`, {
    places,
    hint: hintFor(to),
  });
}

function hintFor(opset: number): string {
  return `torch.onnx.export(..., opset_version=${opset}), or onnx.version_converter.convert_version(model, ${opset})`;
}
