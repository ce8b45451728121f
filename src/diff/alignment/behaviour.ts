/** What the values of both networks on the same samples add: pairs that structure and weights do not tell, and the order of axes. */
import { tensorOf, type TensorId } from '../../ir/graph.js';
import type { View } from '../../ir/view.js';
import { dimsOf, merged } from './axes.js';
import { correlationOf } from './correlation.js';
import { orderOf, viewOf, type FoundEdge } from './edges.js';
import type { Matching } from './matching.js';
import { sizeOf } from './members.js';
import { isComparable, type Skeleton } from './units.js';

/** Values of tensors of both networks in float on the same samples, one sample behind the other. */
export interface Activations {
  readonly reference: ReadonlyMap<TensorId, Float32Array>;
  readonly candidate: ReadonlyMap<TensorId, Float32Array>;
}

/** Values that two tensors are compared by. */
const LOOK = 4096;
/** Correlation from which two tensors are the same; few values are alike by chance. */
const SAME = 0.95;
const SAME_OF_FEW = 0.99;
const FEW = 64;
/** An order of axes is settled by more than this, and by so much more than any other gives. */
const SETTLED = 0.99;
const MARGIN = 0.02;
const MOST_AXES = 5;
/** Tensors of one size beyond which no pairs are tried. */
const MOST_OF_ONE_SIZE = 64;

type ViewOrNone = View | null;

/**
 * Tensors that no edge has and that a tensor of the other network could equal: float, of the file, of as many elements, written by
 * units that are not matched. In graph order.
 */
export function unaligned(
  matching: Matching,
  edges: readonly FoundEdge[],
): { readonly reference: TensorId[]; readonly candidate: TensorId[] } {
  const open = (
    { graph, regionOf }: Skeleton,
    aligned: ReadonlySet<TensorId>,
    isMatched: (unit: number) => boolean,
  ): TensorId[] =>
    [...orderOf(graph).keys()].filter((tensor) => {
      const unit = regionOf[tensor]?.unit;
      return unit !== undefined && !isMatched(unit) && isComparable(graph, tensor) && !aligned.has(tensor);
    });
  const reference = open(
    matching.reference,
    new Set(edges.map((edge) => edge.reference)),
    (unit) => matching.ofReference(unit) !== undefined,
  );
  const candidate = open(
    matching.candidate,
    new Set(edges.map((edge) => edge.candidate)),
    (unit) => matching.ofCandidate(unit) !== undefined,
  );
  const sizes = (skeleton: Skeleton, tensors: readonly TensorId[]): ReadonlyMap<number, number> => {
    const counts = new Map<number, number>();
    for (const tensor of tensors) {
      const size = sizeOf(skeleton.graph, tensor);
      if (size !== undefined && size > 1) counts.set(size, (counts.get(size) ?? 0) + 1);
    }
    return counts;
  };
  const [here, there] = [sizes(matching.reference, reference), sizes(matching.candidate, candidate)];
  const isWanted = (size: number | undefined): boolean => {
    const [one, other] = [here.get(size ?? 0) ?? 0, there.get(size ?? 0) ?? 0];
    return one > 0 && other > 0 && one <= MOST_OF_ONE_SIZE && other <= MOST_OF_ONE_SIZE;
  };
  return {
    reference: reference.filter((tensor) => isWanted(sizeOf(matching.reference.graph, tensor))),
    candidate: candidate.filter((tensor) => isWanted(sizeOf(matching.candidate.graph, tensor))),
  };
}

/** Whether the order of elements was guessed where another was possible. */
export function isDoubtful(matching: Matching, edge: FoundEdge): boolean {
  if (edge.isTraced) return false;
  const dims = dimsOf(matching.reference.graph, edge.reference)?.filter((dim) => dim !== 1) ?? [];
  return dims.length > 1 || factorsOf(matching.reference, edge.reference).length > 1;
}

/** Edges between tensors that no edge has yet, where their values say so and the order of both networks allows it. */
export function edgesByBehaviour(
  matching: Matching,
  edges: readonly FoundEdge[],
  activations: Activations,
): FoundEdge[] {
  const open = unaligned(matching, edges);
  const positions = orderOf(matching.reference.graph);
  const bounds = boundsOf(matching.candidate, edges, positions);
  const found: FoundEdge[] = [];
  const taken = new Set<TensorId>();
  let last = -1;
  for (const candidate of open.candidate) {
    const values = activations.candidate.get(candidate);
    if (values === undefined) continue;
    const { low, high } = bounds(candidate);
    let best: { reference: TensorId; view: ViewOrNone; value: number; isTraced: boolean } | undefined;
    for (const reference of open.reference) {
      const others = activations.reference.get(reference);
      const at = positions.get(reference) ?? -1;
      if (others?.length !== values.length || taken.has(reference) || at <= Math.max(low, last) || at >= high)
        continue;
      const supposed = viewOf(matching.reference, reference, matching.candidate, candidate);
      if (supposed === undefined) continue;
      const settled = settledView(matching, { reference, candidate }, supposed.view, others, values);
      if (settled.value > (best?.value ?? 0)) best = { reference, ...settled, isTraced: supposed.isTraced };
    }
    if (best === undefined || best.value < (values.length < FEW ? SAME_OF_FEW : SAME)) continue;
    const { reference, view, isTraced } = best;
    taken.add(reference);
    last = positions.get(reference) ?? last;
    found.push({ reference, candidate, ...(view === null ? {} : { view }), ground: 'behaviour', isTraced });
  }
  return found;
}

