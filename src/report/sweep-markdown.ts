/** A sweep as Markdown, for the comment on a pull request and for $GITHUB_STEP_SUMMARY. */
import { missingAccuracy } from './document-text.js';
import { cellValue, extent, measuredText, metricName, remarksOf } from './evaluated-text.js';
import { bytes, plural } from './format.js';
import { basisLines, document, subjectName, type Section } from './markdown.js';
import { code, table, text } from './markdown-text.js';
import {
  answerOf,
  effectDecibels,
  effectText,
  gainDecibels,
  helps,
  isMeasured,
  lossOf,
  lostCell,
  pointsCell,
  pointUnit,
  ranked,
  ranksByMetric,
  shareCell,
  worth,
  type SweptMetric,
} from './sweep-effect.js';
import { familyTitle } from './sweep-experiments.js';
import { costText } from './sweep-fixes.js';
import type { Effect, SweepReport, SweptUnit } from './sweep-report.js';
import { metText, paretoPoints } from './sweep-search.js';
import { decisionText, precision, searchText } from './sweep-verdict.js';

const MOST_UNITS = 10;
const MOST_EXPERIMENTS = 40;
const MOST_FIXES = 10;
const MOST_NAMES = 30;

/** Columns that say something in one row at least. */
interface Field<Item> {
  readonly title: string;
  readonly cell: (item: Item) => string;
}

export function renderSweepMarkdown(report: SweepReport): string {
  return document([
    heading(report),
    missingAccuracy(report.notMeasured).map((reason) => `- ${text(reason)}`),
    searchLines(report),
    fixLines(report),
    unitLines('Layers', 'layer', report.layers, report),
    unitLines('Groups', 'group', report.groups, report),
    experimentLines(report),
    exportLines(report),
    basisLines(report, basisMore(report)),
  ]);
}

const HEADLINES = {
  none: 'nothing is lost',
  'within noise': 'what is lost is within noise',
  close: 'stays close to float',
  lost: 'loses accuracy',
  unknown: 'could not be measured',
} as const;

function heading(report: SweepReport): Section {
  const { models, verdict, search } = report;
  const loss = lossOf(report);
  const isFound = (answerOf(search)?.layers.length ?? 0) > 0;
  const headline =
    loss === 'lost' && search !== undefined
      ? isFound
        ? `within ${text(search.target)} by ${plural(answerOf(search)?.layers.length ?? 0, 'layer')} ${precision(search)}`
        : `${HEADLINES.lost}, target ${text(search.target)} ${answerOf(search) === undefined ? 'missed' : 'met'}`
      : loss === 'lost' && report.basis.metric === undefined
        ? 'loses signal'
        : HEADLINES[loss];
  return [`### qdbg sweep ${subjectName(models)}: ${headline}`, '', `**${text(verdict.summary)}**`];
}

function searchLines(report: SweepReport): Section {
  const { search, basis, verdict } = report;
  if (search === undefined) return [];
  const { metric } = basis;
  const answer = answerOf(search);
  const told = searchText(report) ?? '';
  const layers = answer?.layers ?? [];
  const names = layers.slice(0, MOST_NAMES).map(code).join(', ');
  const more = layers.length > MOST_NAMES ? ` and ${layers.length - MOST_NAMES} more` : '';
  return [
    `#### Search: target ${text(search.target)}, ${plural(search.points.length, 'set')} of layers evaluated`,
    '',
    ...(verdict.summary.includes(told) ? [] : [`**${text(told)}**`, '']),
    ...tableOf(
      [
        { title: '>layers', cell: ({ layers: set }) => String(set.length) },
        { title: '>MACs', cell: ({ macsShare }) => shareCell(macsShare) },
        {
          title: '>bytes',
          cell: ({ extraBytes }) => (extraBytes === 0 ? '0' : `+${bytes(extraBytes)}`),
        },
        ...effectFields(metric, ({ effect }: (typeof search.points)[number]) => effect),
        ...(metric === undefined
          ? []
          : [
              {
                title: `>drop, ${text(pointUnit(metric))}`,
                cell: ({ drop }: (typeof search.points)[number]) => lostCell(drop, metric),
              },
            ]),
        {
          title: 'target',
          cell: (point) => (point === answer ? `**${metText(point)}, chosen**` : metText(point)),
        },
      ],
      paretoPoints(search),
    ),
    ...(names === '' ? [] : ['', `- ${precision(search)}: ${names}${more}`]),
    ...(names === '' ? [''] : []),
    `- stopped: ${text(search.stopped)}`,
  ];
}

function effectFields<Item>(metric: SweptMetric | undefined, of: (item: Item) => Effect): Field<Item>[] {
  return [
    ...(metric === undefined
      ? []
      : [
          {
            title: `>${text(metricName(metric.metric))}${metric.unit === '' ? '' : `, ${metric.unit}`}`,
            cell: (item: Item) =>
              bold(of(item).accuracy === undefined ? '-' : cellValue(of(item).accuracy, metric.unit)),
          },
          { title: '>95 %', cell: (item: Item) => extent(of(item).accuracyInterval, metric.unit) },
        ]),
    { title: '>output SQNR, dB', cell: (item) => effectDecibels(of(item)) },
  ];
}

function bold(cell: string): string {
  return cell === '-' ? cell : `**${cell}**`;
}

