/** What accuracy was lost on, in Markdown: classes, what they are taken for, samples to look at. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import { classesText, classTable } from './accuracy-terminal-classes.js';
import { cellValue, change, className, classNamesOf, isWhole, lostClasses } from './evaluated-text.js';
import { count, shortened } from './format.js';
import { code, table, text } from './markdown-text.js';

export const MOST_NETWORKS = 8;
/** Characters of a network's name. */
export const LONGEST_TITLE = 60;
const LONGEST_CLASS = 60;
/** Classes, confusions and samples that are told. */
const MOST_EXAMPLES = 5;

function classCell(entry: { readonly label: number; readonly name?: string | undefined }): string {
  return text(shortened(className(entry), LONGEST_CLASS));
}

/** Nothing where the metric has no values by class. */
export function classSection(metric: Accuracy): string[] {
  const shown = classTable(metric);
  if (shown === undefined) return [];
  const { unit, deltaUnit } = metric;
  const networks = shown.networks.slice(0, MOST_NETWORKS);
  const value = (score: number | undefined): string => cellValue(score, unit);
  const candidate = shown.networks.find(({ network }) => network === 'candidate');
  const deltas = new Map((candidate?.perClass ?? []).map(({ label, delta }) => [label, delta]));
  const hasDeltas = [...deltas.values()].some((delta) => delta !== undefined);
  const changed = (cell: string): string[] => (hasDeltas ? [cell] : []);
  return [
    ...lostLine(metric),
    `${text(classesText(metric, shown))}${unit === '' ? '' : `, ${unit}`}:`,
    '',
    ...table(
      [
        'class',
        ...networks.map(({ title }) => `>${text(shortened(title, LONGEST_TITLE))}`),
        ...changed('>change of the candidate'),
        metric.labels === undefined ? '>by the reference' : '>in labels',
      ],
      [
        [
          '**all**',
          ...networks.map((network) => `**${value(network.value)}**`),
          ...changed(change(candidate?.delta, deltaUnit)),
          '',
        ],
        ...shown.rows.map((row) => [
          classCell(row),
          ...row.values.slice(0, MOST_NETWORKS).map(value),
          ...changed(change(deltas.get(row.label), deltaUnit)),
          count(row.support),
        ]),
      ],
    ),
  ];
}

function lostLine(metric: Accuracy): string[] {
  const lost = lostClasses(metric);
  if (lost.length === 0) return [];
  const told = lost
    .slice(0, MOST_EXAMPLES)
    .map((entry) => `**${classCell(entry)}** (${change(entry.delta, metric.deltaUnit)})`);
  const left = lost.length - told.length;
  return [`Classes that lost: ${told.join(', ')}${left === 0 ? '' : `, and ${count(left)} more`}`, ''];
}

/** What whole networks take for what, unlike the reference, and the samples on which they part from it. */
export function exampleSection(metric: Accuracy): string[] {
  const { networks, disagreements } = metric;
  const names = classNamesOf(metric);
  const named = (label: number | undefined): string =>
    label === undefined ? '' : classCell({ label, name: names.get(label) });
  const confused = networks.filter(isWhole).flatMap(({ network, confusions = [] }) => {
    const told = confusions
      .slice(0, MOST_EXAMPLES)
      .map(({ from, to, count: many }) => `${named(from)} as ${named(to)} (${count(many)})`);
    return told.length === 0 ? [] : [`- ${network} takes, unlike the reference: ${told.join(', ')}`];
  });
  const parted = disagreements
    .flatMap((disagreement) => {
      const network = networks[disagreement.network];
      return network === undefined || !isWhole(network) ? [] : [{ ...disagreement, network }];
    })
    .slice(0, MOST_EXAMPLES);
  const hasLabels = parted.some(({ truth }) => truth !== undefined);
  const samples = table(
    ['sample', ...(hasLabels ? ['label'] : []), 'reference', 'network', 'says'],
    parted.map(({ sample, truth, reference, candidate, network }) => [
      code(sample),
      ...(hasLabels ? [named(truth)] : []),
      named(reference),
      network.network,
      named(candidate),
    ]),
  );
  return [
    ...confused,
    ...(confused.length === 0 || parted.length === 0 ? [] : ['']),
    ...(parted.length === 0 ? [] : ['Samples on which a network parts from the reference:', '', ...samples]),
  ];
}
