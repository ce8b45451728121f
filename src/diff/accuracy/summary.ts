/** What a metric says, in sentences. */
import type { Accuracy, Interval, ScoredNetwork } from './accuracy.js';
import { SIGNIFICANT } from './p-values.js';
import { samplesToDecide } from './samples-to-decide.js';
import {
  changeText,
  deltaIntervalText,
  deltaText,
  intervalText,
  pText,
  roundedUp,
  valueText,
} from './wording.js';

/** An interval that reaches further to each side, in points of percent, leaves open what most people ask. */
const WIDE = 2;

/** What the sentences are made of. */
export type Told = Omit<Accuracy, 'summary'>;

/**
 * One sentence: "91.20 % -> 90.84 %, -0.36 pt (95 % -0.9 to +0.2, p 0.21, n 1000): within noise". Without labels: how much of
 * the reference the candidate keeps, and that this is not accuracy.
 *
 * @param isCount whether the metric counts right samples
 */
export function summaryOf(told: Told, isCount: boolean): string {
  if (told.samples === 0) return `${told.metric} has no value: no sample was scored`;
  return told.labels === undefined ? agreementSummary(told, isCount) : labelledSummary(told);
}

function labelledSummary(told: Told): string {
  const [, candidate] = told.networks;
  const { reference, samples, unit } = told;
  if (candidate === undefined || reference === undefined || candidate.value === undefined) {
    const text = told.networks.map((network) => scoreText(network.value, unit)).join(' -> ');
    return `${text} (${[...intervalPart(told.networks.length === 1 ? told.referenceInterval : undefined, unit), `n ${samples}`].join(', ')})`;
  }
  const sureness = [
    ...(candidate.deltaInterval === undefined
      ? []
      : [`95 % ${deltaIntervalText(candidate.deltaInterval, told.deltaUnit)}`]),
    ...(candidate.pValue === undefined ? [] : [pText(candidate.pValue)]),
    `n ${samples}`,
  ].join(', ');
  return `${changeText(reference, candidate.value, told)} (${sureness}): ${standingText(candidate, told)}`;
}

function standingText(candidate: ScoredNetwork, told: Told): string {
  switch (candidate.standing) {
    case 'worse':
      return 'a real loss';
    case 'better':
      return 'a real gain';
    case 'equal': {
      const needed = samplesForAPoint(candidate, told);
      return needed === undefined
        ? 'no difference'
        : `no difference, on too few samples: ${needed} would tell 1 pt apart`;
    }
    case 'within noise': {
      const needed = samplesForAPoint(candidate, told);
      if (needed !== undefined) {
        return `within noise, which is wide: ${needed} samples would tell 1 pt apart`;
      }
      return isNarrow(candidate) ? 'within noise, if only just' : 'within noise';
    }
    default:
      return 'noise or not, these samples do not tell';
  }
}

/** Interval and test part: one of them alone would call the change real. */
function isNarrow({ deltaInterval: [low, high] = [0, 0], pValue = 1 }: ScoredNetwork): boolean {
  return low > 0 || high < 0 || pValue < SIGNIFICANT;
}

/** How many samples would bring the interval to 1 point on each side; undefined when it is not wide, or not in points. */
function samplesForAPoint(candidate: ScoredNetwork, told: Told): string | undefined {
  const { deltaInterval, paired } = candidate;
  if (told.deltaUnit !== 'pt' || deltaInterval === undefined) return undefined;
  const halfWidth = (deltaInterval[1] - deltaInterval[0]) / 2;
  if (halfWidth <= WIDE) return undefined;
  const isSame = paired !== undefined && paired.onlyReference + paired.onlyCandidate === 0;
  const needed = samplesToDecide({
    drop: 0,
    threshold: 1,
    halfWidth,
    samples: told.samples,
    // The interval of no disagreement shrinks with the number itself, not with its root.
    ...(isSame ? { paired } : {}),
  });
  return needed === undefined ? undefined : roundedUp(needed);
}

function agreementSummary(told: Told, isCount: boolean): string {
  const { metric, unit, samples, candidate, candidateInterval } = told;
  if (candidate === undefined) return `${metric} has no value (n ${samples})`;
  const interval = intervalPart(candidateInterval, unit);
  const sureness = interval.length === 0 ? '' : ` (${interval.join('')})`;
  if (isCount && metric === 'agreement') {
    return candidate === 100
      ? `the same class in all ${samples} samples${sureness}: agreement only; this does not prove the accuracy`
      : `the same class in ${valueText(candidate, unit)} of ${samples} samples${sureness}: ${NO_LABELS}`;
  }
  return `${metric} ${valueText(candidate, unit)} over ${samples} samples${sureness}: ${NO_LABELS}`;
}

const NO_LABELS = 'agreement only; this does not prove an accuracy loss';

/**
 * A line for each comparison: every network against the labels, every other network against the reference. Without labels only
 * the latter.
 */
export function threeWay(told: Told): string[] {
  const [reference, ...others] = told.networks;
  if (reference === undefined) return [];
  const scored = (network: ScoredNetwork, against: string): string => {
    const interval = intervalPart(network.interval, told.unit);
    const sureness = [...interval, `n ${told.samples}`].join(', ');
    return `${network.title} against ${against}: ${scoreText(network.value, told.unit)} (${sureness})`;
  };
  if (told.labels === undefined) return others.map((network) => scored(network, reference.title));
  return [
    ...told.networks.map((network) => scored(network, 'the labels')),
    ...others.flatMap((network) => {
      const text = comparisonText(network, told);
      return text === undefined ? [] : [`${network.title} against ${reference.title}: ${text}`];
    }),
  ];
}

function comparisonText({ paired, delta, deltaInterval }: ScoredNetwork, told: Told): string | undefined {
  if (paired !== undefined) {
    const { both, neither, onlyReference, onlyCandidate } = paired;
    const same = both + neither;
    return `same verdict on ${same} of ${same + onlyReference + onlyCandidate}; ${onlyReference} lost, ${onlyCandidate} won`;
  }
  if (delta === undefined) return undefined;
  const interval =
    deltaInterval === undefined ? '' : ` (95 % ${deltaIntervalText(deltaInterval, told.deltaUnit)})`;
  return `${deltaText(delta, told.deltaUnit)}${interval}`;
}

function scoreText(value: number | undefined, unit: Accuracy['unit']): string {
  return value === undefined ? 'no value' : valueText(value, unit);
}

function intervalPart(interval: Interval | undefined, unit: Accuracy['unit']): string[] {
  return interval === undefined ? [] : [`95 % ${intervalText(interval, unit)}`];
}
