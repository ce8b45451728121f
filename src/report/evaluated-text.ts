/** Numbers and words of accuracy and gate, as every reporter writes them. Texts hold names of files as they are: reporters escape. */
import type { Accuracy, Interval, ReportedClass, ScoredNetwork } from '../diff/accuracy/accuracy.js';
import { deltaIntervalText, deltaText, intervalText, pText, valueText } from '../diff/accuracy/wording.js';
import type { GateCheck } from '../diff/gate/gate.js';
import type { Evaluated } from './evaluated.js';
import { ladderReading } from './ladder-reading.js';
import { count, number, plural } from './format.js';

/** Shares as everybody writes them; others are their own names. */
const METRICS: Readonly<Record<string, string>> = {
  top1: 'top-1',
  top5: 'top-5',
  miou: 'mIoU',
  map: 'mAP@[.5:.95]',
  map50: 'mAP@.5',
  auc: 'ROC AUC',
  rmse: 'RMSE',
  mae: 'MAE',
  psnr: 'PSNR',
  kl: 'KL divergence',
};

export function metricName(metric: string): string {
  return Object.hasOwn(METRICS, metric) ? (METRICS[metric] ?? metric) : metric;
}

/** "87.22 %", and "-" where there is none. */
export function metricValue(value: number | undefined, unit: Accuracy['unit']): string {
  return value === undefined ? '-' : valueText(value, unit);
}

/** "-0.28 pt", and nothing where there is none. */
export function change(delta: number | undefined, unit: Accuracy['deltaUnit']): string {
  return delta === undefined ? '' : deltaText(delta, unit);
}

/** "84.6 to 89.5", and nothing where there is none. */
export function extent(interval: Interval | undefined, unit: Accuracy['unit']): string {
  return interval === undefined ? '' : intervalText(interval, unit);
}

/** "-0.9 to +0.4", and nothing where there is none. */
export function changeExtent(interval: Interval | undefined, unit: Accuracy['deltaUnit']): string {
  return interval === undefined ? '' : deltaIntervalText(interval, unit);
}

/** "0.69", "< 0.001", and nothing where there is none. */
export function probability(value: number | undefined): string {
  return value === undefined ? '' : pText(value).replace(/^p /, '');
}

/** Name of a class of the model, and its number where it has no name. */
export function className({
  label,
  name,
}: {
  readonly label: number;
  readonly name?: string | undefined;
}): string {
  return name ?? `class ${label}`;
}

/** "top-1 over 720 samples, labels from class folders, 10 classes" */
export function measuredText({ metric, samples, labels, leftOut }: Accuracy): string {
  const parts = [
    `${metricName(metric)} over ${plural(samples, 'sample')}`,
    ...(labels === undefined ? ['no labels'] : [`labels from ${labels.source}`]),
    ...(labels?.classes === undefined ? [] : [`${count(labels.classes)} classes`]),
    ...(leftOut === 0 ? [] : [`${count(leftOut)} without anything to count left out`]),
  ];
  return parts.join(', ');
}

/** Whether a network is told in full: steps of a ladder are told by their numbers alone. */
export function isWhole({ network }: Pick<ScoredNetwork, 'network'>): boolean {
  return network === 'candidate' || network === 'runtime';
}

/** Names of the classes that have one, by class of the model. */
export function classNamesOf({ perClass = [], networks }: Accuracy): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { label, name } of [...networks.flatMap((network) => network.perClass ?? []), ...perClass]) {
    if (name !== undefined) names.set(label, name);
  }
  return names;
}

/** Classes of the candidate that lost, most first; none of a change within noise, of which some class has always lost. */
export function lostClasses({ networks, better, standing }: Accuracy): ReportedClass[] {
  const candidate = networks.find(({ network }) => network === 'candidate');
  if (candidate?.perClass === undefined || standing !== 'worse') return [];
  const loss = ({ delta = 0 }: ReportedClass): number => (better === 'higher' ? -delta : delta);
  return candidate.perClass
    .filter((entry) => loss(entry) > 0)
    .sort((a, b) => loss(b) - loss(a) || a.label - b.label);
}

/** A value in a table whose title has the unit. */
export function cellValue(value: number | undefined, unit: Accuracy['unit']): string {
  return value !== undefined && unit === '%' ? value.toFixed(2) : metricValue(value, unit);
}

