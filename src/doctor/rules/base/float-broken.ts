import type { Accuracy } from '../../../diff/accuracy/accuracy.js';
import { floatBroken as failureOf } from '../../../diff/accuracy/float-broken.js';
import {
  bestPreprocessing,
  type BestPreprocessing,
  type TriedPreprocessing,
} from '../../../diff/accuracy/preprocessing-search.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';

export const floatBroken = rule({
  id: 'base.float-broken',
  title: 'The float model already fails: it is not quantization',
  severity: 'error',
  needs: ['accuracy'],
  text: {
    what: 'The float network, evaluated against the labels on the same samples, is no better than guessing, or scores less than --expect-accuracy.',
    why: 'What is lost before quantization cannot be found by looking at it: preprocessing, labels, a BatchNormalization in training mode, an export that went wrong.',
    instead:
      'Make the float model score what it should, with the preprocessing that it was trained with, before any other number is read.',
    see: [
      'io.preproc',
      'base.harness-mismatch',
      'https://community.hailo.ai/t/quantization-accuracy-degradation/17154',
    ],
  },
  limits: [
    {
      quantity: 'above guessing, in points (half of chance where that is more)',
      unit: 'pt',
      error: 2,
      worse: 'lower',
    },
    { quantity: 'below --expect-accuracy, upper end of the interval', unit: 'pt', error: 2, worse: 'higher' },
  ],
  check,
});

function check({ accuracy, evaluation = {}, preprocessings }: With<'accuracy'>): Finding[] {
  const broken = failureOf(accuracy, evaluation.expected);
  if (broken === undefined) return [];
  const { kind, text } = broken;
  const search =
    preprocessings === undefined
      ? undefined
      : bestPreprocessing(preprocessings.tried, presentOf(accuracy), accuracy);
  return [
    {
      rule: 'base.float-broken',
      severity: 'error',
      subject: {},
      message: search === undefined ? text : `${text}. ${conclusion(search)}`,
      args: { kind },
      ...(search?.best === undefined
        ? {}
        : { fix: { title: 'what the float model scores most with', edit: search.best.flags.join(' ') } }),
    },
  ];
}

function conclusion({ best, text }: BestPreprocessing): string {
  return best === undefined
    ? `Of the common preprocessings, ${text}`
    : `With ${best.title} it scores far more, as the table of preprocessings shows`;
}

function presentOf({ reference, referenceInterval }: Accuracy): TriedPreprocessing {
  return {
    title: 'as it is now',
    flags: [],
    ...(reference === undefined ? {} : { value: reference }),
    ...(referenceInterval === undefined ? {} : { interval: referenceInterval }),
  };
}