function tableOf<Item>(fields: readonly Field<Item>[], items: readonly Item[]): string[] {
  const shown = fields.filter(({ cell }) => items.some((item) => !['', '-'].includes(cell(item))));
  return table(
    shown.map(({ title }) => title),
    items.map((item) => shown.map(({ cell }) => cell(item))),
  );
}

function unitLines(title: string, column: string, units: readonly SweptUnit[], report: SweepReport): Section {
  const { metric } = report.basis;
  const measured = ranked(units.filter(isMeasured), report);
  if (measured.length === 0) return [];
  const shown = measured.slice(0, MOST_UNITS);
  const byMetric = ranksByMetric(report, measured);
  const fields: Field<SweptUnit>[] = [
    { title: column, cell: ({ name }) => code(name) },
    { title: 'op', cell: ({ op }) => text(op ?? '') },
    { title: '>MACs', cell: ({ macsShare }) => shareCell(macsShare) },
    { title: '>alone, dB', cell: ({ alone }) => (alone === undefined ? '-' : effectDecibels(alone)) },
    ...(metric === undefined
      ? []
      : [
          {
            title: `>alone, ${text(pointUnit(metric))}`,
            cell: ({ alone }: SweptUnit) => pointsCell(worth(alone?.accuracyDelta, metric), metric),
          },
          {
            title: `>restored, ${text(pointUnit(metric))}`,
            cell: ({ restored }: SweptUnit) => (byMetric ? bold : String)(pointsCell(restored?.gain, metric)),
          },
        ]),
    {
      title: '>restored, dB',
      cell: ({ restored }) => {
        const cell = restored === undefined ? '-' : gainDecibels(restored.gainDb, restored);
        return byMetric ? cell : bold(cell);
      },
    },
    { title: '>noise gone', cell: ({ restored }) => shareCell(restored?.noiseShare) },
  ];
  return [
    `#### ${title}: ${shown.length} of ${measured.length}, worst first`,
    '',
    ...tableOf(fields, shown),
    ...(column === 'layer'
      ? ['', 'alone: only it is quantized; restored: what is won back when only it is in float.']
      : []),
  ];
}

function experimentLines({ experiments, basis: { metric } }: SweepReport): Section {
  if (experiments.length === 0) return [];
  const shown = experiments.slice(0, MOST_EXPERIMENTS);
  const left = experiments.length - shown.length;
  return [
    '#### Experiments',
    '',
    ...tableOf(
      [
        { title: 'of', cell: ({ family }) => text(familyTitle(family)) },
        {
          title: 'experiment',
          cell: ({ title, isBase }) => `${text(title)}${isBase === true ? ' (as it is)' : ''}`,
        },
        ...effectFields(metric, ({ effect }: (typeof experiments)[number]) => effect),
        ...(metric === undefined
          ? []
          : [
              {
                title: `>lost, ${text(pointUnit(metric))}`,
                cell: ({ lost }: (typeof experiments)[number]) => lostCell(lost, metric),
              },
            ]),
        { title: '>share of the loss', cell: ({ lostShare }) => shareCell(lostShare) },
      ],
      shown,
    ),
    ...(left > 0 ? ['', `and ${plural(left, 'more experiment')}.`] : []),
  ];
}

function fixLines({ fixes, together, quantized, basis: { metric } }: SweepReport): Section {
  const helping = fixes.filter((fix) => helps(fix, quantized));
  if (fixes.length === 0) return [];
  const shown = helping.slice(0, MOST_FIXES);
  return [
    `#### Fixes: ${helping.length} of ${plural(fixes.length, 'change')} tried help`,
    ...(shown.length === 0
      ? []
      : [
          '',
          ...tableOf(
            [
              ...(metric === undefined
                ? []
                : [
                    {
                      title: `>gain, ${text(pointUnit(metric))}`,
                      cell: ({ gain }: (typeof fixes)[number]) => bold(pointsCell(gain, metric)),
                    },
                  ]),
              { title: '>gain, dB', cell: ({ gainDb, effect }) => gainDecibels(gainDb, effect) },
              { title: 'cost', cell: costText },
              { title: 'what is done', cell: ({ title }) => text(title) },
            ],
            shown,
          ),
        ]),
    ...(together === undefined
      ? []
      : ['', `- ${together.fixes.length} together: ${text(effectText(together.effect, metric))}`]),
  ];
}

function exportLines({ exports, decision, basis: { metric } }: SweepReport): Section {
  if (exports.length === 0 && decision === undefined) return [];
  return [
    decision === undefined
      ? '#### Exports'
      : `#### Decision: ${decisionText(decision)}, ${text(effectText(decision.effect, metric))}`,
    ...(exports.length === 0 ? [] : ['']),
    ...exports.flatMap(({ kind, file, note, lost }) => [
      `- ${text(kind)} ${code(file)}: ${text(note)}`,
      ...lost.map((what) => `  - not told: ${text(what)}`),
    ]),
  ];
}

function basisMore({ accuracy, basis }: SweepReport): string[] {
  return [
    `- output SQNR over ${plural(basis.samples, 'sample')} at ${basis.outputs.slice(0, MOST_NAMES).map(code).join(', ')}`,
    ...(accuracy === undefined
      ? []
      : [measuredText(accuracy), ...remarksOf(accuracy)].map((line) => `- ${text(line)}`)),
  ];
}
