/** What fixes give: each by itself, and those together that really help. */
import type { Lane } from '../../../ir/lane.js';
import type { Effect, ReportedLaneFix, Restored } from '../../../report/sweep-report.js';
import { effectOf, restoredOf, type EffectBasis } from '../effects.js';
import type { FixGround, LaneFix, LaneFixKind } from './lane-fix.js';
import { laneDigest } from '../trials/lane-digest.js';
import type { TrialOutcome, TrialRunner } from '../trials/trial.js';
import { FixCosts, type FixCost } from './fix-cost.js';

export interface MeasuredFixes {
  /** Best first: those that gain without cost, those that gain per cost, then the others. */
  readonly fixes: readonly ReportedLaneFix[];
  /** Absent where no fix helps. */
  readonly together?: { readonly fixes: readonly string[]; readonly effect: Effect };
  /** Those that help, in the order in which they are applied. */
  readonly applied: readonly LaneFix[];
  /** With them; that of the start where there are none. */
  readonly lane: Lane;
  /** Of that lane. */
  readonly outcome: TrialOutcome;
}

export interface FixMeasurement {
  readonly runner: TrialRunner;
  /** What gains are told against: everything quantized. */
  readonly basis: EffectBasis;
  /** To start from, with its outcome, if it is not everything quantized: the answer of a search. Fixes are then told against it. */
  readonly start?: { readonly lane: Lane; readonly outcome: TrialOutcome };
  readonly progress?: (done: number, of: number) => void;
}

/** Fixes whose metric is evaluated: those that take most noise away, and those that bring most answers back. */
const MOST_SCORED = 16;
/** Each is a pass of its own, as it stands on the one before. */
const MOST_TOGETHER = 12;
/** A smaller difference in noise is not worth a setting. */
const LEAST_DB = 0.1;
/** Of fixes that cost something at run time. */
const LEAST_DB_FOR_COST = 1;

interface Tried {
  readonly fix: LaneFix;
  readonly lane: Lane;
  readonly cost: FixCost;
  readonly effect: Effect;
  readonly told: Told;
}

/** Beside what it was applied to. */
interface Told extends Pick<Restored, 'gain' | 'gainDb' | 'accuracyInterval' | 'failure'> {
  /** Infinite where nothing is lost any more. */
  readonly db: number | undefined;
}

/** Fixes that change nothing in the lane are left out, and those that come to the same as one before them. */
export async function measureFixes(
  ground: FixGround,
  fixes: readonly LaneFix[],
  { runner, basis, start, progress = () => undefined }: FixMeasurement,
): Promise<MeasuredFixes> {
  const from = start ?? { lane: ground.simulated.lane, outcome: basis.quantized };
  const held: EffectBasis = { ...basis, quantized: from.outcome };
  const costs = new FixCosts(ground);
  const known = new Set([laneDigest(from.lane)]);
  const made = fixes.flatMap((fix): Pick<Tried, 'fix' | 'lane' | 'cost'>[] => {
    const lane = fix.apply(from.lane);
    const key = laneDigest(lane);
    if (lane === from.lane || known.has(key)) return [];
    known.add(key);
    return [{ fix, lane, cost: costs.of(fix) }];
  });
  const outcomes = await alone(runner, made, held, progress);
  const tried = made.map((one, at): Tried => {
    const outcome = outcomes[at] as TrialOutcome;
    return { ...one, effect: effectOf(outcome, held), told: toldOf(outcome, held) };
  });
  const ranked = [...tried].sort(byGain);
  const { applied, lane, outcome } = await addUp(runner, ranked, from, held);
  return {
    fixes: ranked.map(reported),
    ...(applied.length === 0
      ? {}
      : { together: { fixes: applied.map(({ id }) => id), effect: effectOf(outcome, held) } }),
    applied,
    lane,
    outcome,
  };
}

/** Noise of all; where there is a metric its value for those that may gain by it. */
async function alone(
  runner: TrialRunner,
  made: readonly Pick<Tried, 'fix' | 'lane'>[],
  basis: EffectBasis,
  progress: (done: number, of: number) => void,
): Promise<TrialOutcome[]> {
  const trials = made.map(({ fix, lane }) => ({ id: `fix ${fix.id}`, lane }));
  const asksScores = basis.better !== undefined;
  const most = asksScores ? Math.min(MOST_SCORED, trials.length) : 0;
  const outcomes = [
    ...(await runner.run(trials, { noise: true, score: false }, (done) =>
      progress(done, trials.length + most),
    )),
  ];
  if (!asksScores) return outcomes;
  const chosen = promising(outcomes, basis);
  const scored = await runner.run(
    chosen.flatMap((at) => trials[at] ?? []),
    { noise: false, score: true },
    (done) => progress(trials.length + done, trials.length + chosen.length),
  );
  chosen.forEach((at, position) => {
    outcomes[at] = { ...outcomes[at], ...(scored[position] as TrialOutcome) };
  });
  return outcomes;
}

/**
 * Positions of the fixes to evaluate. Noise and answers are two opinions: cutting rare values adds to the noise, and may bring
 * back answers that a coarse step cost.
 */
