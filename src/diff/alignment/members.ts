/** Which tensors of two matched regions are the same: by what they are as functions of the unit's result. */
import type { Graph, Node, TensorId } from '../../ir/graph.js';
import { sourceOf } from '../../ir/operators.js';
import type { QuantParams } from '../../ir/lane.js';
import { dimsOf } from './axes.js';
import { agree, isElementwise } from './elementwise.js';
import { isComparable, type Member, type Region, type Skeleton } from './units.js';

export interface MemberPair {
  readonly reference: TensorId;
  readonly candidate: TensorId;
}

/** Tensors of a region that are looked at, from its start and from its end: no network has as many in a row. */
const MOST_TENSORS = 64;

function outermost<T>(list: readonly T[]): readonly T[] {
  return list.length <= 2 * MOST_TENSORS
    ? list
    : [...list.slice(0, MOST_TENSORS), ...list.slice(-MOST_TENSORS)];
}

/** Tensors that leave their regions: operands of units, and outputs of the network. */
export interface Ends {
  readonly read: ReadonlySet<TensorId>;
  readonly written: ReadonlySet<TensorId>;
}

/** A region with what is asked of it again and again. */
export class RegionView {
  readonly skeleton: Skeleton;
  readonly region: Region;
  /** Tensors of the file, in graph order. */
  readonly tensors: readonly Member[];
  /** Those of them that other units read, or that leave the network. */
  readonly exits: readonly Member[];
  /** Of the exits those that no unit reads. */
  readonly finals: ReadonlySet<Member>;
  readonly #members: ReadonlyMap<TensorId, Member>;

  constructor(skeleton: Skeleton, region: Region, { read, written }: Ends) {
    this.skeleton = skeleton;
    this.region = region;
    this.#members = new Map(region.members.map((member) => [member.tensor, member]));
    const shown = region.members.filter(({ tensor }) => isComparable(skeleton.graph, tensor));
    this.tensors = outermost(shown);
    const left = (ends: ReadonlySet<TensorId>): ReadonlySet<TensorId | undefined> =>
      new Set(
        region.members.filter(({ tensor }) => ends.has(tensor)).map(({ tensor }) => this.shown(tensor)),
      );
    const [inside, outside] = [left(read), left(written)];
    this.exits = outermost(shown.filter(({ tensor }) => inside.has(tensor) || outside.has(tensor)));
    this.finals = new Set(this.exits.filter(({ tensor }) => !inside.has(tensor)));
  }

  member(tensor: TensorId): Member | undefined {
    return this.#members.get(tensor);
  }

  /** The tensor of the file that holds the values of this one; undefined when the file has none. */
  shown(tensor: TensorId): TensorId | undefined {
    for (let at: TensorId | undefined = tensor; at !== undefined;) {
      const source = sourceOf(this.skeleton.graph, at);
      if (isComparable(this.skeleton.graph, source)) return source;
      const member = this.member(source);
      at = member?.isMoved === true ? (member.node?.inputs[0] ?? undefined) : undefined;
    }
    return undefined;
  }
}

/** Extents apart from those of 1, sorted; what views cannot change. */
export function extentsKey(graph: Graph, tensor: TensorId): string | undefined {
  return dimsOf(graph, tensor)
    ?.filter((dim) => dim !== 1)
    .sort((a, b) => a - b)
    .join();
}

export function sizeOf(graph: Graph, tensor: TensorId): number | undefined {
  return dimsOf(graph, tensor)?.reduce((product, dim) => product * dim, 1);
}

function isSame(a: Member, b: Member): boolean {
  return a.samples !== undefined && b.samples !== undefined && agree(a.samples, b.samples);
}

/**
 * Whether `end` of one network is what the other has as `final` output with another quantity made of it: a Sigmoid that only one of
 * them has. What only limits its values, as a Relu does, is the same quantity.
 */
