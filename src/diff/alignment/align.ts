/** The alignment of two networks from structure and weights, completed by behaviour. */
import type { Graph, Node, NodeId } from '../../ir/graph.js';
import type { Lane } from '../../ir/lane.js';
import { isOutput } from '../../ir/operators.js';
import type { AlignedEdge, AlignedOperator, Alignment } from './alignment.js';
import { weightAnchors, type Anchor } from './anchors.js';
import { edgesByBehaviour, withSettledViews, type Activations } from './behaviour.js';
import { changedPairs } from './changed.js';
import { alignedConstants } from './constants.js';
import { edgesOf, outputsOf, regionPairs, sorted, unmatchedNodes, type FoundEdge } from './edges.js';
import { requireEvidence } from './evidence.js';
import { isElementwise } from './elementwise.js';
import { joinInputs } from './inputs.js';
import { Matching, type Match } from './matching.js';
import { reorderedChannels, type Reordered } from './reordered.js';
import { agreement, anchorsByName } from './swapped.js';
import { skeletonOf, type Skeleton, type Unit } from './units.js';

/** A network: shapes inferred, as far as possible for one sample. */
export interface Side {
  readonly graph: Graph;
  readonly lane?: Lane;
}

/**
 * Which tensors and operators of the candidate are which of the reference. Names need not agree, nor formats, layouts, what is
 * folded, nor the order of nodes, operands and outputs.
 *
 * Units of work (a convolution with what is folded into it and its activation function) are anchored by their weights, then followed
 * along producers and consumers; `activations` of the same samples add what is left and settle the order of axes. They never undo
 * what structure and weights tell: where those agree and behaviour differs is the fault that is looked for.
 *
 * Linear in the size of the graphs and their weights but for bounded tables; deterministic. Never throws for a valid graph.
 */
export function align(reference: Side, candidate: Side, activations?: Activations): Alignment {
  const matching = matched(
    skeletonOf(reference.graph, reference.lane),
    skeletonOf(candidate.graph, candidate.lane),
  );
  requireEvidence(matching);
  joinChanged(matching);
  const edges = activations === undefined ? edgesIn(matching) : completed(matching, activations);
  const alignment = alignmentOf(matching, edges);
  traces.set(alignment, { matching, edges });
  return alignment;
}

/** By weights, unless names and wires agree that the weights of some layers were exchanged. */
function matched(reference: Skeleton, candidate: Skeleton): Matching {
  const from = (anchors: readonly Anchor[]): Matching => {
    const matching = new Matching(reference, candidate);
    joinInputs(matching);
    matching.anchor(anchors);
    matching.complete();
    return matching;
  };
  const anchors = weightAnchors(reference, candidate);
  const named = anchorsByName(reference, candidate, anchors);
  const matching = from(anchors);
  if (named === undefined) return matching;
  const other = from(named);
  return agreement(other) > agreement(matching) ? other : matching;
}

/** How an alignment was found. */
export interface Trace {
  readonly matching: Matching;
  readonly edges: readonly FoundEdge[];
}

const traces = new WeakMap<Alignment, Trace>();

/** Of an alignment that `align` made; of a copy of one, what `align` makes of its networks. */
export function traceOf(reference: Side, candidate: Side, alignment: Alignment): Trace {
  return traces.get(alignment) ?? (traces.get(align(reference, candidate)) as Trace);
}

/** With what the activations add; units that write tensors which behave alike are joined, and followed from there. */
function completed(matching: Matching, activations: Activations): FoundEdge[] {
  const before = edgesIn(matching);
  for (const edge of edgesByBehaviour(matching, before, activations)) {
    const [a, b] = [matching.reference.regionOf[edge.reference], matching.candidate.regionOf[edge.candidate]];
    const [one, other] = [matching.reference.units[a?.unit ?? -1], matching.candidate.units[b?.unit ?? -1]];
    if (one === undefined || other === undefined || a?.slot !== b?.slot) continue;
    if (one.kind === other.kind || (one.isCompute && other.isCompute)) matching.join(one, other, 'behaviour');
  }
  matching.complete();
  joinChanged(matching);
  const edges = withSettledViews(matching, edgesIn(matching), activations);
  return sorted(matching.candidate.graph, [...edges, ...edgesByBehaviour(matching, edges, activations)]);
}

/** Operators that another one replaces are compared with it, and followed. */
function joinChanged(matching: Matching): void {
  const pairs = changedPairs(matching);
  for (const [a, b] of pairs) matching.join(a, b, 'structure');
  if (pairs.length > 0) matching.complete();
}

/** Tensors of matched units, without those whose channels the candidate has in an order of its own, by design. */
function edgesIn(matching: Matching): FoundEdge[] {
  const { regions } = reorderedChannels(matching);
  const { graph, regionOf } = matching.candidate;
  return edgesOf(regionPairs(matching)).filter(({ candidate }) => {
    const region = regionOf[candidate];
    return region === undefined || !regions.has(region) || isOutput(graph, candidate);
  });
}

function alignmentOf(matching: Matching, edges: readonly FoundEdge[]): Alignment {
  const pairs = regionPairs(matching);
  const plain = edges.map(({ reference, candidate, view, ground }): AlignedEdge => ({
    reference,
    candidate,
    ...(view === undefined ? {} : { view }),
    ground,
  }));
  const inputs = new Set(matching.candidate.graph.inputs);
  const { regions, readers } = reorderedChannels(matching);
  const ids = (nodes: readonly Node[]): NodeId[] => nodes.map(({ id }) => id);
  return {
    inputs: plain.filter((edge) => inputs.has(edge.candidate)),
    edges: plain,
    operators: matching.matches().flatMap((match) => operator(matching, match, readers)),
    outputs: outputsOf(matching, plain),
    unmatched: {
      reference: ids(unmatchedNodes(matching, pairs, regions, 'reference')),
      candidate: ids(unmatchedNodes(matching, pairs, regions, 'candidate')),
    },
    coverage: coverageOf(matching),
  };
}

function operator(
  matching: Matching,
  { reference, candidate, ground }: Match,
  turned: Reordered['readers'],
): AlignedOperator[] {
  const [a, b] = [matching.reference.units[reference], matching.candidate.units[candidate]];
  if (a === undefined || b?.node === undefined) return [];
  return [
    {
      reference: nodesOf(a),
      candidate: nodesOf(b),
      constants:
        a.kind === b.kind
          ? alignedConstants(matching.reference, turned.get(candidate) ?? a, matching.candidate, b)
          : [],
      ground,
    },
  ];
}

/** The node that computes, then what was merged with it. */
function nodesOf({ node, before, regions }: Unit): NodeId[] {
  const merged = regions.flatMap(({ members }) =>
    members.flatMap((member) =>
      member.node !== undefined && isElementwise(member.node) ? [member.node] : [],
    ),
  );
  return [...(node === undefined ? [] : [node]), ...before, ...merged].map(({ id }) => id);
}

function coverageOf(matching: Matching): Alignment['coverage'] {
  const compute = matching.candidate.units.filter(({ isCompute }) => isCompute);
  const matched = compute.filter(({ index }) => matching.ofCandidate(index) !== undefined);
  return { matched: matched.length, total: compute.length };
}