/** Of a network against the reference: "5 lost, 3 won, 620 right and 92 wrong in both". */
export function pairedText({ paired }: ScoredNetwork): string | undefined {
  if (paired === undefined) return undefined;
  const { both, onlyReference, onlyCandidate, neither } = paired;
  return `${count(onlyReference)} lost, ${count(onlyCandidate)} won, ${count(both)} right and ${count(neither)} wrong in both`;
}

/** What counts beside the metric itself: nothing of it is hidden, and what is 0 is not told. */
export function remarksOf(accuracy: Accuracy): string[] {
  const remarks = ladderReading(accuracy);
  if (accuracy.labels === undefined && !/does not prove|agreement only/i.test(accuracy.summary)) {
    remarks.push('agreement only: without labels this does not prove an accuracy loss');
  }
  for (const network of accuracy.networks) {
    const { title, ties = 0, nonFinite = 0 } = network;
    if (nonFinite > 0) remarks.push(`${title}: ${plural(nonFinite, 'sample')} with NaN or infinite outputs`);
    if (ties > 0 && (network.network === 'reference' || isWhole(network))) {
      remarks.push(`${title}: ${plural(ties, 'tie')} for the largest score, the first index counts`);
    }
  }
  if (accuracy.chance !== undefined) {
    remarks.push(`always the most frequent class would have ${metricValue(accuracy.chance, accuracy.unit)}`);
  }
  const { labelOffset: offset } = accuracy;
  if (offset !== undefined) {
    const sign = offset.offset < 0 ? '' : '+';
    const would = metricValue(offset.value, accuracy.unit);
    remarks.push(
      offset.isApplied
        ? `labels are counted ${sign}${offset.offset}: the reference has ${would} then`
        : `were the labels counted ${sign}${offset.offset}, the reference would have ${would}: look at their numbering`,
    );
  }
  return remarks;
}

/** All metrics that were measured, the one of the labels first. */
export function metricsOf({ accuracy, agreement, otherMetrics }: Evaluated): Accuracy[] {
  return [accuracy, ...(otherMetrics ?? []), agreement].filter((metric) => metric !== undefined);
}

/** 1 pt, 20 dB, 12 layers */
export function quantity(value: number | undefined, unit: string): string {
  if (value === undefined) return '-';
  const digits = number(value);
  return unit === ''
    ? digits
    : `${digits} ${value === 1 ? unit.replace(/^(sample|finding|layer|tensor)s$/, '$1') : unit}`;
}

/** "max-drop: 2.1 pt observed (top1), threshold 1 pt (command line), missed by 1.1 pt" */
export function checkText({
  name,
  threshold,
  observed,
  margin,
  unit,
  source,
  where,
  note,
}: GateCheck): string {
  const seen = observed === undefined ? 'nothing to observe' : `${quantity(observed, unit)} observed`;
  const left =
    margin === undefined
      ? ''
      : margin < 0
        ? `, missed by ${quantity(-margin, unit)}`
        : `, ${quantity(margin, unit)} to spare`;
  const place = where === undefined ? '' : ` (${where})`;
  const more = note === undefined ? '' : `; ${note}`;
  return `${name}: ${seen}${place}, threshold ${quantity(threshold, unit)} (${source})${left}${more}`;
}

const URGENCY = { fail: 0, inconclusive: 1, pass: 2 } as const;

/** What decided first; checks of one verdict keep their order. */
export function urgentFirst(checks: readonly GateCheck[]): GateCheck[] {
  return [...checks].sort((a, b) => URGENCY[a.verdict] - URGENCY[b.verdict]);
}

/** "2 of 5 checks failed, 1 inconclusive" */
export function tallyText(checks: readonly GateCheck[]): string {
  const many = (verdict: GateCheck['verdict']): number =>
    checks.filter((check) => check.verdict === verdict).length;
  const [failed, open] = [many('fail'), many('inconclusive')];
  const of = plural(checks.length, 'check');
  if (failed === 0 && open === 0) return `${of}, all passed`;
  const parts = [
    ...(failed === 0 ? [] : [`${count(failed)} failed`]),
    ...(open === 0 ? [] : [`${count(open)} inconclusive`]),
  ];
  return `of ${of} ${parts.join(', ')}`;
}