function isBehind(own: RegionView, end: Member, other: RegionView, final: Member): boolean {
  const isInside = other.tensors.some((member) => member !== final && isSame(member, end));
  const isKept = final.samples?.some(
    (value, i) => Math.abs(value) > 0.1 && Math.abs(value / (end.samples?.[i] ?? 0) - 1) < 1e-3,
  );
  return (own.finals.has(end) || other.finals.has(final)) && isInside && isKept === false;
}

/**
 * Tensors of two regions that belong together. First those that are the same function where both leave their region, then those
 * that the same unit reads though one has gone through an activation function that the other network does not have, then what is
 * the same inside.
 *
 * @param wired pairs of tensors that matched units read, or that are the same output of the network
 */
export function pairMembers(left: RegionView, right: RegionView, wired: readonly MemberPair[]): MemberPair[] {
  const pairs = new Pairs(left, right);
  const shown = wired.flatMap(({ reference, candidate }): MemberPair[] => {
    const [a, b] = [left.shown(reference), right.shown(candidate)];
    return a === undefined || b === undefined ? [] : [{ reference: a, candidate: b }];
  });
  // The data of both networks are the same, whatever is then done with them.
  if (left.skeleton.units[left.region.unit]?.node === undefined) {
    pairs.add({ reference: left.region.root, candidate: right.region.root });
  }
  const agreeing = shown.filter(({ reference, candidate }) => {
    const [a, b] = [left.member(reference), right.member(candidate)];
    return a !== undefined && b !== undefined && isSame(a, b);
  });
  for (const pair of agreeing) pairs.add(pair);
  pairs.alike(left.exits, right.exits);
  for (const pair of shown) pairs.add(pair);
  const [open, openThere] = [pairs.free(left.exits, 'reference'), pairs.free(right.exits, 'candidate')];
  const [a, b] = [open.at(-1), openThere.at(-1)];
  const isLast = a !== undefined && b !== undefined && right.exits.length === openThere.length;
  if (isLast && !isBehind(left, a, right, b) && !isBehind(right, b, left, a)) {
    pairs.add({ reference: a.tensor, candidate: b.tensor });
  }
  pairs.alike(left.tensors, right.tensors);
  pairs.copies(right.tensors);
  return pairs.found;
}

/** Whether a mover leaves extents and order as they are: what it writes is what it reads, but for rounding. */
function keepsPlaces({ node }: Member): boolean {
  return node !== undefined && /^(Identity|Cast|CastLike|Dropout|(Dequantize|Quantize)Linear)$/.test(node.op);
}

class Pairs {
  readonly found: MemberPair[] = [];
  readonly #left: RegionView;
  readonly #right: RegionView;
  readonly #reference = new Set<TensorId>();
  readonly #candidate = new Set<TensorId>();

  constructor(left: RegionView, right: RegionView) {
    this.#left = left;
    this.#right = right;
  }