/** The edges with the order of elements that their values have, where it was a guess. */
export function withSettledViews(
  matching: Matching,
  edges: readonly FoundEdge[],
  activations: Activations,
): FoundEdge[] {
  return edges.map((edge) => {
    const { view: supposed, ...rest } = edge;
    const [a, b] = [activations.reference.get(edge.reference), activations.candidate.get(edge.candidate)];
    if (a === undefined || b?.length !== a.length || !isDoubtful(matching, edge)) return edge;
    const { view } = settledView(matching, edge, supposed ?? null, a, b);
    return { ...rest, ...(view === null ? {} : { view }) };
  });
}

/** The supposed view unless another one is clearly the one that the values have; with the correlation under it. */
function settledView(
  { reference, candidate }: Matching,
  pair: { readonly reference: TensorId; readonly candidate: TensorId },
  supposed: ViewOrNone,
  a: Float32Array,
  b: Float32Array,
): { readonly view: ViewOrNone; readonly value: number } {
  const size = sizeOf(reference.graph, pair.reference) ?? 0;
  const under = (view: ViewOrNone): number => correlationUnder(view, size, a, b);
  const given = under(supposed);
  if (given > SETTLED || size === 0) return { view: supposed, value: given };
  const wanted = dimsOf(candidate.graph, pair.candidate)?.filter((dim) => dim !== 1) ?? [];
  const ranked = ordersOf(factorsOf(reference, pair.reference), wanted)
    .map((view) => ({ view, value: under(view) }))
    .sort((x, y) => y.value - x.value);
  const [best, second] = ranked;
  const isClear =
    best !== undefined && best.value > SETTLED && best.value > Math.max(second?.value ?? -1, given) + MARGIN;
  return isClear ? best : { view: supposed, value: given };
}

/** Extents of what the elements of a tensor are numbered by. */
function factorsOf({ graph, axes }: Skeleton, tensor: TensorId): number[] {
  const extents = axes[tensor]?.flat().map(({ extent }) => extent) ?? [...(dimsOf(graph, tensor) ?? [])];
  return extents.filter((extent) => extent !== 1);
}

/** All orders of the factors that give the wanted extents, or any where they are not extents of their own. */
function ordersOf(factors: readonly number[], wanted: readonly number[]): ViewOrNone[] {
  if (factors.length > MOST_AXES) return [];
  const views = new Map<string, ViewOrNone>();
  const walk = (perm: readonly number[]): void => {
    if (perm.length === factors.length) {
      const view = merged({ dims: factors, perm });
      views.set(JSON.stringify(view), view);
      return;
    }
    factors.forEach((extent, axis) => {
      const fits = wanted.length !== factors.length || wanted[perm.length] === extent;
      if (fits && !perm.includes(axis)) walk([...perm, axis]);
    });
  };
  walk([]);
  return [...views.values()];
}

/** Of the values of both at up to LOOK places, the first in the order of the view. */
function correlationUnder(view: ViewOrNone, size: number, a: Float32Array, b: Float32Array): number {
  const count = Math.min(LOOK, a.length);
  const [left, right] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    const place = a.length <= LOOK ? i : Math.floor(((i * 0.6180339887498949) % 1) * a.length);
    const within = place % size;
    left[i] = a[place - within + (view === null ? within : sourceIndex(view, within))] ?? 0;
    right[i] = b[place] ?? 0;
  }
  return correlationOf(left, right) ?? 0;
}

/** Where the element lies in row-major order that the view puts at `place`. */
function sourceIndex({ dims, perm }: View, place: number): number {
  const index = dims.map(() => 0);
  let rest = place;
  for (const axis of perm.toReversed()) {
    const extent = dims[axis] ?? 1;
    index[axis] = rest % extent;
    rest = Math.floor(rest / extent);
  }
  return dims.reduce((at, extent, axis) => at * extent + (index[axis] ?? 0), 0);
}

/** Between which places of the reference the twin of a tensor of the candidate must lie: behind those before it, before those behind it. */
function boundsOf(
  { graph }: Skeleton,
  edges: readonly FoundEdge[],
  positions: ReadonlyMap<TensorId, number>,
): (tensor: TensorId) => { readonly low: number; readonly high: number } {
  const twin = new Map(edges.map(({ reference, candidate }) => [candidate, positions.get(reference) ?? -1]));
  const low = new Map<TensorId, number>();
  const high = new Map<TensorId, number>();
  for (const { inputs, outputs } of graph.nodes) {
    const before = inputs.map((id) => (id === null ? -1 : (twin.get(id) ?? low.get(id) ?? -1)));
    for (const output of outputs) if (output !== null) low.set(output, Math.max(-1, ...before));
  }
  for (const { inputs, outputs } of graph.nodes.toReversed()) {
    const after = outputs.map((id) => (id === null ? Infinity : (twin.get(id) ?? high.get(id) ?? Infinity)));
    const least = Math.min(Infinity, ...after);
    for (const id of inputs) {
      if (id !== null && tensorOf(graph, id).data === undefined)
        high.set(id, Math.min(least, high.get(id) ?? Infinity));
    }
  }
  return (tensor) => ({ low: low.get(tensor) ?? -1, high: high.get(tensor) ?? Infinity });
}
