/** What layers, operator types and groups cost, as tables for a terminal. */
import type { ChalkInstance } from 'chalk';
import { columns, shownColumns, type Column, type Row } from './columns.js';
import { labelled, plural, printable, shortened, wrapped } from './format.js';
import {
  chanceOf,
  effectDecibels,
  gainDecibels,
  isMeasured,
  points,
  pointsCell,
  pointUnit,
  ranked,
  ranksByMetric,
  shareCell,
  worth,
  type SweptMetric,
} from './sweep-effect.js';
import type { SweepReport, SweptUnit } from './sweep-report.js';
import { INDENT, leastName, legend, right, type TableOptions } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Characters of a name within a sentence. */
const NAME = 60;
const MOST_FAILED = 3;

/** A column that a table has where one of its rows has something to say in it. */
interface Field {
  readonly column: Column;
  readonly cell: (unit: SweptUnit) => string;
  readonly isMain?: boolean;
  /** What the title means. */
  readonly legend?: string;
}

export function layersSection(
  report: SweepReport,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const { layers } = report;
  const measured = ranked(layers.filter(isMeasured), report);
  const failed = failedLines(layers, width);
  if (measured.length === 0) return failed.length === 0 ? [] : ['LAYERS', ...failed];
  const shown = measured.slice(0, top);
  const title = `LAYERS  ${shownOf(shown, measured)}, ${orderText(report, measured)}`;
  return [...wrapped(title, width), ...unitTable(shown, 'layer', report, style, width), ...failed];
}

export function groupsSection(
  report: SweepReport,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const measured = ranked(report.groups.filter(isMeasured), report);
  if (measured.length === 0) return [];
  const shown = measured.slice(0, top);
  const isNamed = measured.some(({ kind }) => kind === 'group');
  const title = `GROUPS  operator types${isNamed ? ' and named groups' : ''}, ${shownOf(shown, measured)}, ${orderText(report, measured)}`;
  return [...wrapped(title, width), ...unitTable(shown, 'group', report, style, width)];
}

/** "11", "10 of 65 (--top 65 lists all)" */
function shownOf(shown: readonly SweptUnit[], all: readonly SweptUnit[]): string {
  return shown.length === all.length
    ? String(all.length)
    : `${shown.length} of ${all.length} (--top ${all.length} lists all)`;
}

/** What decides the order, as `ranked` has it. */
function orderText(report: SweepReport, units: readonly SweptUnit[]): string {
  const { metric } = report.basis;
  const isRestored = units.some(({ restored }) => restored !== undefined);
  const lead = isRestored ? 'most gained when restored first' : 'most lost alone first';
  if (metric === undefined) return `${lead}, in dB`;
  if (ranksByMetric(report, units)) return `${lead}, in ${pointUnit(metric)}`;
  const isScored = units.some(
    ({ alone, restored }) => (restored?.gain ?? alone?.accuracyDelta) !== undefined,
  );
  return `${lead}, in dB${isScored ? `: what they differ by in ${pointUnit(metric)} can be chance` : ''}`;
}

function unitTable(
  units: readonly SweptUnit[],
  title: string,
  report: SweepReport,
  style: ChalkInstance,
  width: number,
): string[] {
  const fields = fieldsOf(title, report.basis.metric, ranksByMetric(report, units), width).filter(
    ({ cell }, i) => i === 0 || units.some((unit) => !['-', ''].includes(cell(unit))),
  );
  const rows = units.map((unit): Row =>
    fields.map(({ cell, isMain }) =>
      isMain === true ? { text: cell(unit), paint: style.bold } : cell(unit),
    ),
  );
  const titles = fields.map(({ column }) => column);
  const meanings = [
    ...new Set(shownColumns(titles, rows, width).flatMap((at) => fields[at]?.legend ?? [])),
    ...chanceText(report, units),
  ];
  return [
    ...columns(titles, rows, width),
    // The same words mean the same in every table.
    ...(title === 'group' && report.layers.some(isMeasured) ? [] : legend(meanings.join(' '), width)),
  ];
}

