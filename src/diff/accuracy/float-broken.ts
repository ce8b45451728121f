/** When the float network is wrong already, nothing that quantization does is the cause. */
import type { Accuracy } from './accuracy.js';
import { intervalText, valueText } from './wording.js';

/** With fewer samples any network can look like guessing, and guessing like a network. */
const FEWEST_SAMPLES = 20;

/** Half of chance above it, at least so many points, is near: a network of a thousand classes that is right 10 times in 1000. */
const NEAR_SHARE = 0.5;
const NEAR_LEAST = 0.02;
/** But never more of what lies between chance and everything right: of two classes 55 % are near, 75 % are not. */
const NEAR_MOST = 0.1;
/** What the samples cannot tell from guessing counts as near to twice that distance. */
const UNSURE = 2;

/** The user's number may be of other data; so much below it is no accident. In percent. */
const SLACK = 2;

export interface FloatBroken {
  readonly kind: 'near chance' | 'below expected';
  readonly text: string;
}

/**
 * Whether the reference, against the labels, is no better than guessing or far below what the user knows it to score; undefined
 * when it is neither, or nothing says. Only for metrics of shares of which more is better.
 *
 * Near chance: on 20 samples or more, the value is within a distance d above chance, or within 2 d and the 95 % interval reaches
 * down to chance; d is half of chance, at least 2 points and at most a tenth of what is left to 100 %.
 * Below expected: the upper end of the interval (without one: the value) is more than 2 points below.
 *
 * @param expected `--expect-accuracy`, in percent
 */
export function floatBroken(accuracy: Accuracy, expected?: number): FloatBroken | undefined {
  const { labels, better, reference, unit } = accuracy;
  if (labels === undefined || better !== 'higher' || unit === 'dB' || reference === undefined)
    return undefined;
  const whole = unit === '%' ? 100 : 1;
  const [low, high] = accuracy.referenceInterval ?? [reference, reference];
  if (isNearChance(accuracy, reference / whole, low / whole)) {
    const chance = valueText(accuracy.chance!, unit);
    return {
      kind: 'near chance',
      text: `${scoredText(accuracy, reference)}, where guessing would score ${chance}: ${NOT_QUANTIZATION}${offsetText(accuracy)}`,
    };
  }
  if (expected !== undefined && (100 * high) / whole < expected - SLACK) {
    return {
      kind: 'below expected',
      text: `${scoredText(accuracy, reference)}, where ${valueText((expected * whole) / 100, unit)} was expected: ${NOT_QUANTIZATION}${offsetText(accuracy)}`,
    };
  }
  return undefined;
}

const NOT_QUANTIZATION =
  'this is not a quantization problem; preprocessing, labels or the reading of the outputs are wrong';

/** In shares of 1. */
function isNearChance({ chance, samples, unit }: Accuracy, value: number, low: number): boolean {
  if (chance === undefined || samples < FEWEST_SAMPLES) return false;
  const guessed = unit === '%' ? chance / 100 : chance;
  const near = Math.min(Math.max(NEAR_SHARE * guessed, NEAR_LEAST), NEAR_MOST * (1 - guessed));
  return value <= guessed + near || (value <= guessed + UNSURE * near && low <= guessed);
}

function scoredText({ networks, referenceInterval, samples, unit, metric }: Accuracy, value: number): string {
  const sureness = referenceInterval === undefined ? '' : `95 % ${intervalText(referenceInterval, unit)}, `;
  return `${networks[0]?.title ?? 'the reference'} itself scores ${metric} ${valueText(value, unit)} (${sureness}n ${samples})`;
}

function offsetText({ labelOffset, unit }: Accuracy): string {
  if (labelOffset === undefined || labelOffset.isApplied) return '';
  const { offset, value } = labelOffset;
  const where = `${Math.abs(offset)} ${offset > 0 ? 'higher' : 'lower'}`;
  return `. Were every label ${where}, it would score ${valueText(value, unit)}`;
}
