/** Units that belong together because they have the same weights. */
import { FEATURE_ORDERS, isSorted, kernelCorrelation, LOOK, type FeatureOrder } from './correlation.js';
import type { Skeleton, Unit } from './units.js';

export interface Anchor {
  readonly reference: number;
  readonly candidate: number;
}

/** One of so many of the sampled values is looked at first, in every pair of one kind. */
const GLANCE = 64;
/** Pairs of one kind beyond which nothing is compared: no network has thousands of equal layers. */
const MOST_PAIRS = 4_000_000;
/** Pairs that pass the glance, for one unit, of which more is read. */
const MOST_LOOKED_AT = 8;

/**
 * Pairs of units whose weights correlate, where no other unit comes close: of two layers with the same weights neither says which
 * is which. Signs do not count, so that a layer whose sign was turned is still itself.
 */
export function weightAnchors(reference: Skeleton, candidate: Skeleton): Anchor[] {
  const candidates = byKind(candidate);
  const anchors: Anchor[] = [];
  for (const [kind, left] of byKind(reference)) {
    const right = candidates.get(kind) ?? [];
    if (left.length * right.length <= MOST_PAIRS) anchors.push(...mutual(left, right));
  }
  return consistent(reference, candidate, anchors);
}

function byKind({ units }: Skeleton): ReadonlyMap<string, Unit[]> {
  const kinds = new Map<string, Unit[]>();
  for (const unit of units) {
    if (unit.kernel === undefined) continue;
    const same = kinds.get(unit.kind);
    if (same === undefined) kinds.set(unit.kind, [unit]);
    else same.push(unit);
  }
  return kinds;
}

/** A correlation that chance gives to weights of this number once in ten thousand, at least. */
function threshold(count: number): number {
  return Math.max(0.6, 3.8 / Math.sqrt(count));
}

interface Best {
  at: number;
  value: number;
  second: number;
}

function mutual(left: readonly Unit[], right: readonly Unit[]): Anchor[] {
  const kernel = left[0]?.kernel;
  if (kernel === undefined || right.length === 0) return [];
  const least = threshold(Math.min(kernel.channels * kernel.features, LOOK));
  const best = (): Best => ({ at: -1, value: 0, second: 0 });
  const rows = left.map(best);
  const columns = right.map(best);
  const looks = new Looks(left, right);
  left.forEach((_, a) => {
    for (const b of looks.worthwhile(a)) {
      const value = looks.similarity(a, b);
      note(rows[a], b, value);
      note(columns[b], a, value);
    }
  });
  return rows.flatMap(({ at, value, second }, a): Anchor[] => {
    const column = columns[at];
    const [one, other] = [left[a], right[at]];
    if (column === undefined || one === undefined || other === undefined || column.at !== a || value < least)
      return [];
    const rival = Math.max(second, column.second);
    return rival > 0.9 * value ? [] : [{ reference: one.index, candidate: other.index }];
  });
}

function note(best: Best | undefined, at: number, value: number): void {
  if (best === undefined) return;
  if (value > best.value) {
    best.second = best.value;
    best.value = value;
    best.at = at;
  } else best.second = Math.max(best.second, value);
}

/** Samples of the kernels of two lists of units of one kind, taken when first needed. */
class Looks {
  readonly #left: readonly Unit[];
  readonly #right: readonly Unit[];
  readonly #orders: readonly FeatureOrder[];

  constructor(left: readonly Unit[], right: readonly Unit[]) {
    this.#left = left;
    this.#right = right;
    const isPlain = ({ kernel }: Unit): boolean => kernel === undefined || isSorted(kernel);
    this.#orders = [...left, ...right].every(isPlain) ? ['plain'] : FEATURE_ORDERS;
  }

  /** Units on the right that a few values do not rule out. */
  worthwhile(a: number): number[] {
    const all = this.#right.map((_, b) => b);
    if (all.length <= MOST_LOOKED_AT) return all;
    return all
      .map((b) => ({ b, value: this.#correlation(a, b, GLANCE) }))
      .filter(({ value }) => value > 0.35)
      .sort((x, y) => y.value - x.value || x.b - y.b)
      .slice(0, MOST_LOOKED_AT)
      .map(({ b }) => b);
  }

  similarity(a: number, b: number): number {
    return this.#correlation(a, b, 1);
  }

  /** Signs and orders apart; of one of `every` values. */
  #correlation(a: number, b: number, every: number): number {
    const [left, right] = [this.#left[a], this.#right[b]];
    if (left === undefined || right === undefined) return 0;
    return Math.max(
      ...this.#orders.map((order) => Math.abs(kernelCorrelation(left, right, order, every) ?? 0)),
    );
  }
}

/**
 * Without the anchors that contradict others: if one unit comes before another in the reference, its twin cannot come after the
 * twin of the other. Those with the most contradictions go first, of these the ones that are furthest from their place.
 */
function consistent(reference: Skeleton, candidate: Skeleton, anchors: readonly Anchor[]): Anchor[] {
  const [before, beforeThere] = [
    ancestry(
      reference,
      anchors.map((anchor) => anchor.reference),
    ),
    ancestry(
      candidate,
      anchors.map((anchor) => anchor.candidate),
    ),
  ];
  const contradict = (i: number, j: number): boolean =>
    (before(i, j) && beforeThere(j, i)) || (before(j, i) && beforeThere(i, j));
  const conflicts = anchors.map(() => new Set<number>());
  anchors.forEach((_, i) => {
    for (let j = 0; j < i; j++) {
      if (!contradict(i, j)) continue;
      conflicts[i]?.add(j);
      conflicts[j]?.add(i);
    }
  });
  const rank = (key: keyof Anchor): Map<number, number> =>
    new Map([...anchors].sort((x, y) => x[key] - y[key]).map((anchor, i) => [anchor[key], i]));
  const [ranks, ranksThere] = [rank('reference'), rank('candidate')];
  const shift = ({ reference: a, candidate: b }: Anchor): number =>
    Math.abs((ranks.get(a) ?? 0) - (ranksThere.get(b) ?? 0));
  const left = new Set(anchors.keys());
  for (;;) {
    const contested = [...left].filter((i) => (conflicts[i]?.size ?? 0) > 0);
    if (contested.length === 0) break;
    const cost = (i: number): number =>
      (conflicts[i]?.size ?? 0) * (anchors.length + 1) + shift(anchors[i] as Anchor);
    const worst = Math.max(...contested.map(cost));
    for (const i of contested.filter((at) => cost(at) === worst)) {
      left.delete(i);
      for (const j of conflicts[i] ?? []) conflicts[j]?.delete(i);
      conflicts[i]?.clear();
    }
  }
  return anchors.filter((_, i) => left.has(i));
}

/** Tells whether the i-th of the units comes before the j-th on some path. */
function ancestry({ units }: Skeleton, marked: readonly number[]): (i: number, j: number) => boolean {
  const words = Math.ceil(marked.length / 32);
  const bits = new Map(marked.map((unit, i) => [unit, i]));
  const above = units.map(() => new Uint32Array(words));
  for (const { index, operands } of units) {
    const own = above[index] as Uint32Array;
    for (const { region } of operands) {
      const from = above[region.unit];
      const bit = bits.get(region.unit);
      from?.forEach((word, i) => (own[i] = (own[i] ?? 0) | word));
      if (bit !== undefined) own[bit >> 5] = (own[bit >> 5] ?? 0) | (1 << (bit & 31));
    }
  }
  return (i, j) => (((above[marked[j] ?? 0]?.[i >> 5] ?? 0) >>> (i & 31)) & 1) === 1;
}
