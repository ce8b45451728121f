/**
 * What a scorer has added up, as plain data: other processes write it into files, and another scorer goes on from it. Maps are lists
 * of pairs.
 */
import { DataError } from '../../errors.js';
import type { Disagreement } from './metric.js';

export type ScorerState =
  | TopState
  | ClassAgreementState
  | PixelAgreementState
  | SummedState
  | MaskState
  | BoxState
  | AucState
  | EmptyState;

/** Of a scorer that decides with its first sample what it counts, and had none. */
export interface EmptyState {
  readonly kind: 'empty';
}

export type Counts = readonly (readonly [key: number, count: number])[];

export interface HitsState {
  readonly samples: number;
  readonly support: Counts;
  /** By network. */
  readonly networks: readonly {
    readonly hits: number;
    readonly ties: number;
    readonly nonFinite: number;
    readonly both: number;
    readonly onlyReference: number;
    readonly onlyCandidate: number;
    readonly hitsByClass: Counts;
    readonly excess: Counts;
    readonly disagreements: readonly Disagreement[];
  }[];
}

export interface TransitionState {
  readonly stayed: Counts;
  readonly changed: Counts;
  readonly leftOut: number;
}

export interface TopState {
  readonly kind: 'top';
  /** By offset of the labels. */
  readonly hits: readonly HitsState[];
  readonly transitions: TransitionState;
  readonly classes?: number;
  readonly leftOut: number;
}

export interface ClassAgreementState {
  readonly kind: 'agreement of classes';
  readonly hits: HitsState;
  readonly transitions: TransitionState;
}

export interface ClassPairsState {
  readonly cells: Counts;
  readonly from: Counts;
}

export interface PixelAgreementState {
  readonly kind: 'agreement of pixels';
  readonly sums: SummedState;
  readonly pairs: ClassPairsState;
}

/** Sums by column; those that are 0 are left out. */
export type ResampledState = readonly {
  readonly column: number;
  readonly total: number;
  readonly replicates: Float64Array;
}[];

export interface SummedState {
  readonly kind: 'summed';
  readonly samples: number;
  readonly leftOut: number;
  readonly networks: readonly {
    readonly sums: ResampledState;
    readonly nonFinite: number;
    readonly ties: number;
    readonly undefinedSamples: number;
  }[];
  /** What else the metric has found out: numbers by name. */
  readonly found?: Readonly<Record<string, number>>;
}

export interface MaskState {
  readonly kind: 'masks';
  readonly classes: number;
  readonly samples: number;
  readonly leftOut: number;
  readonly seen: number;
  readonly unseen: number;
  readonly networks: readonly {
    readonly sums: ResampledState;
    readonly pairs: ClassPairsState;
    readonly ties: number;
    readonly nonFinite: number;
  }[];
}

export interface BoxState {
  readonly kind: 'boxes';
  readonly indices: Int32Array;
  readonly leftOut: number;
  /** Of the labels, by class. */
  readonly boxes: readonly {
    readonly label: number;
    readonly images: Int32Array;
    readonly counts: Int32Array;
  }[];
  /** By network. */
  readonly detections: readonly {
    readonly classes: Int32Array;
    readonly images: Int32Array;
    readonly scores: Float64Array;
    readonly found: Int32Array;
    readonly excused: Int32Array;
    readonly nonFinite: number;
  }[];
}

export interface AucState {
  readonly kind: 'auc';
  readonly labels: Int32Array;
  readonly indices: Int32Array;
  readonly width?: number;
  readonly areProbabilities: boolean;
  readonly leftOut: number;
  readonly networks: readonly {
    readonly scores: Float32Array;
    readonly samples: Int32Array;
    readonly nonFinite: number;
  }[];
}

/**
 * The state as one of the kind that a scorer goes on from.
 *
 * @throws DataError for another
 */
export function stateOf<K extends ScorerState['kind']>(
  state: ScorerState,
  kind: K,
): Extract<ScorerState, { kind: K }> {
  if (state.kind === kind) return state as Extract<ScorerState, { kind: K }>;
  throw new DataError(`the sums of one metric are of ${state.kind}, wanted ${kind}`);
}

/**
 * Adds what belongs together entry by entry.
 *
 * @throws DataError when one has more entries than the other
 */
export function eachOf<A, B>(own: readonly A[], other: readonly B[], add: (own: A, other: B) => void): void {
  requireLength(other, own.length);
  own.forEach((one, i) => add(one, other[i] as B));
}

/** @throws DataError */
export function requireLength({ length }: { readonly length: number }, wanted: number): void {
  if (length !== wanted)
    throw new DataError(`the sums of one metric have ${length} entries, wanted ${wanted}`);
}

/**
 * Whole numbers that stand for positions among `count`.
 *
 * @throws DataError for others
 */
export function requirePositions(positions: Int32Array, count: number): void {
  const wrong = positions.find((position) => position < 0 || position >= count);
  if (wrong !== undefined) throw new DataError(`the sums of one metric name sample ${wrong} of ${count}`);
}

export function addCounts(counts: Map<number, number>, more: Counts): void {
  for (const [key, count] of more) counts.set(key, (counts.get(key) ?? 0) + count);
}
