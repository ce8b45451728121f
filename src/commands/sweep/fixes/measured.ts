/** What fixes give: each by itself, and those together that really help. */
import type { Lane } from '../../../ir/lane.js';
import { decidingDb, helps, sureGain } from '../../../report/sweep-effect.js';
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
/** Of fixes without cost; each is a pass of its own, as it stands on the one before. */
const MOST_TOGETHER = 12;
/** Of those that cost something; for each all that stands on it is made anew. */
const MOST_PAID = 3;

interface Tried {
  readonly fix: LaneFix;
  readonly lane: Lane;
  readonly cost: FixCost;
  readonly effect: Effect;
  /** Beside what it was applied to. */
  readonly told: Restored;
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
    return { ...one, effect: effectOf(outcome), told: restoredOf(outcome, held) };
  });
  const ranked = [...tried].sort(byGain(held));
  const { fixes: applied, lane, outcome } = await addUp(runner, ranked, from, held);
  return {
    fixes: ranked.map(reported),
    ...(applied.length === 0
      ? {}
      : { together: { fixes: applied.map(({ id }) => id), effect: effectOf(outcome) } }),
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
  const before = effectOf(basis.quantized).changedShare ?? 0;
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

interface Applied {
  readonly fixes: readonly LaneFix[];
  readonly lane: Lane;
  readonly outcome: TrialOutcome;
}

/**
 * Greedily, each where it helps what is there by then, and no answer is lost on the whole. Those without cost first: what they give
 * need not be paid for. Then those that cost something, each among the others in its place.
 */
async function addUp(
  runner: TrialRunner,
  ranked: readonly Tried[],
  from: Pick<Applied, 'lane' | 'outcome'>,
  basis: EffectBasis,
): Promise<Applied> {
  const helping = ranked.filter((one) => isHelping(one, basis));
  let now: Applied = { ...from, fixes: [] };
  const tryOut = async (next: Pick<Applied, 'fixes' | 'lane'>, cost: FixCost): Promise<void> => {
    const wanted = { noise: true, score: basis.better !== undefined };
    const id = `fixes ${next.fixes.map((one) => one.id).join(' + ')}`;
    const [outcome] = await runner.run([{ id, lane: next.lane }], wanted);
    if (outcome === undefined) return;
    const before: EffectBasis = { ...basis, quantized: now.outcome };
    const isLoss = (restoredOf(outcome, basis).gain ?? 0) < 0;
    if (!isLoss && isHelping({ told: restoredOf(outcome, before), cost }, before)) now = { ...next, outcome };
  };
  const free = staged(helping.filter(({ cost }) => cost.isFree));
  let passes = 0;
  for (const { fix: asMade, cost } of free) {
    if (passes === MOST_TOGETHER) break;
    const fix = await fittedTo(asMade, now.lane, from.lane);
    const lane = fix?.apply(now.lane);
    if (fix === undefined || lane === undefined || lane === now.lane) continue;
    passes++;
    await tryOut({ fixes: [...now.fixes, fix], lane }, cost);
  }
  for (const { fix, cost } of helping.filter(({ cost: { isFree } }) => !isFree).slice(0, MOST_PAID)) {
    const fixes = staged([...now.fixes, fix].map((one) => ({ fix: one }))).map((one) => one.fix);
    const next = await inOrder(from.lane, fixes);
    if (next.fixes.some(({ id }) => id === fix.id)) await tryOut(next, cost);
  }
  return now;
}

/** All of them on another lane, in their order. */
export async function appliedTo(lane: Lane, fixes: readonly LaneFix[]): Promise<Lane> {
  return (await inOrder(lane, fixes)).lane;
}

/** Those that change something where they stand, made for what is there by then. */
async function inOrder(from: Lane, fixes: readonly LaneFix[]): Promise<Pick<Applied, 'fixes' | 'lane'>> {
  const applied: LaneFix[] = [];
  let lane = from;
  for (const asMade of fixes) {
    const fix = await fittedTo(asMade, lane);
    const next = fix?.apply(lane);
    if (fix === undefined || next === undefined || next === lane) continue;
    applied.push(fix);
    lane = next;
  }
  return { fixes: applied, lane };
}

/**
 * The fix for this lane, under the id it is known by; undefined where there is none.
 *
 * @param of the lane that it was made for
 */
async function fittedTo(fix: LaneFix, lane: Lane, of?: Lane): Promise<LaneFix | undefined> {
  if (lane === of || fix.remade === undefined) return fix;
  const made = await fix.remade(lane);
  return made === undefined ? undefined : { ...made, id: fix.id };
}

/**
 * In the order in which they may stand on each other: ranges are of values as they are before equalization, rounding goes by scales,
 * corrections by the codes. Stable: in their own order within a stage.
 */
function staged<T extends { readonly fix: LaneFix }>(fixes: readonly T[]): T[] {
  return [...fixes].sort((a, b) => stageOf(a.fix) - stageOf(b.fix));
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

/** As the report has it: points where they are more than chance, else noise. */
function isHelping({ told, cost }: Pick<Tried, 'told' | 'cost'>, basis: EffectBasis): boolean {
  return helps(asTold({ told, cost }), effectOf(basis.quantized));
}

function asTold({
  told,
  cost,
}: Pick<Tried, 'told' | 'cost'>): Pick<ReportedLaneFix, 'gain' | 'gainDb' | 'effect' | 'cost'> {
  return { ...gainsOf(told), effect: told, cost };
}

function gainsOf({ gain, gainDb }: Restored): Pick<ReportedLaneFix, 'gain' | 'gainDb'> {
  return { ...(gainDb === undefined ? {} : { gainDb }), ...(gain === undefined ? {} : { gain }) };
}

/**
 * Helpful and free, helpful at a cost, and the others; in each those first that gain points beyond chance, by these for the cost, and
 * then by noise: the points of the others say nothing about which is better.
 */
function byGain(basis: EffectBasis): (a: Tried, b: Tried) => number {
  const quantized = effectOf(basis.quantized);
  const sure = ({ told }: Tried): number => sureGain(gainsOf(told), quantized);
  const db = ({ told }: Tried): number =>
    told.exact !== true && told.gainDb === undefined
      ? -Infinity
      : decidingDb({ ...gainsOf(told), effect: told }, quantized);
  const rank = ({ told, cost }: Tried): number => {
    if (told.failure !== undefined) return 0;
    if (!isHelping({ told, cost }, basis)) return 1;
    return cost.isFree ? 3 : 2;
  };
  const perShare =
    (gain: (tried: Tried) => number) =>
    (tried: Tried): number =>
      tried.cost.share > 0 ? gain(tried) / tried.cost.share : 0;
  const keys = [rank, (one: Tried) => Math.sign(sure(one)), perShare(sure), sure, perShare(db), db];
  return (a, b) => {
    for (const key of keys) {
      const [x, y] = [key(a), key(b)];
      if (x !== y) return y - x;
    }
    return 0;
  };
}

/** Absent where it costs nothing that can be counted. */
function perCost({ told, cost }: Tried): number | undefined {
  const gain = told.gain ?? told.gainDb;
  return gain === undefined || cost.share === 0 ? undefined : gain / cost.share;
}

function reported(tried: Tried): ReportedLaneFix {
  const { fix, cost, told } = tried;
  const gainPerCost = perCost(tried);
  return {
    id: fix.id,
    kind: fix.kind,
    title: fix.title,
    places: fix.places,
    effect: tried.effect,
    ...gainsOf(told),
    cost: { macsShare: cost.macsShare, bytes: cost.bytes },
    ...(gainPerCost === undefined ? {} : { gainPerCost }),
  };
}
