/** Activations of two networks that are the same, from the units that are. */
import { detectionResults, type DetectionResult } from '../../ir/detections.js';
import type { Graph, Node, TensorId } from '../../ir/graph.js';
import { operatorsOf, sourceOf } from '../../ir/operators.js';
import type { View } from '../../ir/view.js';
import type { AlignedEdge, Alignment } from './alignment.js';
import { dimsOf, merged, viewBetween } from './axes.js';
import { isElementwise, isMover } from './elementwise.js';
import type { Match, Matching } from './matching.js';
import { oddNodes, pairMembers, RegionView, sizeOf, type MemberPair } from './members.js';
import { isComparable, type Region, type Skeleton, type Unit } from './units.js';

/** Regions of both networks that belong together, with their tensors that do. */
export interface RegionPair {
  readonly match: Match;
  readonly reference: RegionView;
  readonly candidate: RegionView;
  readonly members: readonly MemberPair[];
}

type Side = 'reference' | 'candidate';

export function regionPairs(matching: Matching): RegionPair[] {
  const { reference, candidate } = matching;
  const [views, viewsThere] = [viewsOf(reference), viewsOf(candidate)];
  const wired = wires(matching);
  return matching.matches().flatMap((match): RegionPair[] => {
    const [a, b] = [reference.units[match.reference], candidate.units[match.candidate]];
    return (b?.regions ?? []).flatMap((region): RegionPair[] => {
      const twin = a?.regions.find(({ slot }) => slot === region.slot);
      const [left, right] = [twin && views.get(twin), viewsThere.get(region)];
      if (left === undefined || right === undefined) return [];
      const members = pairMembers(left, right, wired.get(region) ?? []);
      return [{ match, reference: left, candidate: right, members }];
    });
  });
}

function viewsOf(skeleton: Skeleton): ReadonlyMap<Region, RegionView> {
  const read = new Set(skeleton.units.flatMap(({ operands }) => operands.map(({ tensor }) => tensor)));
  const ends = { read, written: new Set(skeleton.graph.outputs) };
  const regions = skeleton.units.flatMap((unit) => unit.regions);
  return new Map(regions.map((region) => [region, new RegionView(skeleton, region, ends)]));
}

/** Tensors that matched units read at the same place, by the region of the candidate. */
function wires(matching: Matching): ReadonlyMap<Region, MemberPair[]> {
  const wired = new Map<Region, MemberPair[]>();
  for (const match of matching.matches()) {
    const [a, b] = [matching.reference.units[match.reference], matching.candidate.units[match.candidate]];
    if (a === undefined || b === undefined) continue;
    b.operands.forEach(({ tensor, region }, slot) => {
      const twin = matching.ofCandidate(region.unit);
      const fits = (at: Unit['operands'][number] | undefined): boolean =>
        at !== undefined && at.region.unit === twin?.index && at.region.slot === region.slot;
      const other = fits(a.operands[slot]) ? a.operands[slot] : a.operands.find(fits);
      if (other === undefined) return;
      const list = wired.get(region) ?? [];
      list.push({ reference: other.tensor, candidate: tensor });
      wired.set(region, list);
    });
  }
  return wired;
}

export interface FoundEdge extends AlignedEdge {
  /** Whether what is known of the axes gave the view: it is not a guess from extents. */
  readonly isTraced: boolean;
}

/** In the order of the candidate: inputs, then what its nodes write. */
export function edgesOf(pairs: readonly RegionPair[]): FoundEdge[] {
  const edges = pairs.flatMap(({ match, reference, candidate, members }) =>
    members.flatMap((pair): FoundEdge[] => {
      const found = viewOf(reference.skeleton, pair.reference, candidate.skeleton, pair.candidate);
      if (found === undefined) return [];
      const { view, isTraced } = found;
      return [{ ...pair, ...(view === null ? {} : { view }), ground: match.ground, isTraced }];
    }),
  );
  const [first] = pairs;
  return first === undefined ? [] : sorted(first.candidate.skeleton.graph, edges);
}

/** In the order of the candidate. */
export function sorted(candidate: Graph, edges: readonly FoundEdge[]): FoundEdge[] {
  const order = orderOf(candidate);
  return [...edges].sort((a, b) => (order.get(a.candidate) ?? 0) - (order.get(b.candidate) ?? 0));
}

export function orderOf(graph: Graph): ReadonlyMap<TensorId, number> {
  const written = graph.nodes.flatMap(({ outputs }) => outputs.filter((id) => id !== null));
  return new Map([...graph.inputs, ...written].map((tensor, i) => [tensor, i]));
}

/** How the elements of a tensor of one network lie in one of the other; undefined when their numbers of elements differ. */
export function viewOf(
  reference: Skeleton,
  a: TensorId,
  candidate: Skeleton,
  b: TensorId,
): { readonly view: View | null; readonly isTraced: boolean } | undefined {
  const [dims, dimsThere] = [dimsOf(reference.graph, a), dimsOf(candidate.graph, b)];
  const [axes, axesThere] = [reference.axes[a], candidate.axes[b]];
  if (dims === undefined || dimsThere === undefined) return { view: null, isTraced: false };
  if (count(dims) !== count(dimsThere)) return undefined;
  const traced =
    axes === undefined || axesThere === undefined ? undefined : viewBetween(axes.flat(), axesThere.flat());
  if (traced !== undefined) return { view: traced, isTraced: true };
  return { view: guessedView(dims, dimsThere), isTraced: false };
}

