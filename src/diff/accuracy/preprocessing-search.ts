/** Which preprocessing a float network was made for, as far as its accuracy tells. */
import type { Accuracy, Interval } from './accuracy.js';
import { valueText } from './wording.js';

/** A preprocessing under which the float network was evaluated. */
export interface TriedPreprocessing {
  /** For the reader: "values 0..1, RGB". */
  readonly title: string;
  /** That ask for it: `--preset unit`. */
  readonly flags: readonly string[];
  /** In the metric's unit; absent when it had none. */
  readonly value?: number;
  readonly interval?: Interval;
}

/** All that were tried, on the same samples. */
export interface TriedPreprocessings extends Pick<Accuracy, 'unit' | 'better'> {
  readonly tried: readonly TriedPreprocessing[];
  /** Order of the channels that the data were fed in. */
  readonly color: 'rgb' | 'bgr';
}

export interface BestPreprocessing {
  /** Clearly better than the present one; absent when none is. */
  readonly best?: TriedPreprocessing;
  readonly text: string;
}

/**
 * Whether one of the preprocessings explains the bad result: the best one's interval lies wholly on the better side of the
 * present one's. That is more than a difference must have to be real, since the best of many is lucky too.
 */
export function bestPreprocessing(
  tried: readonly TriedPreprocessing[],
  current: TriedPreprocessing,
  { unit, better }: Pick<Accuracy, 'unit' | 'better'>,
): BestPreprocessing {
  const sign = better === 'higher' ? 1 : -1;
  const best = tried.reduce<TriedPreprocessing | undefined>((so, next) => {
    if (next.value === undefined) return so;
    return so?.value === undefined || sign * (next.value - so.value) > 0 ? next : so;
  }, undefined);
  if (best === undefined) return { text: 'none of them explains it: none gives a value' };
  const instead = current.value === undefined ? 'no value' : valueText(current.value, unit);
  const scored = `${best.title} scores ${valueText(best.value!, unit)}`;
  if (!isApart(best, current, sign)) {
    return { text: `none of them explains it: the best, ${scored}, the present one ${instead}` };
  }
  const rivals = tried.filter(
    (other) => other !== best && other.value !== undefined && !isApart(best, other, sign),
  );
  const alike =
    rivals.length === 0
      ? ''
      : `; not told from it by these samples: ${rivals.map(({ title }) => title).join(', ')}`;
  const flags = best.flags.length === 0 ? '' : ` (${best.flags.join(' ')})`;
  return { best, text: `${scored} instead of ${instead}${flags}${alike}` };
}

/** Without intervals nothing is sure; a present preprocessing without a value is worse than any. */
function isApart(a: TriedPreprocessing, b: TriedPreprocessing, sign: 1 | -1): boolean {
  if (a.interval === undefined) return false;
  if (b.value === undefined) return true;
  if (b.interval === undefined) return false;
  return sign === 1 ? a.interval[0] > b.interval[1] : a.interval[1] < b.interval[0];
}
