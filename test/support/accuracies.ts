/** Accuracies of two networks, counted by hand. */
import type { Accuracy } from '../../src/diff/accuracy/accuracy.js';
import { accuracyOf } from '../../src/diff/accuracy/of-metric.js';
import type { MetricResult } from '../../src/run/metrics/metric.js';
import { countedResult } from '../diff/accuracy/results.js';

const TITLES = [
  { network: 'reference', title: 'float' },
  { network: 'candidate', title: 'int8' },
];

/** Against labels: samples that both are right on, and those that only one is. */
export function countedAccuracy(
  counts: Parameters<typeof countedResult>[0],
  rest: Partial<MetricResult> = {},
): Accuracy {
  return accuracyOf({ ...countedResult(counts), ...rest }, TITLES, {
    labels: { source: 'class folders', kind: 'class' },
    decoder: 'scores',
    classNames: new Map(),
  });
}
