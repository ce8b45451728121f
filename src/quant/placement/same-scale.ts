/**
 * Parameters under the constraint that an operator has the same ones on all its edges.
 *
 * As the TensorFlow Lite converter solves it (quantization_utils.cc RemoveRedundantStatsOps, then
 * tfl_quantization_driver.cc): an operator with one floating-point operand hands its parameters down, one with several
 * (Concat, Max) hands those of its result up, as far as such operators reach. Where two operators want different
 * parameters on one edge, the one later in the graph has its way and the other requantizes what it reads.
 */
import type { Graph, TensorId } from '../../ir/graph.js';
import { tensorOf } from '../../ir/graph.js';
import type { UseKey } from '../../ir/lane.js';
import { useKey } from '../../ir/lane.js';
import type { Mark, SameScaleNode, Source, UseMark } from './marks.js';

export interface SharedParameters {
  /** For every marked edge that has no parameters of its own. */
  readonly edges: ReadonlyMap<TensorId, Source>;
  /** Requantization in front of one operator. */
  readonly uses: ReadonlyMap<UseKey, UseMark>;
}

/** @param nodes operands and results are edges that exist: outputs of fused operators, not edges inside them */
export function shareParameters(
  graph: Graph,
  marks: ReadonlyMap<TensorId, Mark>,
  nodes: readonly SameScaleNode[],
): SharedParameters {
  const constrained = new Set(nodes.flatMap(edgesOf));
  const calibrated = calibratedEdges(graph, marks, nodes, constrained);
  const states = new Map<TensorId, Source>();
  for (const tensor of calibrated) states.set(tensor, { kind: 'as', tensor });

  // From the last node to the first, as the driver's work list runs, until nothing new is learned.
  const backwards = [...nodes].reverse();
  const fixedEdges = [...constrained].filter((tensor) => marks.get(tensor)?.source.kind === 'fixed');
  for (let known = -1; known < states.size;) {
    known = states.size;
    for (const node of backwards) {
      const source = sourceFor(node, states, calibrated);
      if (source === undefined) continue;
      for (const tensor of edgesOf(node)) if (!states.has(tensor)) states.set(tensor, source);
    }
    // Prescribed parameters hold where no later operator asked for others.
    for (const tensor of fixedEdges) {
      const source = marks.get(tensor)?.source;
      if (source !== undefined && !states.has(tensor)) states.set(tensor, source);
    }
  }
  return { edges: followers(states), uses: requantized(nodes, states, calibrated) };
}

function edgesOf(node: SameScaleNode): TensorId[] {
  return [...node.operands.map(({ tensor }) => tensor), ...node.results];
}

/** Constrained edges that keep a range of their own. */
function calibratedEdges(
  graph: Graph,
  marks: ReadonlyMap<TensorId, Mark>,
  nodes: readonly SameScaleNode[],
  constrained: ReadonlySet<TensorId>,
): ReadonlySet<TensorId> {
  const isConstant = (tensor: TensorId): boolean => tensorOf(graph, tensor).data !== undefined;
  const byResult = new Map(nodes.flatMap((node) => node.results.map((result) => [result, node] as const)));
  const redundant = new Set<TensorId>();
  for (const node of nodes) {
    const [operand, ...others] = node.operands;
    if (operand === undefined || others.length > 0 || isConstant(operand.tensor)) continue;
    for (const result of node.results) redundant.add(result);
  }
  const pending = [...byResult.keys()].filter((result) => !redundant.has(result));
  const visited = new Set<TensorId>();
  for (let tensor = pending.pop(); tensor !== undefined; tensor = pending.pop()) {
    if (visited.has(tensor)) continue;
    visited.add(tensor);
    for (const operand of byResult.get(tensor)?.operands ?? []) {
      redundant.add(operand.tensor);
      pending.push(operand.tensor);
    }
  }
  return new Set(
    [...constrained].filter(
      (tensor) => !redundant.has(tensor) && !isConstant(tensor) && marks.get(tensor)?.source.kind !== 'fixed',
    ),
  );
}

/** Parameters for all edges of the node: calibrated ones first; of an only operand, else of an only result, else the first. */
function sourceFor(
  node: SameScaleNode,
  states: ReadonlyMap<TensorId, Source>,
  calibrated: ReadonlySet<TensorId>,
): Source | undefined {
  const operands = node.operands.map(({ tensor }) => tensor);
  const preferred =
    operands.length === 1
      ? [...operands, ...node.results]
      : node.results.length === 1
        ? [...node.results, ...operands]
        : edgesOf(node);
  const tensor =
    preferred.find((candidate) => calibrated.has(candidate)) ??
    preferred.find((candidate) => states.has(candidate));
  return tensor === undefined ? undefined : states.get(tensor);
}

/** Without the leaders, which have parameters of their own. */
function followers(states: ReadonlyMap<TensorId, Source>): ReadonlyMap<TensorId, Source> {
  return new Map([...states].filter(([tensor, source]) => source.kind !== 'as' || source.tensor !== tensor));
}

function requantized(
  nodes: readonly SameScaleNode[],
  states: ReadonlyMap<TensorId, Source>,
  calibrated: ReadonlySet<TensorId>,
): ReadonlyMap<UseKey, UseMark> {
  const uses = new Map<UseKey, UseMark>();
  for (const { node, operands, results } of nodes) {
    const wanted = sourceFor({ node, operands, results }, states, calibrated);
    if (wanted === undefined) continue;
    for (const { tensor, slot } of operands) {
      const held = states.get(tensor);
      if (held === undefined || areSame(held, wanted)) continue;
      uses.set(useKey(node, slot), { tensor, use: { node, slot }, source: wanted });
    }
  }
  return uses;
}

function areSame(a: Source, b: Source): boolean {
  if (a.kind === 'as') return b.kind === 'as' && a.tensor === b.tensor;
  if (a.kind === 'fixed') return b.kind === 'fixed' && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
  return b.kind === 'own';
}