function count(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** From extents alone: the same order where they are the same, else channels moved from one end to the other, else whatever fits. */
function guessedView(from: readonly number[], to: readonly number[]): View | null {
  const [dims, wanted] = [from.filter((dim) => dim !== 1), to.filter((dim) => dim !== 1)];
  const axes = dims.map((_, axis) => axis);
  const orders = [axes, [...axes.slice(1), 0], [axes.length - 1, ...axes.slice(0, -1)]];
  const fitting = orders.find(
    (perm) => perm.every((axis, i) => dims[axis] === wanted[i]) && dims.length === wanted.length,
  );
  if (fitting !== undefined) return merged({ dims, perm: fitting });
  const left = new Set(axes);
  const perm = wanted.map((extent) => {
    const axis = [...left].find((each) => dims[each] === extent);
    if (axis !== undefined) left.delete(axis);
    return axis;
  });
  return dims.length === wanted.length && perm.every((axis) => axis !== undefined)
    ? merged({ dims, perm })
    : null;
}

/**
 * Which output of the reference each output of the candidate is: where the two are aligned. What one network has behind the result
 * of the other is another quantity, whatever it is called.
 */
export function outputsOf(matching: Matching, edges: readonly AlignedEdge[]): Alignment['outputs'] {
  const { reference, candidate } = matching;
  const twins = new Map(edges.map((edge) => [edge.candidate, edge.reference]));
  const sourcesOf = (graph: Graph): TensorId[] => graph.outputs.map((output) => sourceOf(graph, output));
  const outputs = new OutputPairs();
  outputs.pair(
    sourcesOf(reference.graph),
    sourcesOf(candidate.graph).map((source) => twins.get(source)),
  );
  // Integers, which no edge has: results of the same unit.
  outputs.pair(
    reference.graph.outputs.map((output) =>
      resultOf(reference, output, (unit) => matching.ofReference(unit)?.index),
    ),
    candidate.graph.outputs.map((output) =>
      resultOf(candidate, output, (unit) => (matching.ofCandidate(unit) === undefined ? undefined : unit)),
    ),
  );
  // A count of detections has no activation that it could be aligned by: its operator says what it is.
  outputs.pair(detectionsOf(reference.graph), detectionsOf(candidate.graph));
  return candidate.graph.outputs.map((_, position) => ({
    reference: outputs.found.get(position),
    candidate: position,
  }));
}

function detectionsOf(graph: Graph): (DetectionResult | undefined)[] {
  const results = detectionResults(graph);
  return graph.outputs.map((output) => results.get(output));
}

/** Name of the result of a matched unit that an output is, of numbers that are not compared; `twin` gives the candidate's unit. */
function resultOf(
  { graph, regionOf }: Skeleton,
  output: TensorId,
  twin: (unit: number) => number | undefined,
): string | undefined {
  const region = regionOf[output];
  if (region === undefined || isComparable(graph, sourceOf(graph, output))) return undefined;
  const unit = twin(region.unit);
  return unit === undefined ? undefined : `${unit}.${region.slot} ${sizeOf(graph, output) ?? '?'}`;
}

class OutputPairs {
  /** Position in the reference by position in the candidate. */
  readonly found = new Map<number, number>();
  readonly #taken = new Set<number>();

  /** Pairs the outputs that are left and have equal keys, in order. */
  pair<K>(left: readonly (K | undefined)[], right: readonly (K | undefined)[]): void {
    const open = new Map<K, number[]>();
    left.forEach((key, at) => {
      if (key === undefined || this.#taken.has(at)) return;
      const same = open.get(key);
      if (same === undefined) open.set(key, [at]);
      else same.push(at);
    });
    for (const same of open.values()) same.reverse();
    right.forEach((key, position) => {
      if (key === undefined || this.found.has(position)) return;
      const at = open.get(key)?.pop();
      if (at === undefined) return;
      this.found.set(position, at);
      this.#taken.add(at);
    });
  }
}

/** Operators without a counterpart: by unmatched units and those of another kind, and by what matched units have behind them in one network only. */
export function unmatchedNodes(
  matching: Matching,
  pairs: readonly RegionPair[],
  reordered: ReadonlySet<Region>,
  side: Side,
): Node[] {
  const skeleton = matching[side];
  const odd = new Set<Node>();
  for (const unit of skeleton.units) {
    const twin = side === 'reference' ? matching.ofReference(unit.index) : matching.ofCandidate(unit.index);
    if (twin !== undefined) {
      if (twin.kind !== unit.kind && unit.node !== undefined) odd.add(unit.node);
      continue;
    }
    for (const node of unit.node === undefined ? [] : [unit.node, ...unit.before]) odd.add(node);
    for (const { members } of unit.regions) {
      for (const { node } of members) if (node !== undefined && isElementwise(node)) odd.add(node);
    }
  }
  for (const pair of pairs) {
    const [own, other] =
      side === 'reference' ? [pair.reference, pair.candidate] : [pair.candidate, pair.reference];
    const isReordered = reordered.has(pair.candidate.region);
    for (const node of oddNodes(own, other, isReordered)) if (node.origin.implied !== true) odd.add(node);
  }
  // Of an operator that the loader made several nodes of, the one that stands for it when all of it is odd, else the odd parts.
  const shown = operatorsOf(skeleton.graph).flatMap(({ main, nodes }) => {
    const parts = nodes.filter((node) => odd.has(node));
    const isWhole = nodes.every((node) => odd.has(node) || isMover(node));
    return isWhole && parts.length > 0 ? [main] : parts;
  });
  return shown.sort((a, b) => a.id - b.id);
}
