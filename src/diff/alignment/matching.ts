/** Which unit of the candidate is which of the reference: from anchors along producers and consumers, then by order. */
import type { Ground } from './alignment.js';
import type { Anchor } from './anchors.js';
import { orderedPairs } from './sequence.js';
import { canBeSame, type Operand, type Skeleton, type Unit } from './units.js';

export interface Match {
  readonly reference: number;
  readonly candidate: number;
  readonly ground: Ground;
}

export class Matching {
  readonly reference: Skeleton;
  readonly candidate: Skeleton;
  readonly #toCandidate: Int32Array;
  readonly #toReference: Int32Array;
  readonly #grounds = new Map<number, Ground>();
  readonly #pending: [a: Unit, b: Unit][] = [];
  readonly #sources: readonly ReadonlySet<number>[];
  readonly #readers: readonly ReadonlySet<number>[];
  #colors: readonly [readonly number[], readonly number[]] | undefined;

  constructor(reference: Skeleton, candidate: Skeleton) {
    this.reference = reference;
    this.candidate = candidate;
    this.#toCandidate = new Int32Array(reference.units.length).fill(-1);
    this.#toReference = new Int32Array(candidate.units.length).fill(-1);
    this.#sources = candidate.units.map(({ operands }) => new Set(operands.map(({ region }) => region.unit)));
    this.#readers = candidate.units.map(({ readers }) => new Set(readers));
  }

  /** Whether an operand or a reader of one is matched with one of the other. */
  isNear(a: Unit, b: Unit): boolean {
    const [sources, readers] = [this.#sources[b.index], this.#readers[b.index]];
    return (
      a.operands.some(({ region }) => sources?.has(this.ofReference(region.unit)?.index ?? -1) === true) ||
      a.readers.some((reader) => readers?.has(this.ofReference(reader)?.index ?? -1) === true)
    );
  }

  /** The candidate's unit for one of the reference. */
  ofReference(unit: number): Unit | undefined {
    return this.candidate.units[this.#toCandidate[unit] ?? -1];
  }

  ofCandidate(unit: number): Unit | undefined {
    return this.reference.units[this.#toReference[unit] ?? -1];
  }

  /** In the order of the candidate. */
  matches(): Match[] {
    return Array.from(this.#toReference, (reference, candidate) => ({
      reference,
      candidate,
      ground: this.#grounds.get(candidate) ?? 'structure',
    })).filter(({ reference }) => reference >= 0);
  }

  join(a: Unit, b: Unit, ground: Ground): boolean {
    if (this.ofReference(a.index) !== undefined || this.ofCandidate(b.index) !== undefined) return false;
    this.#toCandidate[a.index] = b.index;
    this.#toReference[b.index] = a.index;
    this.#grounds.set(b.index, ground);
    this.#pending.push([a, b]);
    return true;
  }

  /** Undoes matches that `isKept` refuses. */
  keep(isKept: (match: Match) => boolean): void {
    for (const match of this.matches().filter((each) => !isKept(each))) {
      this.#toCandidate[match.reference] = -1;
      this.#toReference[match.candidate] = -1;
      this.#grounds.delete(match.candidate);
    }
  }

  anchor(anchors: readonly Anchor[]): void {
    for (const { reference, candidate } of anchors) {
      const [a, b] = [this.reference.units[reference], this.candidate.units[candidate]];
      if (a !== undefined && b !== undefined) this.join(a, b, 'weights');
    }
  }

  /** Follows edges from what is matched, and fills what lies between by order, until nothing more is found. */
  complete(): void {
    this.#propagate();
    for (let rounds = 0; rounds < 8; rounds++) {
      const before = this.#grounds.size;
      for (const [a, b] of this.#inOrder()) this.#neighbours(a, b, true);
      this.#propagate();
      for (const [a, b] of orderedPairs(this)) this.join(a, b, 'structure');
      this.#propagate();
      if (this.#grounds.size === before) return;
    }
  }

  #inOrder(): [a: Unit, b: Unit][] {
    return this.matches().flatMap(({ reference, candidate }): [Unit, Unit][] => {
      const [a, b] = [this.reference.units[reference], this.candidate.units[candidate]];
      return a === undefined || b === undefined ? [] : [[a, b]];
    });
  }

  #propagate(): void {
    // Grows while it is walked.
    for (const [a, b] of this.#pending) this.#neighbours(a, b, false);
    this.#pending.length = 0;
  }

  #neighbours(a: Unit, b: Unit, isForced: boolean): void {
    this.#producers(a, b, isForced);
    this.#pairUp(
      a.readers.map((index) => this.reference.units[index]),
      b.readers.map((index) => this.candidate.units[index]),
      isForced,
    );
  }