function chanceText(report: SweepReport, units: readonly SweptUnit[]): string[] {
  const { metric } = report.basis;
  const chance = chanceOf(report);
  if (metric === undefined || chance === undefined) return [];
  if (!units.some(({ alone, restored }) => (restored?.gain ?? alone?.accuracyDelta) !== undefined)) return [];
  return [
    `Over ${plural(metric.samples, 'sample')}, less than about ${points(chance, metric)} can be chance.`,
  ];
}

const ALONE = 'alone: the outputs when it is quantized and all else is float.';
const RESTORED = 'restored: what is won back when it is float and all else is quantized.';

function fieldsOf(title: string, metric: SweptMetric | undefined, byMetric: boolean, width: number): Field[] {
  const isGroup = title === 'group';
  const name: Field = {
    column: { title: `${INDENT}${title}`, least: leastName(width) },
    cell: ({ name: called }) => `${INDENT}${printable(called)}`,
  };
  const restoredDb: Field = {
    column: right('restored dB'),
    cell: ({ restored }) => (restored === undefined ? '-' : gainDecibels(restored.gainDb, restored)),
    isMain: !byMetric,
    legend: RESTORED,
  };
  return [
    name,
    ...(isGroup
      ? [
          {
            column: { ...right('layers'), expendable: 5 },
            cell: ({ layers }: SweptUnit) => String(layers),
          },
        ]
      : [
          {
            column: { title: 'op', least: 12, expendable: 5 },
            cell: ({ op }: SweptUnit) => printable(op ?? ''),
          },
        ]),
    {
      column: { ...right('MACs'), expendable: 3 },
      cell: ({ macsShare }) => shareCell(macsShare),
      legend: 'MACs: share of all multiply-accumulates.',
    },
    {
      column: { ...right('alone dB'), expendable: metric === undefined ? 9 : 4 },
      cell: ({ alone }) => (alone === undefined ? '-' : effectDecibels(alone)),
      legend: ALONE,
    },
    ...(metric === undefined ? [] : metricFields(metric, byMetric)),
    restoredDb,
    {
      column: { ...right('noise gone'), expendable: metric === undefined ? 8 : 2 },
      cell: ({ restored }) => shareCell(restored?.noiseShare),
      legend:
        'noise gone: share of the noise at that output that this takes away; below 0 it adds some, which had cancelled out.',
    },
    ...(metric === undefined
      ? [
          {
            column: { ...right('changed'), expendable: 1 },
            cell: ({ restored, alone }: SweptUnit) => shareCell((restored ?? alone)?.changedShare),
            legend: 'changed: answers (rows) that then are not those of float.',
          },
        ]
      : []),
  ];
}

function metricFields(metric: SweptMetric, byMetric: boolean): Field[] {
  const unit = pointUnit(metric);
  return [
    {
      column: { ...right(`alone ${unit}`), expendable: 7 },
      cell: ({ alone }) => pointsCell(worth(alone?.accuracyDelta, metric), metric),
      legend: ALONE,
    },
    {
      column: right(`restored ${unit}`),
      cell: ({ restored }) => pointsCell(restored?.gain, metric),
      isMain: byMetric,
      legend: RESTORED,
    },
  ];
}

/** What could not be run, with what the runtime said. */
function failedLines(units: readonly SweptUnit[], width: number): string[] {
  const failed = units.flatMap(({ name, alone, restored }) => {
    const reason = alone?.failure ?? restored?.failure;
    return reason === undefined ? [] : [{ name, reason }];
  });
  const left = failed.length - MOST_FAILED;
  return [
    ...failed
      .slice(0, MOST_FAILED)
      .flatMap(({ name, reason }) =>
        labelled(`${INDENT}failed: `, prose(`${shortened(name, NAME)}: ${reason}`), width),
      ),
    ...(left > 0 ? [`${INDENT}and ${left} more failed; --report json lists all`] : []),
  ];
}
