/** Accuracy in Markdown: who scores what, class by class, and with which preprocessing. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import { classesText, classTable, isTable } from './accuracy-terminal-classes.js';
import { triedTable } from './accuracy-terminal-preprocessing.js';
import type { MeasuredReport } from './evaluated.js';
import {
  change,
  changeExtent,
  className,
  extent,
  measuredText,
  metricName,
  metricValue,
  pairedText,
  probability,
  remarksOf,
} from './evaluated-text.js';
import { count } from './format.js';
import { code, table, text } from './markdown-text.js';

const MOST_NETWORKS = 8;
const MOST_PREPROCESSINGS = 12;

export function accuracyLines(metric: Accuracy): string[] {
  const { unit, deltaUnit, networks, summary, labels } = metric;
  const titles = [
    'network',
    'which is',
    `>${text(metricName(metric.metric))}`,
    '>95 %',
    '>change',
    '>95 %',
    '>p',
    '',
  ];
  const rows = networks
    .slice(0, MOST_NETWORKS)
    .map(({ network, title, value, interval, delta, deltaInterval, pValue, standing }) => [
      text(network),
      text(title),
      `**${metricValue(value, unit)}**`,
      extent(interval, unit),
      change(delta, deltaUnit),
      changeExtent(deltaInterval, deltaUnit),
      text(probability(pValue)),
      standing === 'worse' ? '**worse**' : (standing ?? ''),
    ]);
  const notes = [
    ...networks.flatMap((network) => {
      const paired = pairedText(network);
      return paired === undefined ? [] : [`${network.network} against reference: ${paired}`];
    }),
    ...remarksOf(metric),
  ];
  return [
    `#### ${labels === undefined ? 'Agreement' : 'Accuracy'}: ${text(measuredText(metric))}`,
    '',
    `**${text(summary)}**`,
    '',
    ...table(titles, rows),
    ...classSection(metric),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${text(note)}`)]),
  ];
}

function classSection(metric: Accuracy): string[] {
  const shown = classTable(metric);
  if (shown === undefined || !isTable(metric, shown)) return [];
  const networks = shown.networks.slice(0, MOST_NETWORKS);
  const value = (score: number | undefined): string => metricValue(score, metric.unit);
  return [
    '',
    `By class: ${text(classesText(metric, shown))}`,
    '',
    ...table(
      ['class', ...networks.map(({ title }) => `>${text(title)}`), '>in labels'],
      [
        ['**all**', ...networks.map((network) => `**${value(network.value)}**`), ''],
        ...shown.rows.map((row) => [
          text(className(row)),
          ...row.values.slice(0, MOST_NETWORKS).map(value),
          count(row.support),
        ]),
      ],
    ),
  ];
}

export function preprocessingLines(report: MeasuredReport): string[] {
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