  #producers(a: Unit, b: Unit, isForced: boolean): void {
    const unitOf = ({ units }: Skeleton, operands: readonly Operand[]): (Unit | undefined)[] =>
      [...new Set(operands.map(({ region }) => region.unit))].map((index) => units[index]);
    const [left, right] = [unitOf(this.reference, a.operands), unitOf(this.candidate, b.operands)];
    if (!a.isCommutative && a.operands.length === b.operands.length) {
      a.operands.forEach(({ region }, slot) => {
        const other = b.operands[slot];
        if (other === undefined || region.slot !== other.region.slot) return;
        const [one, two] = [this.reference.units[region.unit], this.candidate.units[other.region.unit]];
        if (one !== undefined && two !== undefined && this.#fits(one, two)) this.join(one, two, 'structure');
      });
      return;
    }
    this.#pairUp(left, right, isForced);
  }

  /** Joins units of two lists that have one partner each in the other; with `isForced` also those that are told apart by what is around them. */
  #pairUp(
    left: readonly (Unit | undefined)[],
    right: readonly (Unit | undefined)[],
    isForced: boolean,
  ): void {
    const free = (
      units: readonly (Unit | undefined)[],
      matched: (unit: number) => Unit | undefined,
    ): Unit[] =>
      units.filter((unit) => unit !== undefined).filter(({ index }) => matched(index) === undefined);
    const ones = free(left, (unit) => this.ofReference(unit));
    const twos = free(right, (unit) => this.ofCandidate(unit));
    if (ones.length * twos.length > 4096) return;
    this.#joinSingles(ones, twos, (a, b) => this.#fits(a, b));
    if (!isForced) return;
    this.#joinSingles(ones, twos, (a, b) => isNamesake(a, b) && this.#fits(a, b), 'name');
    const [colors, colorsThere] = (this.#colors ??= surroundings(this.reference, this.candidate));
    this.#joinSingles(ones, twos, (a, b) => colors[a.index] === colorsThere[b.index] && this.#fits(a, b));
    for (const a of ones) {
      if (this.ofReference(a.index) !== undefined) continue;
      const b = twos.find((unit) => this.ofCandidate(unit.index) === undefined && this.#fits(a, unit));
      if (b !== undefined) this.join(a, b, 'structure');
    }
  }

  #joinSingles(
    ones: readonly Unit[],
    twos: readonly Unit[],
    fits: (a: Unit, b: Unit) => boolean,
    ground: Ground = 'structure',
  ): void {
    for (const a of ones) {
      if (this.ofReference(a.index) !== undefined) continue;
      const partners = twos.filter((b) => this.ofCandidate(b.index) === undefined && fits(a, b));
      const [b, ...others] = partners;
      if (b === undefined || others.length > 0) continue;
      const rivals = ones.filter((one) => this.ofReference(one.index) === undefined && fits(one, b));
      if (rivals.length === 1) this.join(a, b, ground);
    }
  }

  /** Whether two units can be the same, given what is matched around them. */
  #fits(a: Unit, b: Unit): boolean {
    return canBeSame(a, b) && this.agreesAround(a, b);
  }

  /** False when an operand of one belongs to another unit than that operand of the other. */
  agreesAround(a: Unit, b: Unit): boolean {
    const [sources, readers] = [this.#sources[b.index], this.#readers[b.index]];
    const isOdd = a.operands.some(({ region }) => {
      const twin = this.ofReference(region.unit);
      return (
        twin !== undefined &&
        sources?.has(twin.index) === false &&
        b.operands.every((other) => this.#isTaken(other))
      );
    });
    const isOddAfter =
      a.readers.length > 0 &&
      a.readers.every((reader) => {
        const twin = this.ofReference(reader);
        return twin !== undefined && readers?.has(twin.index) === false;
      }) &&
      b.readers.every((reader) => this.ofCandidate(reader) !== undefined);
    return !isOdd && !(isOddAfter && b.readers.length > 0);
  }

  #isTaken({ region }: Operand): boolean {
    return this.ofCandidate(region.unit) !== undefined;
  }
}

/** Numbers are not names: every exporter counts its own way. */
function isNamesake(a: Unit, b: Unit): boolean {
  return a.name === b.name && !/^\d*$/.test(a.name);
}

/** Steps over which units are told apart by what is around them. */
const HORIZON = 6;

/** For each unit a number for what it is and what is before and behind it; equal in both networks where that is equal. */
function surroundings(reference: Skeleton, candidate: Skeleton): readonly [number[], number[]] {
  const names = new Map<string, number>();
  const nameOf = (text: string): number => {
    const known = names.get(text);
    if (known !== undefined) return known;
    names.set(text, names.size);
    return names.size - 1;
  };
  let colors = [reference, candidate].map(({ units }) =>
    units.map(({ kind, size }) => nameOf(`${kind}@${size ?? '?'}`)),
  );
  for (let step = 0; step < HORIZON; step++) {
    colors = [reference, candidate].map(({ units }, side) => {
      const of = (unit: number): number => colors[side]?.[unit] ?? 0;
      return units.map(({ index, operands, readers }) => {
        const sources = operands.map(({ region }) => of(region.unit)).sort((a, b) => a - b);
        const after = readers.map(of).sort((a, b) => a - b);
        return nameOf(`${of(index)}<${sources.join()}>${after.join()}`);
      });
    });
  }
  return [colors[0] ?? [], colors[1] ?? []];
}
