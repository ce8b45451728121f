/** What the networks score, as text for a terminal: the sentence first, then who scores what, then where it was lost. */
import type { ChalkInstance } from 'chalk';
import type { Accuracy, Standing } from '../diff/accuracy/accuracy.js';
import { classLines } from './accuracy-terminal-classes.js';
import { columns, type Column, type Row } from './columns.js';
import type { Evaluated } from './evaluated.js';
import {
  change,
  changeExtent,
  className,
  classNamesOf,
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
import { labelled, printable, shortened } from './format.js';
import { INDENT, legend, right, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Characters of a name within a sentence. */
const NAME = 60;
/** Confusions and samples that are told. */
const MOST_EXAMPLES = 4;

interface Evaluable extends Evaluated {
  readonly verdict?: { readonly summary: string };
  readonly notMeasured?: readonly { readonly subject: string; readonly reason: string }[];
}

/** The first metric in full, the others in a line each; nothing where nothing was evaluated. */
export function accuracySection(report: Evaluable, style: ChalkInstance, options: Room): string[] {
  const { width } = options;
  const [first, ...others] = metricsOf(report);
  if (first === undefined) return missingLine(report, width);
  const beside = others.map((metric) => ({ name: metricName(metric.metric), text: shortText(metric) }));
  const longest = Math.max(...beside.map(({ name }) => name.length));
  return [
    ...metricLines(first, isTold(first, report), style, options),
    ...beside.flatMap(({ name, text }) => labelled(`${INDENT}${name.padEnd(longest)}  `, prose(text), width)),
  ];
}

/** What the verdict has not told: that nothing could be evaluated, or what the first metric comes to. */
export function accuracyInShort(report: Evaluable, style: ChalkInstance, width: number): string[] {
  const [first] = metricsOf(report);
  if (first === undefined) return missingLine(report, width);
  const { labels, standing, summary } = first;
  return isTold(first, report)
    ? []
    : labelled(
        labels === undefined ? 'AGREEMENT  ' : 'ACCURACY  ',
        prose(summary),
        width,
        standingPaint(standing, style),
      );
}

function missingLine({ notMeasured }: Evaluable, width: number): string[] {
  const missing = notMeasured?.find(({ subject }) => subject === 'accuracy');
  return missing === undefined
    ? []
    : labelled('ACCURACY  ', prose(`not evaluated: ${missing.reason}`), width);
}

function isTold({ summary }: Accuracy, { verdict }: Evaluable): boolean {
  return verdict?.summary.includes(summary) === true;
}

/** Of a metric beside another one; who is right, the other has told. */
function shortText(metric: Accuracy): string {
  const { labels, candidate, candidateInterval, unit } = metric;
  if (labels !== undefined) return metric.summary;
  const sure = candidateInterval === undefined ? '' : ` (95 % ${extent(candidateInterval, unit)})`;
  const what = metric.description.replace(/^[^:]*: /, '');
  return `${metricValue(candidate, unit)}${sure} of the candidate with the reference: ${what}`;
}

/** @param told the verdict has the sentence already */
function metricLines(metric: Accuracy, told: boolean, style: ChalkInstance, { width, top }: Room): string[] {
  const title = metric.labels === undefined ? 'AGREEMENT' : 'ACCURACY';
  return [
    ...labelled(`${title}  `, prose(measuredText(metric)), width),
    ...(told ? [] : labelled(INDENT, prose(metric.summary), width, standingPaint(metric.standing, style))),
    ...networkTable(metric, style, width),
    ...pairedLines(metric, width),
    ...classLines(metric, style, { width, top }),
    ...exampleLines(metric, { width, top }),
    ...remarksOf(metric).flatMap((remark) => labelled(INDENT, prose(remark), width)),
    ...legend(prose(`${metric.description}; outputs read as ${metric.decoder}.`), width),
  ];
}

function standingPaint(standing: Standing | undefined, style: ChalkInstance): (text: string) => string {
  return standing === 'worse' ? (text) => style.bold.red(text) : style.bold;
}

function networkTable(
  { metric, networks, unit, deltaUnit, better, test }: Accuracy,
  style: ChalkInstance,
  width: number,
): string[] {
  const hasChange = networks.some(({ delta }) => delta !== undefined);
  const hasInterval = networks.some(({ interval }) => interval !== undefined);
  const hasRange = networks.some(({ deltaInterval }) => deltaInterval !== undefined);
  const hasP = networks.some(({ pValue }) => pValue !== undefined);
  const titles: Column[] = [
    { title: `${INDENT}network`, least: 12 },
    { title: 'which is', least: 12 },
    right(metricName(metric)),
    ...(hasInterval ? [{ ...right('95 %'), expendable: 2 }] : []),
    ...(hasChange ? [right('change')] : []),
    ...(hasRange ? [{ ...right('95 %'), expendable: 3 }] : []),
    ...(hasP ? [{ ...right('p'), expendable: 1 }] : []),
    ...(hasChange ? [{ title: '' }] : []),
  ];
  const rows = networks.map((network): Row => {
    const { network: name, title, value, interval, delta, deltaInterval, pValue, standing } = network;
    return [
      `${INDENT}${printable(name)}`,
      printable(title),
      { text: metricValue(value, unit), paint: style.bold },
      ...(hasInterval ? [extent(interval, unit)] : []),
      ...(hasChange ? [change(delta, deltaUnit)] : []),
      ...(hasRange ? [changeExtent(deltaInterval, deltaUnit)] : []),
      ...(hasP ? [probability(pValue)] : []),
      ...(hasChange ? [standingCell(standing, style)] : []),
    ];
  });
  const meaning = [
    ...(better === 'lower' ? [`a lower ${metricName(metric)} is better`] : []),
    ...(hasChange ? ['change: against the reference, on the same samples'] : []),
    ...(hasP && test !== undefined ? [`p: ${test}${test.startsWith('McNemar') ? ' test' : ''}`] : []),
  ].join('; ');
  return [...columns(titles, rows, width), ...(meaning === '' ? [] : legend(`${meaning}.`, width))];
}

function standingCell(standing: Standing | undefined, style: ChalkInstance): Row[number] {
  if (standing === undefined) return '';
  return standing === 'worse' ? { text: standing, paint: style.red } : standing;
}

/** A change of 0 can hide many samples that were lost and as many that were won. */
function pairedLines({ networks }: Accuracy, width: number): string[] {
  return networks.filter(isWhole).flatMap((network) => {
    const text = pairedText(network);
    return text === undefined
      ? []
      : labelled(INDENT, `${prose(network.network)} against reference: ${text}`, width);
  });
}

/** What is taken for what, and samples to look at. */
function exampleLines(accuracy: Accuracy, { width, top = MOST_EXAMPLES }: Room): string[] {
  const { networks, disagreements } = accuracy;
  const names = classNamesOf(accuracy);
  const named = (label: number): string => shortened(className({ label, name: names.get(label) }), NAME);
  const confused = networks.filter(isWhole).flatMap(({ network, confusions = [] }) => {
    const told = confusions
      .slice(0, top)
      .map(({ from, to, count: many }) => `${named(from)} as ${named(to)} (${many})`);
    return told.length === 0
      ? []
      : labelled(INDENT, `${prose(network)} takes, unlike the reference: ${told.join(', ')}`, width);
  });
  const whole = disagreements.filter(
    ({ network }) => networks[network] !== undefined && isWhole(networks[network]),
  );
  const told = whole.slice(0, top).map(({ sample, truth, reference, candidate }) => {
    const classes =
      reference === undefined || candidate === undefined
        ? ''
        : ` ${named(reference)} -> ${named(candidate)}${truth === undefined ? '' : `, is ${named(truth)}`}`;
    return `${shortened(sample, NAME)}${classes}`;
  });
  return [
    ...confused,
    ...(told.length === 0 ? [] : labelled(INDENT, `samples that part: ${told.join('; ')}`, width)),
  ];
}
