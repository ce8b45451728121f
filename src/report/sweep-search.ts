/** What the search for mixed precision found, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { columns, shownColumns, type Column, type Row } from './columns.js';
import { cellValue, extent, metricName } from './evaluated-text.js';
import { bytes, labelled, listed, plural, printable, shortened, wrapped } from './format.js';
import {
  answerOf,
  effectDecibels,
  lostCell,
  pointUnit,
  shareCell,
  type SweptMetric,
} from './sweep-effect.js';
import type { ReportedSearch, SearchedPoint, SweepReport } from './sweep-report.js';
import { precision, searchText } from './sweep-verdict.js';
import { INDENT, legend, right, type TableOptions, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Layers of the answer that are told by name. */
const MOST_NAMES = 24;
const NAME = 60;
const MOST_POINTS = 20;
/** Of a set in a table: names, and characters of each. */
const FEW_NAMES = 2;
const SHORT_NAME = 28;
const SHORTEST_LIST = 24;

const LEGEND =
  'Pareto: no other set that was evaluated costs less and keeps more. MACs: share of all multiply-accumulates in higher precision.';
const UNSURE = ' unsure: with these samples the drop may also be more than the target.';
const BYTES = ' bytes: of weights, beyond everything quantized.';

/** Quiet, the answer without the table that it comes from. */
export function searchSection(
  report: SweepReport,
  style: ChalkInstance,
  { width, top = MOST_POINTS, quiet }: Room & { readonly quiet: boolean },
): string[] {
  const { search, verdict } = report;
  if (search === undefined) return [];
  const answer = searchText(report) ?? '';
  const title = `SEARCH  fewest layers ${precision(search)} for the target of ${printable(search.target)}; ${plural(search.points.length, 'set')} evaluated`;
  const isTold = verdict.summary.includes(answer);
  return [
    ...wrapped(title, width),
    ...(isTold ? [] : labelled(INDENT, prose(answer), width, style.bold)),
    ...answerLines(search, width),
    ...(quiet ? [] : paretoTable(search, report.basis.metric, style, { width, top })),
    ...labelled(INDENT, prose(`stopped: ${search.stopped}`), width),
  ];
}

function answerLines(search: ReportedSearch, width: number): string[] {
  const { layers = [] } = answerOf(search) ?? {};
  if (layers.length === 0) return [];
  const names = listed(
    layers.map((name) => shortened(name, NAME)),
    MOST_NAMES,
  );
  return labelled(`${INDENT}${precision(search)}: `, names, width);
}

/** The sets that nothing evaluated betters, cheapest first, and the answer among them. */
export function paretoPoints(
  { points, chosen }: ReportedSearch,
  most = MOST_POINTS,
): readonly SearchedPoint[] {
  const answer = chosen === undefined ? undefined : points[chosen];
  const sorted = points
    .filter(({ isPareto }, at) => isPareto || at === chosen)
    .sort((a, b) => a.macsShare - b.macsShare || a.extraBytes - b.extraBytes);
  return sorted.filter((point, i) => i < most || point === answer);
}

/** Met by what was seen, or by all that it can be. */
export function metText({ meetsTarget, dropInterval, isCertain }: SearchedPoint): string {
  if (!meetsTarget) return 'missed';
  return dropInterval === undefined || isCertain === true ? 'met' : 'met, unsure';
}

function paretoTable(
  search: ReportedSearch,
  metric: SweptMetric | undefined,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const shown = paretoPoints(search, top);
  if (shown.length === 0) return [];
  const answer = answerOf(search);
  const has = (of: (point: SearchedPoint) => unknown): boolean =>
    shown.some((point) => of(point) !== undefined);
  const hasMetric = metric !== undefined && has(({ effect }) => effect.accuracy);
  const hasChanged = !hasMetric && has(({ effect }) => effect.changedShare);
  const hasRange = hasMetric && has(({ effect }) => effect.accuracyInterval);
  const titles: Column[] = [
    right(`${INDENT}layers`),
    right('MACs'),
    { ...right('bytes'), expendable: 3 },
    ...(hasMetric
      ? [right(`${metricName(metric.metric)}${metric.unit === '' ? '' : ` ${metric.unit}`}`)]
      : []),
    ...(hasRange ? [{ ...right('95 %'), expendable: 4 }] : []),
    ...(hasMetric ? [right(`drop ${pointUnit(metric)}`)] : []),
    ...(hasChanged ? [right('changed')] : []),
    { ...right('SQNR dB'), ...(hasMetric ? { expendable: 2 } : {}) },
    { title: 'target' },
    { title: precision(search), least: SHORTEST_LIST, expendable: 1 },
  ];
  const rows = shown.map((point): Row => {
    const { layers, macsShare, extraBytes, effect, drop } = point;
    return [
      `${INDENT}${layers.length}`,
      shareCell(macsShare),
      extraBytes === 0 ? '0' : `+${bytes(extraBytes)}`,
      ...(hasMetric ? [{ text: cellValue(effect.accuracy, metric.unit), paint: style.bold }] : []),
      ...(hasRange && metric !== undefined ? [extent(effect.accuracyInterval, metric.unit)] : []),
      ...(hasMetric ? [lostCell(drop, metric)] : []),
      ...(hasChanged ? [shareCell(effect.changedShare)] : []),
      effectDecibels(effect),
      point === answer ? { text: `${metText(point)}, chosen`, paint: style.green } : metText(point),
      listed(
        layers.map((name) => shortened(name, SHORT_NAME)),
        FEW_NAMES,
      ),
    ];
  });
  const hasBytes = shownColumns(titles, rows, width).some((at) => titles[at]?.title === 'bytes');
  return [
    ...columns(titles, rows, width),
    ...legend(
      `${LEGEND}${hasBytes ? BYTES : ''}${shown.some((point) => metText(point).endsWith('unsure')) ? UNSURE : ''}`,
      width,
    ),
  ];
}