  add(pair: MemberPair): void {
    const { reference, candidate } = pair;
    if (this.#reference.has(reference) || this.#candidate.has(candidate)) return;
    const [size, other] = [
      sizeOf(this.#left.skeleton.graph, reference),
      sizeOf(this.#right.skeleton.graph, candidate),
    ];
    if (size !== undefined && other !== undefined && size !== other) return;
    this.#reference.add(reference);
    this.#candidate.add(candidate);
    this.found.push(pair);
  }

  free(members: readonly Member[], side: keyof MemberPair): Member[] {
    const taken = side === 'reference' ? this.#reference : this.#candidate;
    return members.filter(({ tensor }) => !taken.has(tensor));
  }

  /**
   * Tensors of the candidate that only hold another one again: a second quantizer's, the same in another order. Also those that one
   * holds again: what an operator writes is compared where it is written, not where a quantizer has rounded it.
   */
  copies(right: readonly Member[]): void {
    const sourceOf = ({ node, isMoved }: Member): TensorId | undefined => {
      const source = isMoved ? (node?.inputs[0] ?? undefined) : undefined;
      return source === undefined ? undefined : this.#right.shown(source);
    };
    for (const member of right) this.#copy(sourceOf(member), member.tensor);
    for (const member of right.toReversed()) {
      const source = sourceOf(member);
      if (source !== undefined && keepsPlaces(member)) this.#copy(member.tensor, source);
    }
  }

  /** Pairs a tensor of the candidate with the twin of the one that has the same values. */
  #copy(known: TensorId | undefined, tensor: TensorId): void {
    const twin = this.found.find(({ candidate }) => candidate === known);
    if (twin === undefined || this.#candidate.has(tensor)) return;
    if (sizeOf(this.#right.skeleton.graph, tensor) !== sizeOf(this.#left.skeleton.graph, twin.reference))
      return;
    this.#candidate.add(tensor);
    this.found.push({ reference: twin.reference, candidate: tensor });
  }

  alike(left: readonly Member[], right: readonly Member[]): void {
    for (const member of this.free(right, 'candidate')) {
      const extents = extentsKey(this.#right.skeleton.graph, member.tensor);
      const twin = this.free(left, 'reference').find((other) => {
        const there = extentsKey(this.#left.skeleton.graph, other.tensor);
        return isSame(other, member) && (extents === undefined || there === undefined || extents === there);
      });
      if (twin !== undefined) this.add({ reference: twin.tensor, candidate: member.tensor });
    }
  }
}

const AFFINE: ReadonlySet<string> = new Set(['BatchNormalization', 'Add', 'Sub', 'Mul', 'Div']);

/**
 * Elementwise operators of a region that the twin region has no counterpart for.
 *
 * @param isReordered whether the channels of the two are in different orders: their constants say nothing about what is the same
 */
export function oddNodes(own: RegionView, other: RegionView, isReordered: boolean): Node[] {
  const nodes = outermost(own.region.members.filter(({ node }) => node !== undefined && isElementwise(node)));
  const twins = outermost(other.region.members);
  const isMatched = (member: Member): boolean =>
    twins.some(
      (twin) =>
        isSame(member, twin) || isSameInRange(member, twin, other) || isSameInRange(twin, member, own),
    );
  const ends = own.exits.length > 0 ? own.exits : own.region.members.slice(-1);
  if (!isReordered && ends.every(isMatched)) return [];
  const ops = new Map<string, number>();
  for (const { node } of other.region.members)
    if (node !== undefined) ops.set(node.op, (ops.get(node.op) ?? 0) + 1);
  return nodes
    .filter((member) => {
      const { node, samples } = member;
      if (node === undefined || isFolded(own, node)) return false;
      if (isReordered && AFFINE.has(node.op)) return false;
      if (!isReordered && isMatched(member)) return false;
      if (!isReordered && samples !== undefined) return true;
      const count = ops.get(node.op) ?? 0;
      ops.set(node.op, count - 1);
      return count <= 0;
    })
    .flatMap(({ node }) => node ?? []);
}

function isFolded({ skeleton, region }: RegionView, node: Node): boolean {
  return skeleton.units[region.unit]?.folded?.nodes.includes(node) === true;
}

/**
 * Whether a function is the other behind the quantizer of its tensor: a range that starts at zero stands for an activation function
 * that the graph does not have. Where else the range ends is calibration.
 */
function isSameInRange(plain: Member, limited: Member, { skeleton }: RegionView): boolean {
  const params = skeleton.lane?.tensors.get(limited.tensor);
  const range = params === undefined ? undefined : rangeOf(params);
  if (range === undefined || plain.samples === undefined || limited.samples === undefined) return false;
  const [low, high] = range;
  const bound = (least: number) => (value: number) => Math.min(Math.max(value, least), high);
  return agree(plain.samples.map(bound(low < 0 ? low : -Infinity)), limited.samples.map(bound(low)));
}

function rangeOf({
  granularity,
  scale,
  zeroPoint,
  qmin,
  qmax,
}: QuantParams): readonly [number, number] | undefined {
  const [step = 0] = scale;
  const [zero = 0] = zeroPoint;
  if (granularity.kind !== 'per-tensor' || !(step > 0)) return undefined;
  return [(qmin - zero) * step, (qmax - zero) * step];
}
