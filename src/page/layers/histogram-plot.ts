/** The drawing of an activation's values with the grid of its quantizer, and with ranges that others would choose. */
import * as Plot from '@observablehq/plot';
import type { ReportedHistogram } from '../../report/report.js';
import { count, percent, short } from '../frame/numbers.js';
import { binsOf, countHeight, countTicks, type Bin, type CountAxis } from './histogram-bins.js';
import { gridTicks, type Grid } from './quant-grid.js';

/** A part of the axis that has a line of its own above the histogram. */
export interface RangeRow {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly kind: 'own' | 'bulk' | 'other';
}

export interface HistogramDrawing {
  readonly histogram: ReportedHistogram;
  readonly grid: Grid | undefined;
  readonly rows: readonly RangeRow[];
  readonly axis: CountAxis;
  /** What is seen of the x axis. */
  readonly domain: readonly [number, number];
}

const LEFT = 56;
const RIGHT = 12;
const BARS = 150;
const ROW = 25;
/** Strip of the codes' ticks, below the bars. */
const STRIP = 9;
const BOTTOM = 36;
/** Pixels of the narrowest bar. */
const BAR = 1.5;

const ROW_COLOUR: Readonly<Record<RangeRow['kind'], string>> = {
  own: 'var(--mark)',
  bulk: 'var(--self)',
  other: 'var(--local)',
};

/** Pixels between the ends of the x axis. */
export function histogramWidth(width: number): number {
  return Math.max(1, width - LEFT - RIGHT);
}

export function drawHistogram(drawing: HistogramDrawing, width: number): SVGSVGElement | HTMLElement {
  const { histogram, grid, rows, axis, domain } = drawing;
  const [from, to] = domain;
  const seen = (histogram.hi - histogram.lo) / (to - from) || 1;
  const bins = binsOf(histogram, (histogramWidth(width) * seen) / BAR);
  const largest = bins.reduce((most, bin) => Math.max(most, bin.count), 0);
  const height = (n: number): number => countHeight(n, largest, axis);
  const top = 1 + (rows.length * ROW) / BARS;
  const bottom = grid === undefined ? 0 : -STRIP / BARS;
  return Plot.plot({
    width,
    height: BARS * (top - bottom) + BOTTOM + 6,
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: 6,
    marginBottom: BOTTOM,
    style: { fontSize: '11px', background: 'transparent', overflow: 'visible' },
    x: { domain: [from, to], label: null },
    y: { domain: [bottom, top], label: null },
    marks: [
      ...shades(grid, domain),
      Plot.axisY(countTicks(largest, axis).map(height), {
        tickFormat: (_: number, i: number) => countText(countTicks(largest, axis)[i] ?? 0),
        tickSize: 3,
        color: 'var(--quiet)',
      }),
      Plot.axisX({
        ticks: 5,
        tickSize: 3,
        label: 'value in the float network',
        labelAnchor: 'center',
        labelArrow: 'none',
        color: 'var(--quiet)',
      }),
      Plot.text(['values per bin'], {
        frameAnchor: 'bottom-left',
        rotate: -90,
        dx: -44,
        dy: -BARS / 2,
        textAnchor: 'middle',
        fill: 'var(--quiet)',
      }),
      ...bars(bins, drawing, height),
      Plot.ruleY([0], { stroke: 'var(--quiet)' }),
      ...rowMarks(rows, domain),
      ...gridMarks(grid, domain, width, bottom),
      tip(bins, domain, height),
    ],
  });
}

function countText(value: number): string {
  return value >= 1e4 ? value.toExponential(0).replace('+', '') : count(value);
}

/** What no code stands for. */
function shades(grid: Grid | undefined, [from, to]: readonly [number, number]): Plot.Markish[] {
  if (grid === undefined) return [];
  const outside = [
    { x1: from, x2: Math.min(grid.lo, to) },
    { x1: Math.max(grid.hi, from), x2: to },
  ].filter(({ x1, x2 }) => x2 > x1);
  return [Plot.rect(outside, { x1: 'x1', x2: 'x2', y1: 0, y2: 1, fill: 'var(--mark)', fillOpacity: 0.13 })];
}

function bars(
  bins: readonly Bin[],
  { grid, domain: [from, to] }: HistogramDrawing,
  height: (n: number) => number,
): Plot.Markish[] {
  const seen = bins.filter((bin) => bin.count > 0 && bin.to >= from && bin.from <= to);
  const isOutside = (bin: Bin): boolean => grid !== undefined && (bin.to <= grid.lo || bin.from >= grid.hi);
  return [
    Plot.rect(seen, {
      x1: (bin: Bin) => Math.max(from, bin.from),
      x2: (bin: Bin) => Math.min(to, bin.to),
      y1: 0,
      y2: (bin: Bin) => height(bin.count),
      fill: (bin: Bin) => (isOutside(bin) ? 'var(--mark)' : 'var(--self)'),
      insetRight: 0.2,
    }),
  ];
}

function rowMarks(rows: readonly RangeRow[], [from, to]: readonly [number, number]): Plot.Markish[] {
  return rows.flatMap(({ label, min, max, kind }, i) => {
    const y = 1 + ((rows.length - i - 1) * ROW + 5) / BARS;
    const stroke = ROW_COLOUR[kind];
    const [left, right] = [Math.max(min, from), Math.min(max, to)];
    const ends = [min, max].filter((end) => end >= from && end <= to);
    const isSeen = right >= left;
    return [
      ...(isSeen
        ? [
            Plot.link([0], {
              x1: left,
              x2: right,
              y1: y,
              y2: y,
              stroke,
              strokeWidth: kind === 'other' ? 2 : 4,
              ...(kind === 'other' ? { strokeDasharray: '7 3' } : {}),
            }),
          ]
        : []),
      Plot.ruleX(ends, {
        y1: kind === 'bulk' ? y - 0.03 : 0,
        y2: y + 0.03,
        stroke,
        strokeWidth: kind === 'own' ? 1.5 : 1,
        ...(kind === 'other' ? { strokeDasharray: '3 3' } : {}),
      }),
      Plot.text([isSeen ? label : `${label}, not in this part`], {
        x: Math.min(left, to),
        y,
        frameAnchor: 'left',
        textAnchor: left > from + 0.5 * (to - from) ? 'end' : 'start',
        dx: 3,
        dy: -9,
        fill: stroke,
        stroke: 'var(--surface)',
        strokeWidth: 4,
      }),
    ];
  });
}

function gridMarks(
  grid: Grid | undefined,
  domain: readonly [number, number],
  width: number,
  bottom: number,
): Plot.Markish[] {
  if (grid === undefined) return [];
  const { values } = gridTicks(grid, domain, histogramWidth(width));
  return [Plot.ruleX(values, { y1: bottom, y2: 0, stroke: 'var(--text)', strokeWidth: 1 })];
}

function tip(
  bins: readonly Bin[],
  [from, to]: readonly [number, number],
  height: (n: number) => number,
): Plot.Markish {
  const all = bins.reduce((sum, bin) => sum + bin.count, 0);
  return Plot.tip(
    bins.filter((bin) => bin.from >= from && bin.to <= to),
    Plot.pointerX({
      x: (bin: Bin) => (bin.from + bin.to) / 2,
      y: (bin: Bin) => height(bin.count),
      title: (bin: Bin) =>
        `${short(bin.from)} to ${short(bin.to)}\n${count(bin.count)} values, ${percent(bin.count / (all || 1))}`,
      fill: 'var(--surface)',
      stroke: 'var(--quiet)',
      maxRadius: 100,
    }),
  );
}
