/**
 * What trials say, as reports have it. Of several outputs the one that keeps least decides, as in every other command; noise taken
 * away is counted over all of them, each against its own signal.
 */
import { sqnr } from '../../ir/sums.js';
import type { Effect, Restored, SweptExperiment } from '../../report/sweep-report.js';
import type { RungSums } from '../../run/ladder.js';
import type { Score, TrialOutcome } from './trials/trial.js';

/** What every trial of a sweep is held against. */
export interface EffectBasis {
  /** Everything quantized, on the same samples. */
  readonly quantized: TrialOutcome;
  /** Nothing quantized, scored as all others are: without labels it agrees with itself. */
  readonly float?: TrialOutcome;
  /** Of the metric; absent where there is none. */
  readonly better?: 'higher' | 'lower';
}

export function effectBasis(
  quantized: TrialOutcome,
  better?: 'higher' | 'lower',
  float?: TrialOutcome,
): EffectBasis {
  return {
    quantized,
    ...(float === undefined ? {} : { float }),
    ...(better === undefined ? {} : { better }),
  };
}

/** Of one network beside float. */
export function effectOf({ noise = [], score, failure }: TrialOutcome): Effect {
  const kept = noise.flatMap(({ sumXX, sumEE }) => sqnr(sumXX, sumEE).sqnrDb ?? []);
  const changed = noise.flatMap(({ moved, rows }) => (rows === 0 ? [] : [moved / rows]));
  return {
    ...(kept.length === 0 ? {} : { outputSqnrDb: Math.min(...kept) }),
    ...(noise.length > 0 && noise.every(isExact) ? { exact: true } : {}),
    ...(changed.length === 0 ? {} : { changedShare: Math.max(...changed) }),
    ...(score === undefined ? {} : accuracyOf(score)),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Of a network beside float, and beside everything quantized. */
export function restoredOf(outcome: TrialOutcome, basis: EffectBasis): Restored {
  const { quantized, better } = basis;
  const effect = effectOf(outcome);
  const before = effectOf(quantized);
  const gainDb = difference(effect.outputSqnrDb, before.outputSqnrDb);
  const left = noiseShareOf(outcome, basis);
  const gain = better === undefined ? undefined : difference(effect.accuracy, before.accuracy);
  return {
    ...effect,
    ...(gainDb === undefined ? {} : { gainDb }),
    ...(left === undefined ? {} : { noiseShare: 1 - left }),
    ...(gain === undefined ? {} : { gain: better === 'lower' ? 0 - gain : gain }),
  };
}

/**
 * What an experiment loses against float, and its share of what everything quantized loses: of points; of noise energy where there
 * are no points.
 */
export function lossOf(
  outcome: TrialOutcome,
  basis: EffectBasis,
): Pick<SweptExperiment, 'lost' | 'lostShare'> {
  const lost = pointsLost(outcome, basis);
  if (lost === undefined) {
    const share = basis.better === undefined ? noiseShareOf(outcome, basis) : undefined;
    return share === undefined ? {} : { lostShare: share };
  }
  const all = pointsLost(basis.quantized, basis);
  return { lost, ...(all === undefined || all <= 0 ? {} : { lostShare: lost / all }) };
}

/** Positive is worse. Scores that are no differences to begin with are held against that of float. */
function pointsLost({ score }: TrialOutcome, { float, better }: EffectBasis): number | undefined {
  const delta = score?.delta ?? difference(score?.value, float?.score?.value);
  if (delta === undefined || better === undefined) return undefined;
  return better === 'higher' ? 0 - delta : delta;
}

/** Noise at the outputs as a share of that of everything quantized. */
function noiseShareOf({ noise }: TrialOutcome, { quantized }: EffectBasis): number | undefined {
  if (noise === undefined || quantized.noise === undefined) return undefined;
  const share = relativeNoise(noise) / relativeNoise(quantized.noise);
  return Number.isFinite(share) ? share : undefined;
}

/** Energies of the noise over those of the signal; an output without signal has no part. */
function relativeNoise(noise: readonly RungSums[]): number {
  return noise.reduce((sum, { sumXX, sumEE }) => (sumXX > 0 ? sum + sumEE / sumXX : sum), 0);
}

/** What is no number in one of the two is in no sum, and may differ. */
function isExact({ sumEE, nonFinite }: RungSums): boolean {
  return sumEE === 0 && nonFinite === 0;
}

function accuracyOf({ value, interval, delta, deltaInterval, pValue, standing }: Score): Effect {
  return {
    ...(value === undefined ? {} : { accuracy: value }),
    ...(delta === undefined ? {} : { accuracyDelta: delta }),
    ...(interval === undefined ? {} : { accuracyInterval: interval }),
    ...(deltaInterval === undefined ? {} : { deltaInterval }),
    ...(pValue === undefined ? {} : { pValue }),
    ...(standing === undefined ? {} : { standing }),
  };
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}
