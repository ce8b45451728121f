/** Accuracy in Markdown: who scores what, what it was lost on, and with which preprocessing. */
import type { Accuracy, ScoredNetwork } from '../diff/accuracy/accuracy.js';
import { triedTable } from './accuracy-terminal-preprocessing.js';
import { besideText } from './document-text.js';
import type { JudgedReport } from './evaluated.js';
import {
  change,
  changeExtent,
  extent,
  isWhole,
  measuredText,
  metricName,
  metricsOf,
  metricValue,
  pairedText,
  probability,
  remarksOf,
} from './evaluated-text.js';
import { shortened } from './format.js';
import { classSection, exampleSection, LONGEST_TITLE, MOST_NETWORKS } from './markdown-classes.js';
import { code, details, table, text } from './markdown-text.js';

const MOST_PREPROCESSINGS = 12;
/** Metrics in a line each. */
const MOST_BESIDE = 12;

/** The first metric in full, the others in a line each; each part is left out by itself where it is too long. */
export function accuracySections(report: JudgedReport): string[][] {
  const [first, ...others] = metricsOf(report);
  if (first === undefined) return [];
  return [
    networkSection(first, report.verdict.summary.includes(first.summary)),
    [...notesOf(first, others), ...others.slice(0, MOST_BESIDE).map(besideLine)].map(
      (note) => `- ${text(note)}`,
    ),
  ];
}

/** What was lost on which class and sample; for those who ask. */
export function accuracyDetails(report: JudgedReport): string[][] {
  const [first] = metricsOf(report);
  return first === undefined
    ? []
    : [
        details('Classes', classSection(first)),
        details('What is taken for what, and samples to look at', exampleSection(first)),
      ];
}

function besideLine(metric: Accuracy): string {
  const told = besideText(metric);
  return metric.labels === undefined ? told : `${metricName(metric.metric)}: ${told}`;
}

/** @param isTold the verdict has the sentence already */
function networkSection(metric: Accuracy, isTold: boolean): string[] {
  const { unit, deltaUnit, summary, labels } = metric;
  // Agreement of the reference with itself is no number.
  const networks = metric.networks
    .filter(({ value }, i) => labels !== undefined || i > 0 || value !== undefined)
    .slice(0, MOST_NETWORKS);
  const columns: { title: string; cell: (network: ScoredNetwork) => string }[] = [
    { title: 'network', cell: ({ network }) => text(shortened(network, LONGEST_TITLE)) },
    { title: 'which is', cell: ({ title }) => text(shortened(title, LONGEST_TITLE)) },
    { title: `>${text(metricName(metric.metric))}`, cell: ({ value }) => `**${metricValue(value, unit)}**` },
    { title: '>95 %', cell: ({ interval }) => extent(interval, unit) },
    { title: '>change', cell: ({ delta }) => change(delta, deltaUnit) },
    { title: '>95 % of the change', cell: ({ deltaInterval }) => changeExtent(deltaInterval, deltaUnit) },
    { title: '>p', cell: ({ pValue }) => text(probability(pValue)) },
    {
      title: 'which means',
      cell: ({ standing }) => (standing === 'worse' ? '**worse**' : (standing ?? '')),
    },
  ];
  const shown = columns.filter(({ cell }) => networks.some((network) => cell(network) !== ''));
  return [
    `#### ${labels === undefined ? 'Agreement' : 'Accuracy'}: ${text(measuredText(metric))}`,
    '',
    ...(isTold ? [] : [`**${text(summary)}**`, '']),
    ...table(
      shown.map(({ title }) => title),
      networks.map((network) => shown.map(({ cell }) => cell(network))),
    ),
  ];
}

function notesOf(metric: Accuracy, others: readonly Accuracy[]): string[] {
  const { networks, unit } = metric;
  const [reference, ...rest] = networks;
  const told = new Set(others.map((other) => other.metric));
  const family = (reference?.also ?? []).filter((also) => !told.has(also.metric));
  return [
    ...rest.filter(isWhole).flatMap((network) => {
      const paired = pairedText(network);
      return paired === undefined ? [] : [`${network.network} against reference: ${paired}`];
    }),
    ...remarksOf(metric),
    ...family.map(({ metric: name, value }) => {
      const values = rest.filter(isWhole).map(({ network, also = [] }) => {
        const score = also.find((entry) => entry.metric === name)?.value;
        return `, ${network} ${metricValue(score, unit)}`;
      });
      return `${metricName(name)}: reference ${metricValue(value, unit)}${values.join('')}`;
    }),
  ];
}

export function preprocessingLines(report: JudgedReport): string[] {
  const shown = triedTable(report);
  if (shown === undefined) return [];
  const { accuracy, lead, tried, best, text: result } = shown;
  return [
    '#### Preprocessing',
    '',
    text(lead),
    '',
    ...table(
      ['preprocessing', `>${text(metricName(accuracy.metric))}`, '>95 %', 'flags'],
      tried.slice(0, MOST_PREPROCESSINGS).map((entry) => {
        const value = metricValue(entry.value, accuracy.unit);
        const flags = code(entry.flags.join(' '));
        return [
          text(entry.title),
          entry === best ? `**${value}**` : value,
          extent(entry.interval, accuracy.unit),
          flags,
        ];
      }),
    ),
    '',
    `**${text(result)}**`,
  ];
}
