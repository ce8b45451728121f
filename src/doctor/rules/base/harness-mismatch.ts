import type { Accuracy } from '../../../diff/accuracy/accuracy.js';
import { floatBroken } from '../../../diff/accuracy/float-broken.js';
import { deltaText, valueText } from '../../../diff/accuracy/wording.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';

/** Standard errors by which the candidate may be better. */
const TOO_GOOD = 3;
/** A 95 % interval is so many standard errors to each side. */
const INTERVAL_ERRORS = 1.96;

export const harnessMismatch = rule({
  id: 'base.harness-mismatch',
  title: 'Labels, or one of the two networks, do not fit the way they are evaluated',
  severity: 'error',
  needs: ['accuracy'],
  text: {
    what: 'Whether the float network is right far more often when every label is shifted by one, as between models with and without a background class; and whether the integers score more than float by over three standard errors.',
    why: 'qdbg feeds both networks the same bytes and reads their outputs in the same way. What is left is the fit of labels to classes. Rounding does not make a network better: where it seems to, the float file is another checkpoint, or is fed or read in a way that it was not made for.',
    instead:
      'Compare three ways in one harness: float against the labels, integers against the labels, integers against float.',
    see: ['base.float-broken', 'w.not-same-model', 'https://github.com/mlcommons/inference/issues/388'],
  },
  limits: [{ quantity: 'gain over float in standard errors', unit: '', warning: TOO_GOOD, worse: 'higher' }],
  check,
});

function check({ accuracy, evaluation = {} }: With<'accuracy'>): Finding[] {
  if (accuracy.labels === undefined) return [];
  return [...shiftedLabels(accuracy, evaluation.expected), ...tooGood(accuracy)];
}

/** The offset is only known where it is clearly better than none. */
function shiftedLabels(accuracy: Accuracy, expected: number | undefined): Finding[] {
  const { labelOffset, reference, unit } = accuracy;
  if (labelOffset === undefined || labelOffset.isApplied || reference === undefined) return [];
  const { offset, value } = labelOffset;
  const isBroken = floatBroken(accuracy, expected) !== undefined;
  return [
    {
      rule: 'base.harness-mismatch',
      severity: isBroken ? 'error' : 'warning',
      subject: {},
      message:
        `the float model scores ${valueText(reference, unit)}, and ${valueText(value, unit)} were every label one ` +
        `${offset > 0 ? 'higher' : 'lower'}: labels and classes of the model are counted from different numbers`,
      args: { offset, value, reference },
      fix: { title: 'count the labels as the model does', edit: `--label-offset ${offset}` },
    },
  ];
}

function tooGood({
  networks: [reference, candidate],
  better,
  samples,
  deltaUnit,
  standing,
}: Accuracy): Finding[] {
  const { delta, deltaInterval, paired } = candidate ?? {};
  if (standing !== 'better' || delta === undefined || reference === undefined || candidate === undefined)
    return [];
  const error = errorOf(samples, deltaUnit, paired, deltaInterval);
  const gain = better === 'higher' ? delta : -delta;
  if (error === undefined || !(gain > TOO_GOOD * error)) return [];
  const errors = gain / error;
  return [
    {
      rule: 'base.harness-mismatch',
      severity: 'warning',
      subject: {},
      message:
        `${candidate.title} scores more than ${reference.title} (${deltaText(delta, deltaUnit)}, ${short(errors)} standard errors): ` +
        'rounding does not do that; the two are not the same weights, or the float model is not evaluated as it was trained',
      args: { delta, errors },
    },
  ];
}

/** Of the paired difference, in its unit: from the samples that only one is right on, else from the interval. */
function errorOf(
  samples: number,
  unit: Accuracy['deltaUnit'],
  paired: { readonly onlyReference: number; readonly onlyCandidate: number } | undefined,
  interval: readonly [number, number] | undefined,
): number | undefined {
  if (paired !== undefined) {
    const { onlyReference: b, onlyCandidate: c } = paired;
    const whole = unit === 'pt' ? 100 : 1;
    return (whole * Math.sqrt(b + c - (b - c) ** 2 / samples)) / samples;
  }
  return interval === undefined ? undefined : (interval[1] - interval[0]) / (2 * INTERVAL_ERRORS);
}
