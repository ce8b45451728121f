import type { Accuracy, Interval } from '../../../diff/accuracy/accuracy.js';
import { samplesToDecide } from '../../../diff/accuracy/samples-to-decide.js';
import { deltaIntervalText, roundedUp } from '../../../diff/accuracy/wording.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { short } from '../../wording.js';

/** Half the width of the interval of the difference, points: more leaves open what most people ask. */
const WIDE = 2;
/** What most people ask, points. */
const USUAL = 1;

export const tooFew = rule({
  id: 'eval.too-few',
  title: 'Too few samples to tell a loss from chance',
  severity: 'warning',
  needs: ['accuracy'],
  text: {
    what: 'The 95 % interval of the difference between the two networks, on the samples that both were evaluated on, beside the loss that --max-drop allows; without it, whether the interval is wider than 2 points to each side.',
    why: 'With n samples the score moves in steps of 1/n, and a few answers that flip either way look like a loss or a gain. A gate on such a number passes and fails by chance.',
    instead:
      'Evaluate on as many samples as named. Half of the samples that flip must be won back by the other half for nothing to be lost: what counts is the number of flips, not of samples.',
    see: [
      'https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C891::AID-SIM780%3E3.0.CO;2-B',
      'https://en.wikipedia.org/wiki/McNemar%27s_test',
    ],
  },
  limits: [{ quantity: 'half width of the interval of the difference', unit: 'pt', worse: 'higher' }],
  check,
});

function check({ accuracy, evaluation: { tolerance } = {} }: With<'accuracy'>): Finding[] {
  const { labels, deltaUnit, delta, interval, better, samples } = accuracy;
  if (labels === undefined || deltaUnit !== 'pt' || delta === undefined || interval === undefined) return [];
  const sign = better === 'higher' ? -1 : 1;
  const [low, high] = sign === 1 ? interval : ([-interval[1], -interval[0]] satisfies Interval);
  const halfWidth = (high - low) / 2;
  const isOpen = tolerance === undefined ? halfWidth > WIDE : low < tolerance && tolerance < high;
  if (!isOpen) return [];
  const needed = neededFor(
    accuracy,
    tolerance ?? USUAL,
    tolerance === undefined ? 0 : sign * delta,
    halfWidth,
  );
  const asked =
    tolerance === undefined
      ? 'far more than the point or two that matter'
      : `and the loss that is allowed, ${short(tolerance)} pt, lies between`;
  return [
    {
      rule: 'eval.too-few',
      severity: tolerance === undefined ? 'note' : 'warning',
      subject: {},
      message:
        `with ${samples} samples the difference is ${deltaIntervalText(interval, deltaUnit)} pt (95 %), ${asked}` +
        (needed === undefined || needed <= samples
          ? ''
          : `: about ${roundedUp(needed)} samples would ${tolerance === undefined ? 'tell 1 pt apart' : 'decide'}`),
      args: { samples, halfWidth, ...(needed === undefined ? {} : { needed }) },
      fix: { title: 'evaluate on more samples', edit: '--eval DATA' },
    },
  ];
}

function neededFor(
  { networks: [, candidate], samples }: Accuracy,
  threshold: number,
  drop: number,
  halfWidth: number,
): number | undefined {
  const paired = candidate?.paired;
  const isSame = paired !== undefined && paired.onlyReference + paired.onlyCandidate === 0;
  // The interval of no disagreement shrinks with the number itself, not with its root.
  return samplesToDecide({ drop, threshold, halfWidth, samples, ...(isSame ? { paired } : {}) });
}
