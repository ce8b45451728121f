/** The one-sentence answer once it is known what the loss means for accuracy. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { FloatBroken } from '../diff/accuracy/float-broken.js';
import { metricName } from './evaluated-text.js';
import type { Evaluated } from './evaluated.js';
import type { Report } from './report.js';

/** Points of percent: what an interval has to leave out before accuracy counts as kept. */
const KEPT_WITHIN = 2;

/** Labels decide: SQNR only says where to look. */
export function withAccuracy(
  verdict: Report['verdict'],
  { accuracy, agreement }: Pick<Evaluated, 'accuracy' | 'agreement'>,
  broken: FloatBroken | undefined,
): Report['verdict'] {
  if (broken !== undefined) {
    const { metric = '' } = accuracy ?? {};
    const summary = broken.text.replace(` scores ${metric} `, ` scores ${metricName(metric)} `);
    return { cause: 'base.float-broken', summary };
  }
  if (accuracy?.labels !== undefined) {
    const { cause, where, summary, fix } = verdict;
    // SQNR that looks fine beside a real loss must not sound like a second opinion.
    const seen =
      accuracy.standing === 'worse'
        ? summary.replace(/^the .* stays close to .*?: /, 'SQNR hides it: ')
        : summary;
    const told = `${metricName(accuracy.metric)} ${accuracy.summary}; ${seen}`;
    // What does not cost accuracy is a finding, and not the cause of a loss.
    if (isKept(accuracy)) return { summary: told };
    return {
      ...(cause === undefined ? {} : { cause }),
      ...(where === undefined ? {} : { where }),
      summary: told,
      ...(fix === undefined ? {} : { fix }),
    };
  }
  const shown = agreement ?? accuracy;
  return shown === undefined ? verdict : { ...verdict, summary: `${verdict.summary}; ${shown.summary}` };
}

function isKept({ unit, better, standing, interval }: Accuracy): boolean {
  if (unit !== '%' || standing === 'worse' || standing === undefined) return false;
  if (standing === 'equal' || standing === 'better') return true;
  if (interval === undefined) return false;
  return (better === 'higher' ? -interval[0] : interval[1]) <= KEPT_WITHIN;
}
