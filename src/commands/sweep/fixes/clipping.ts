/** Ranges that no observer gives: limits searched for one by one, without rare values, or as wide as what was seen. */
import {
  activationParams,
  forecastDb,
  forecastNoise,
  representedRange,
  type QuantizedActivation,
} from '../../../quant/edits/activations.js';
import { leastErrorRange, rangeWithoutRare } from '../../../quant/edits/range-search.js';
import type { Range } from '../../../quant/observers/index.js';
import { plural } from '../../../report/format.js';
import type { FixGround, LaneFix } from './lane-fix.js';
import {
  activationFix,
  groundActivations,
  mostWorth,
  rangeText,
  worthOf,
  type ActivationChange,
  type GroundActivation,
} from './ground-activations.js';
import { bestObserved, betterOf, MARGIN_DB, proposedByObserver } from './observer.js';

/** Activations that get a fix of their own, for each reason. */
const SINGLE_FIXES = 2;

interface Candidate extends ActivationChange {
  readonly worth: number;
}

/** Steps that differ by less are of the same range: a fix for one more reason is none. */
const ALIKE = 1.25;

/** Why a range is changed. */
interface Reason {
  readonly id: string;
  /** "with the least expected error". */
  readonly words: string;
  readonly candidate: (activation: GroundActivation) => Candidate | undefined;
}

const REASONS: readonly Reason[] = [
  { id: 'least-error', words: 'with the least expected error', candidate: withLeastError },
  {
    id: 'rare-values',
    words: 'without the rare values that take half of it or more',
    candidate: withoutRare,
  },
  { id: 'wider', words: 'as wide as the values that were seen', candidate: asWideAsSeen },
];

/** For each reason all activations at once, and those that gain most by themselves. */
export function clippingFixes(ground: FixGround): LaneFix[] {
  const activations = groundActivations(ground).filter(({ planned }) => planned.range.kind === 'observed');
  return REASONS.flatMap((reason) => {
    const candidates = activations.flatMap((activation) => reason.candidate(activation) ?? []);
    const all = candidates.length > 1 ? [together(ground, reason, candidates)] : [];
    return [
      ...all,
      ...mostWorth(candidates, SINGLE_FIXES).map((candidate) => single(ground, reason, candidate)),
    ];
  });
}

/** Where it beats every observer: those are named to a tool more easily than limits are. */
function withLeastError(activation: GroundActivation): Candidate | undefined {
  const { stats, scheme, db } = activation;
  const range = leastErrorRange(stats, scheme);
  if (range === undefined || db === undefined) return undefined;
  const after = forecastDb(stats, activationParams(range, scheme)) ?? Infinity;
  const observed = bestObserved(activation)?.db ?? -Infinity;
  if (after < Math.max(db, observed) + MARGIN_DB) return undefined;
  const params: Candidate['params'] = (now) => {
    const found = leastErrorRange(stats, now.scheme);
    return found === undefined ? undefined : betterOf(activation, now, activationParams(found, now.scheme));
  };
  return { activation, worth: worthOf(activation, after), params };
}

/** What counts is the finer step: the squared error of the few values that are cut may be larger than that of all others. */
function withoutRare(activation: GroundActivation): Candidate | undefined {
  const { stats, scheme, params } = activation;
  const range = rangeWithoutRare(stats, scheme);
  if (range === undefined) return undefined;
  const [before = 0, after = 0] = [params.scale[0], activationParams(range, scheme).scale[0]];
  if (after > before / 2) return undefined;
  const others = [proposedByObserver(activation), withLeastError(activation)?.params(activation)];
  if (others.some((other) => other !== undefined && (other.scale[0] ?? 0) < after * ALIKE)) return undefined;
  return {
    activation,
    worth: before / after,
    params: (now) => {
      const found = rangeWithoutRare(stats, now.scheme);
      const made = found === undefined ? undefined : activationParams(found, now.scheme);
      const isFiner = made !== undefined && (made.scale[0] as number) < (now.params.scale[0] as number);
      return isFiner && isUnchangedType(activation, now) ? made : undefined;
    },
  };
}

/** Where most of the noise is what the present range cuts off. */
function asWideAsSeen(activation: GroundActivation): Candidate | undefined {
  const { stats, scheme, params } = activation;
  const seen: Range = { rmin: stats.min, rmax: stats.max };
  const noise = forecastNoise(stats, params);
  const wider = activationParams(seen, scheme);
  if (noise === undefined || noise.clip <= noise.round || !isWider(wider, params)) return undefined;
  return {
    activation,
    worth: worthOf(activation, forecastDb(stats, wider)),
    params: (now) => {
      const made = activationParams(seen, now.scheme);
      return isUnchangedType(activation, now) && isWider(made, now.params) ? made : undefined;
    },
  };
}

function isUnchangedType({ params }: GroundActivation, now: QuantizedActivation): boolean {
  return params.dtype === now.params.dtype;
}

function isWider(a: QuantizedActivation['params'], b: QuantizedActivation['params']): boolean {
  return (a.scale[0] as number) > (b.scale[0] as number) * 1.001;
}

function together(ground: FixGround, { id, words }: Reason, candidates: readonly Candidate[]): LaneFix {
  const title = `ranges of ${plural(candidates.length, 'activation')}, each ${words}`;
  return activationFix(ground, { id: `clipping:${id}`, kind: 'clipping', title }, candidates);
}

function single(ground: FixGround, { id, words }: Reason, candidate: Candidate): LaneFix {
  const { name, params } = candidate.activation;
  const range = representedRange(candidate.params(candidate.activation) ?? params);
  return activationFix(
    ground,
    {
      id: `clipping:${id} ${name}`,
      kind: 'clipping',
      title: `range of ${name} ${words}: ${rangeText(range)} instead of ${rangeText(representedRange(params))}`,
    },
    [candidate],
  );
}