function promising(outcomes: readonly TrialOutcome[], basis: EffectBasis): number[] {
  const before = effectOf(basis.quantized, basis).changedShare ?? 0;
  const by = (worth: (told: Restored) => number): number[] =>
    outcomes
      .map((outcome, at) => ({
        at,
        worth: outcome.failure === undefined ? worth(restoredOf(outcome, basis)) : 0,
      }))
      .filter(({ worth: value }) => value > 0)
      .sort((a, b) => b.worth - a.worth)
      .map(({ at }) => at);
  const [quiet, kept] = [
    by(({ gainDb, exact }) => (exact === true ? Infinity : (gainDb ?? 0))),
    by(({ changedShare }) => before - (changedShare ?? before)),
  ];
  const chosen = new Set<number>();
  for (let rank = 0; rank < outcomes.length; rank++) {
    for (const list of [quiet, kept]) {
      const at = list[rank];
      if (at !== undefined && chosen.size < MOST_SCORED) chosen.add(at);
    }
  }
  return [...chosen].sort((a, b) => a - b);
}

/**
 * Greedily, each where it helps what is there by then. In the order in which they may stand on each other: ranges are of values as
 * they are before equalization, rounding goes by scales, corrections by the codes; of one stage in rank order.
 */
async function addUp(
  runner: TrialRunner,
  ranked: readonly Tried[],
  from: { readonly lane: Lane; readonly outcome: TrialOutcome },
  basis: EffectBasis,
): Promise<Pick<MeasuredFixes, 'applied' | 'lane' | 'outcome'>> {
  const wanted = { noise: true, score: basis.better !== undefined };
  const applied: LaneFix[] = [];
  let { lane, outcome } = from;
  let passes = 0;
  // Stable: in rank order within a stage.
  const staged = ranked
    .filter(({ told, cost }) => helps(told, cost))
    .sort((a, b) => stageOf(a.fix) - stageOf(b.fix));
  for (const { fix: asMade, cost } of staged) {
    const now: EffectBasis = { ...basis, quantized: outcome };
    if (passes === MOST_TOGETHER) break;
    const fix = await fittedTo(asMade, lane, from.lane);
    const next = fix.apply(lane);
    if (next === lane) continue;
    passes++;
    const id = `fixes ${[...applied, fix].map((one) => one.id).join(' + ')}`;
    const [found] = await runner.run([{ id, lane: next }], wanted);
    if (found === undefined || !helps(toldOf(found, now), cost)) continue;
    applied.push(fix);
    [lane, outcome] = [next, found];
  }
  return { applied, lane, outcome };
}

/** All of them on another lane, in their order. */
export async function appliedTo(lane: Lane, fixes: readonly LaneFix[]): Promise<Lane> {
  let made = lane;
  for (const fix of fixes) made = (await fittedTo(fix, made)).apply(made);
  return made;
}

/** The fix for this lane. @param of the lane that it was made for */
async function fittedTo(fix: LaneFix, lane: Lane, of?: Lane): Promise<LaneFix> {
  return lane === of ? fix : ((await fix.remade?.(lane)) ?? fix);
}

function stageOf({ kind }: LaneFix): number {
  return STAGES.findIndex((kinds) => kinds.includes(kind));
}

const STAGES: readonly (readonly LaneFixKind[])[] = [
  ['observer', 'clipping', 'per-axis', 'asymmetric', 'int16', 'split-concat'],
  ['equalization'],
  ['rounding'],
  ['bias-correction'],
];

/**
 * Points decide; noise does where they are the same, or where there are none. Where noise has grown, as it does when rare values are
 * cut, points must be more than luck.
 */
function helps({ gain, db, failure, accuracyInterval }: Told, { isFree }: FixCost): boolean {
  if (failure !== undefined || db === undefined) return false;
  if (gain === undefined || gain === 0) return db >= (isFree ? LEAST_DB : LEAST_DB_FOR_COST);
  if (gain < 0 || db >= 0) return gain > 0;
  const [low = 0, high = 0] = accuracyInterval ?? [];
  return gain > (high - low) / 4;
}

function toldOf(outcome: TrialOutcome, basis: EffectBasis): Told {
  const told = restoredOf(outcome, basis);
  const isNews = effectOf(basis.quantized, basis).exact !== true;
  return { ...told, db: told.exact === true ? (isNews ? Infinity : 0) : told.gainDb };
}

/** Helpful and free, helpful at a cost, and the others; in each by gain for the cost, and of equal ones by noise. */
function byGain(a: Tried, b: Tried): number {
  const ranks = [rankOf, perCost, ({ told }: Tried) => told.gain, ({ told }: Tried) => told.db];
  for (const rank of ranks) {
    const [x, y] = [rank(a) ?? -Infinity, rank(b) ?? -Infinity];
    if (x !== y) return y - x;
  }
  return 0;
}

function rankOf({ told, cost }: Tried): number {
  if (!helps(told, cost)) return told.failure === undefined ? 1 : 0;
  return cost.isFree ? 3 : 2;
}

/** Absent where it costs nothing that can be counted. */
function perCost({ told, cost }: Tried): number | undefined {
  const gain = told.gain ?? told.gainDb;
  return gain === undefined || cost.share === 0 ? undefined : gain / cost.share;
}

function reported(tried: Tried): ReportedLaneFix {
  const { fix, cost, told } = tried;
  const { gain, gainDb } = told;
  const gainPerCost = perCost(tried);
  return {
    id: fix.id,
    kind: fix.kind,
    title: fix.title,
    places: fix.places,
    effect: tried.effect,
    ...(gainDb === undefined ? {} : { gainDb }),
    ...(gain === undefined ? {} : { gain }),
    cost: { macsShare: cost.macsShare, bytes: cost.bytes },
    ...(gainPerCost === undefined ? {} : { gainPerCost }),
  };
}
