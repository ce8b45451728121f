/** The ladder of experiments, as a table for a terminal: what another scheme, or a part of this one, loses. */
import type { ChalkInstance } from 'chalk';
import { bar } from './bar.js';
import { shownColumns, tableLines, type Column, type Row } from './columns.js';
import { cellValue, metricName } from './evaluated-text.js';
import { printable, wrapped } from './format.js';
import { groupBy } from './group.js';
import { effectDecibels, lostCell, pointUnit, shareCell, worth } from './sweep-effect.js';
import type { Effect, SweepReport, SweptExperiment } from './sweep-report.js';
import { INDENT, legend, right, type TableOptions } from './terminal-layers.js';

const BAR = 10;
const MARK = '*';
/** Characters that tell one experiment from the others, and those that its main number takes. */
const LEAST_TITLE = 56;
const LEAST_NUMBERS = 12;

/** Families in the reader's words. */
const FAMILIES: Readonly<Record<string, string>> = {
  parts: 'what is quantized',
  bits: 'number of bits',
  ops: 'one operator type',
  ends: 'first and last layers in float',
  observer: 'where ranges come from',
  weights: 'scales of weights',
  symmetry: 'zero points',
  named: 'of the configuration',
};

export function familyTitle(family: string): string {
  return Object.hasOwn(FAMILIES, family) ? (FAMILIES[family] ?? family) : printable(family);
}

export function experimentsSection(
  report: SweepReport,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const { experiments, basis } = report;
  if (experiments.length === 0) return [];
  const { metric } = basis;
  const what = metric === undefined ? 'noise at the outputs' : `${metricName(metric.metric)} lost`;
  const has = presence(report);
  const shares = has.share ? ', and the share of what everything quantized loses' : '';
  const title = `EXPERIMENTS  ${what} against float${shares}`;
  const titles: Column[] = [
    { title: `${INDENT}experiment`, least: Math.min(LEAST_TITLE, width - LEAST_NUMBERS) },
    { ...right('SQNR dB'), expendable: metric === undefined ? 9 : 4 },
    ...(metric !== undefined && has.accuracy
      ? [
          {
            ...right(`${metricName(metric.metric)}${metric.unit === '' ? '' : ` ${metric.unit}`}`),
            expendable: 3,
          },
        ]
      : []),
    ...(metric !== undefined && has.lost ? [right(`lost ${pointUnit(metric)}`)] : []),
    ...(has.changed ? [{ ...right('changed'), expendable: metric === undefined ? 5 : 2 }] : []),
    ...(has.share ? [right('share'), { title: '', expendable: 6 }] : []),
    ...(has.flags ? [{ title: 'flags', expendable: 1 }] : []),
  ];
  const row = (name: string, of: Omit<SweptExperiment, 'name' | 'title' | 'family'>): Row => [
    name,
    effectDecibels(of.effect),
    ...(metric !== undefined && has.accuracy ? [cellValue(of.effect.accuracy, metric.unit)] : []),
    ...(metric !== undefined && has.lost ? [{ text: lostCell(of.lost, metric), paint: style.bold }] : []),
    ...(has.changed ? [shareCell(of.effect.changedShare)] : []),
    ...(has.share ? [shareCell(of.lostShare), barOf(of.lostShare)] : []),
    ...(has.flags ? [(of.flags ?? []).map(printable).join(' ')] : []),
  ];
  const families = [...groupBy(experiments, ({ family }) => family)];
  const groups: { readonly family?: string; readonly rows: readonly Row[] }[] = [
    ...(experiments.some(({ isBase }) => isBase === true)
      ? []
      : [
          {
            rows: [
              row(`${INDENT}everything quantized ${MARK}`, {
                effect: report.quantized,
                ...wholeLoss(report),
              }),
            ],
          },
        ]),
    ...families.map(([family, all]) => ({
      family,
      rows: [
        ...mostTelling(all, top).map((experiment) =>
          row(
            `${INDENT}${INDENT}${printable(experiment.title)}${experiment.isBase === true ? ` ${MARK}` : ''}`,
            experiment,
          ),
        ),
        ...leftOut(all.length - top),
      ],
    })),
  ];
  const rows = groups.flatMap((group) => group.rows);
  const { head, lines } = tableLines(titles, rows, width);
  let at = 0;
  const hasFlags = shownColumns(titles, rows, width).some((at) => titles[at]?.title === 'flags');
  return [
    ...wrapped(title, width),
    ...head,
    // Titles of families are no cells: they have the line to themselves.
    ...groups.flatMap(({ family, rows: { length } }) => [
      ...(family === undefined ? [] : wrapped(`${INDENT}${familyTitle(family)}`, width)),
      ...lines.slice(at, (at += length)).flat(),
    ]),
    ...legend(legendText(report, has.share, hasFlags), width),
  ];
}

function legendText({ basis: { metric } }: SweepReport, hasShare: boolean, hasFlags: boolean): string {
  return [
    `${MARK} the scheme as it is${hasShare ? ', which the shares are of' : ''}.`,
    ...(metric === undefined && hasShare ? ['share: of the noise energy at the outputs.'] : []),
    ...(hasFlags ? ['flags: with which qdbg analyze measures the same.'] : []),
  ].join(' ');
}

function leftOut(many: number): Row[] {
  return many > 0 ? [[`${INDENT}${INDENT}and ${many} more`]] : [];
}

/** All in the order that they were asked in; of too many those that lose most. */
function mostTelling(all: readonly SweptExperiment[], most: number): readonly SweptExperiment[] {
  if (all.length <= most) return all;
  const kept = new Set(
    [...all].sort((a, b) => (b.lostShare ?? -Infinity) - (a.lostShare ?? -Infinity)).slice(0, most),
  );
  return all.filter((experiment) => kept.has(experiment));
}

function barOf(share: number | undefined): string {
  return share === undefined ? '' : bar(share, BAR);
}

/** What everything quantized loses is all of it, where there is anything to lose. */
function wholeLoss({ quantized, basis: { metric } }: SweepReport): { lost?: number; lostShare?: number } {
  const lost = metric === undefined ? undefined : worth(quantized.accuracyDelta, metric);
  const isLoss =
    lost === undefined ? quantized.exact !== true && quantized.outputSqnrDb !== undefined : lost < 0;
  return { ...(lost === undefined ? {} : { lost: 0 - lost }), ...(isLoss ? { lostShare: 1 } : {}) };
}

function presence({
  experiments,
}: SweepReport): Record<'accuracy' | 'lost' | 'changed' | 'share' | 'flags', boolean> {
  const some = (of: (effect: Effect, experiment: SweptExperiment) => number | undefined): boolean =>
    experiments.some((experiment) => of(experiment.effect, experiment) !== undefined);
  return {
    accuracy: some(({ accuracy }) => accuracy),
    lost: some((_, { lost }) => lost),
    changed: some(({ changedShare }) => changedShare),
    share: some((_, { lostShare }) => lostShare),
    flags: some((_, { flags = [] }) => (flags.length === 0 ? undefined : flags.length)),
  };
}
