/** What the two networks of a report are called in few words. */
import type { Accuracy } from '../../diff/accuracy/accuracy.js';
import type { PageReport } from '../../report/html/page-document.js';
import { shortName } from '../frame/layer-name.js';

export interface NetworkNames {
  readonly reference: string;
  readonly candidate: string;
}

/** Characters of a name over a picture. */
const LONGEST = 28;

export function networkNames({ networks }: Accuracy): NetworkNames {
  const [reference] = networks;
  const candidate = networks.find(({ network }) => network === 'candidate') ?? networks[1];
  return {
    reference: shortName(reference?.title ?? 'reference', LONGEST),
    candidate: shortName(candidate?.title ?? 'candidate', LONGEST),
  };
}

/** All metrics of a report: those against labels, then the agreement, which proves less. */
export function metricsOf(report: PageReport): Accuracy[] {
  if (report.command === 'inspect') return [];
  if (report.command === 'sweep') return report.accuracy === undefined ? [] : [report.accuracy];
  const { accuracy, agreement, otherMetrics = [] } = report;
  const metrics =
    accuracy === undefined ? [agreement, ...otherMetrics] : [accuracy, ...otherMetrics, agreement];
  return metrics.filter((metric) => metric !== undefined);
}
