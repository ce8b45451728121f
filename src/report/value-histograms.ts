/** Histograms of the values of the worst layers with the ends of their quantizers, as text for a terminal. */
import { columns, type Column, type Row } from './columns.js';
import { number, percent, printable, wrapped, plural } from './format.js';
import type { ReportedHistogram, ReportedQuant, ReportedTensor } from './report.js';
import { BAR_LEVELS, sparkline } from './sparkline.js';
import { INDENT, legend, right, SHORTEST_NAME, type TableOptions } from './terminal-layers.js';

const NARROWEST_PLOT = 12;
const WIDEST_PLOT = 64;
/** Characters of everything else in a row. */
const BESIDE = 40;

const LEGEND =
  'Counts of the float values, drawn by their logarithm. [ and ]: the first and the last value that the quantizer has a code for; ' +
  'what is outside is clipped, what is empty inside is wasted.';

interface Span {
  readonly lo: number;
  readonly hi: number;
}

/** @param worst worst first */
/** @param samples that values were counted of; all that were measured when undefined */
export function valuesSection(
  worst: readonly ReportedTensor[],
  { width, top }: TableOptions,
  samples?: number,
): string[] {
  const room = Math.max(NARROWEST_PLOT, Math.min(WIDEST_PLOT, width - BESIDE - SHORTEST_NAME));
  const rows = worst
    .filter(({ histogram }) => histogram !== undefined && isDrawable(histogram))
    .slice(0, top)
    .flatMap((tensor) => histogramRows(tensor, room));
  if (rows.length === 0) return [];
  const titles: Column[] = [
    { title: `${INDENT}layer`, least: SHORTEST_NAME },
    right('from'),
    { title: '' },
    right('to'),
    { ...right('clipped'), expendable: 1 },
  ];
  return [
    ...wrapped('VALUES of the worst layers, float, and what their quantizers reach', width),
    ...columns(titles, rows, width),
    ...legend(samples === undefined ? LEGEND : `${LEGEND} Counted on ${plural(samples, 'sample')}.`, width),
  ];
}

function histogramRows(tensor: ReportedTensor, room: number): Row[] {
  const { histogram, bulk, quant, self } = tensor;
  if (histogram === undefined) return [];
  const name = tensor.role === 'input' || tensor.node === '' ? tensor.tensor : tensor.node;
  const clipped = self === undefined ? '-' : percent(self.clippedShare);
  const reach = reachOf(quant);
  return [
    plotRow(`${INDENT}${printable(name)}`, histogram, reach, room, clipped),
    ...(bulk === undefined || !isDrawable(bulk)
      ? []
      : [plotRow(`${INDENT}  98 % of them`, bulk, undefined, room, '')]),
  ];
}

function plotRow(
  name: string,
  histogram: ReportedHistogram,
  reach: Span | undefined,
  room: number,
  clipped: string,
): Row {
  const span = {
    lo: Math.min(histogram.lo, reach?.lo ?? Infinity),
    hi: Math.max(histogram.hi, reach?.hi ?? -Infinity),
  };
  return [name, number(span.lo), plot(histogram, span, reach, room), number(span.hi), clipped];
}

/** Bars over `span`, with the ends of the quantizer between those that they part. */
export function plot(
  histogram: ReportedHistogram,
  span: Span,
  reach: Span | undefined,
  room: number,
): string {
  const bars = sparkline(levelsOf(resampled(histogram, span, room)));
  if (reach === undefined) return bars;
  const edge = (value: number): number => Math.round(((value - span.lo) / (span.hi - span.lo)) * room);
  const [first, last] = [edge(reach.lo), Math.max(edge(reach.hi), edge(reach.lo))];
  return `${bars.slice(0, first)}[${bars.slice(first, last)}]${bars.slice(last)}`;
}

/** Every count goes where the middle of its bin lies, or is spread over the columns that its bin covers. */
function resampled({ lo, hi, counts }: ReportedHistogram, span: Span, room: number): number[] {
  const columnsOf = new Array<number>(room).fill(0);
  const size = (hi - lo) / counts.length;
  const scale = room / (span.hi - span.lo);
  for (const [bin, count] of counts.entries()) {
    if (count === 0) continue;
    const from = (lo + bin * size - span.lo) * scale;
    const to = from + size * scale;
    const first = within(Math.floor(from + 1e-9), room);
    const last = within(Math.ceil(to - 1e-9) - 1, room);
    if (last <= first) {
      const middle = within(Math.floor((from + to) / 2), room);
      columnsOf[middle] = (columnsOf[middle] ?? 0) + count;
    } else {
      for (let at = first; at <= last; at++) {
        const share = (Math.min(to, at + 1) - Math.max(from, at)) / (to - from);
        columnsOf[at] = (columnsOf[at] ?? 0) + count * Math.max(share, 0);
      }
    }
  }
  return columnsOf;
}

function within(column: number, room: number): number {
  return Math.min(Math.max(column, 0), room - 1);
}

/** What is not nothing is seen. */
function levelsOf(counts: readonly number[]): (number | undefined)[] {
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const scale = Math.log1p(most);
  return counts.map((count) =>
    count > 0 ? Math.ceil((Math.log1p(count) / scale) * BAR_LEVELS) - 1 : undefined,
  );
}

/** Real values that the first and the last code stand for; of one scale only. */
function reachOf(quant: ReportedQuant | undefined): Span | undefined {
  if (quant === undefined || quant.scale.length !== 1) return undefined;
  const [scale] = quant.scale;
  const [zeroPoint = 0] = quant.zeroPoint;
  // A file may have anything for a number.
  if (typeof scale !== 'number' || !(scale > 0) || !Number.isFinite(scale)) return undefined;
  const span = { lo: (quant.qmin - zeroPoint) * scale, hi: (quant.qmax - zeroPoint) * scale };
  return Number.isFinite(span.hi - span.lo) && span.hi > span.lo ? span : undefined;
}

function isDrawable({ lo, hi, counts }: ReportedHistogram): boolean {
  return counts.length > 0 && Number.isFinite(hi - lo) && hi > lo && counts.some((count) => count > 0);
}
