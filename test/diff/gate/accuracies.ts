/** Accuracies written by hand, for what is gated of them. */
import type { Accuracy } from '../../../src/diff/accuracy/accuracy.js';

export function accuracy(rest: Partial<Accuracy> = {}): Accuracy {
  return {
    metric: 'top1',
    description: 'for tests',
    unit: '%',
    better: 'higher',
    samples: 1000,
    labels: { source: 'class folders', kind: 'class' },
    decoder: 'scores',
    reference: 91.2,
    candidate: 90.84,
    candidateInterval: [88.9, 92.5],
    delta: -0.36,
    deltaUnit: 'pt',
    interval: [-0.9, 0.2],
    networks: [],
    disagreements: [],
    leftOut: 0,
    summary: '',
    ...rest,
  };
}

/** A metric of the same samples whose candidate is better or worse, with an interval around the difference. */
export function changed(
  reference: number,
  candidate: number,
  half: number,
  rest: Partial<Accuracy> = {},
): Accuracy {
  const delta = candidate - reference;
  return accuracy({ reference, candidate, delta, interval: [delta - half, delta + half], ...rest });
}

/** `accuracy` without what the keys name. */
export function without(of: Accuracy, ...keys: (keyof Accuracy)[]): Accuracy {
  const entries = Object.entries(of).filter(([key]) => !keys.some((gone) => gone === key));
  return Object.fromEntries(entries) as unknown as Accuracy;
}
