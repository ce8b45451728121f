import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';

/** Share of the classes that the labels have which a detector that was made for them would answer. */
const LEAST_ANSWERED = 0.5;

export const unansweredClasses = rule({
  id: 'eval.unanswered-classes',
  title: 'The labels have classes that the detector does not know',
  severity: 'warning',
  needs: ['evaluation'],
  text: {
    what: 'Classes of the labelled boxes that the reference never answers, on any sample.',
    why: 'The mean of the average precision counts each of them as 0, for both networks: the score says little about either, and a real loss on the others looks small.',
    instead: 'Map the labels to the classes that the model has, and leave out the rest.',
    see: ['https://cocodataset.org/#detection-eval'],
  },
  limits: [
    {
      quantity: 'share of labelled classes that are answered',
      unit: '',
      warning: LEAST_ANSWERED,
      worse: 'lower',
    },
  ],
  check,
});

function check({ evaluation: { boxClasses } }: With<'evaluation'>): Finding[] {
  if (boxClasses === undefined) return [];
  const { labelled, unanswered } = boxClasses;
  if (labelled - unanswered >= LEAST_ANSWERED * labelled) return [];
  return [
    {
      rule: 'eval.unanswered-classes',
      severity: 'warning',
      subject: {},
      message: `the reference never answers ${unanswered} of the ${labelled} classes that the labels have boxes of: each counts as 0 in the mean`,
      args: { labelled, unanswered },
      fix: {
        title: 'leave out what the model does not know, here all but label 0',
        edit: "--class-map '0=0,*=-'",
      },
    },
  ];
}
