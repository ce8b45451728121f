/** One weight looked at closely: a box plot of every channel. */
import type { ChalkInstance } from 'chalk';
import { percentileOf } from '../quant/quantile.js';
import { OUTLIER_FENCE_IQRS, type ChannelStats } from '../quant/weights.js';
import { FEW_LEVELS, levelsUnderOneScale } from '../quant/weight-spread.js';
import { boxPlot, plotAxis } from './box-plot.js';
import { columns, columnsWithin, type Column, type Row } from './columns.js';
import { count, listed, number, plural, printable, shortened, wrapped } from './format.js';
import type { InspectedModel, InspectedNode } from './inspect-report.js';
import type { ReportedWeight } from './report.js';
import type { TerminalOptions } from './terminal.js';

const INDENT = '  ';
const DEFAULT_TOP = 40;
const NARROWEST_PLOT = 20;
const CHANNELS_LISTED = 12;

const FACT_COLUMNS: readonly Column[] = [
  { title: `${INDENT}channel`, align: 'right' },
  { title: '' },
  { title: 'min', align: 'right' },
  { title: 'q1', align: 'right', expendable: 1 },
  { title: 'median', align: 'right', expendable: 3 },
  { title: 'q3', align: 'right', expendable: 2 },
  { title: 'max', align: 'right' },
  { title: 'levels', align: 'right' },
];

const LEGEND =
  `Plots share one scale: ├ min, ▒ first to third quartile, ┃ median, ┤ max, ┊ zero. !: outlier channel, its largest |w| is ` +
  `beyond Q3 + ${OUTLIER_FENCE_IQRS} IQR of all channels' largest |w| (Tukey). levels: of 256, that the channel keeps when one scale serves all.`;

interface Channel {
  readonly index: number;
  /** Undefined when it has no finite value. */
  readonly stats: ChannelStats | undefined;
}

export function nodeSections(
  model: InspectedModel,
  node: InspectedNode,
  weight: ReportedWeight,
  style: ChalkInstance,
  { width, top = DEFAULT_TOP, quiet }: TerminalOptions,
): string[][] {
  const channels = weight.channels.map((stats, index): Channel => ({
    index,
    stats: isWhole(stats) ? stats : undefined,
  }));
  return [
    [`MODEL  ${printable(model.path)}`, ...summary(node, weight, channels, style, width)],
    ...(quiet ? [] : [plots(channels, weight, style, width, top)]),
  ];
}

function isWhole(stats: Partial<ChannelStats>): stats is ChannelStats {
  return stats.absmax !== undefined;
}

function summary(
  { node, op, depthwise, weight: tensor, dtype, shape, nonFinite, nonFiniteChannels }: InspectedNode,
  weight: ReportedWeight,
  channels: readonly Channel[],
  style: ChalkInstance,
  width: number,
): string[] {
  const { outlierChannels, fence, perTensorSqnrDb, perAxisSqnrDb } = weight;
  const widest = widestOf(channels);
  const few = channels.filter(({ stats }) => isPoor(stats, widest)).map(({ index }) => index);
  const facts = [
    `${op}${depthwise ? ' (depthwise)' : ''}, weight ${shortened(tensor, 80)} ${dtype} ${shape.join('x')}, ` +
      `${plural(channels.length, 'channel')} along axis ${weight.axis}`,
    widest === 0
      ? 'int8 loses nothing: all values are 0'
      : `int8 SQNR: ${sqnrText(perTensorSqnrDb)} with one scale per tensor, ${sqnrText(perAxisSqnrDb)} with one per channel`,
    `${plural(outlierChannels.length, 'outlier channel')}${places(outlierChannels)}: largest |w| beyond ${number(fence)}`,
    `${plural(few.length, 'channel')}${places(few)} with fewer than ${FEW_LEVELS} of 256 levels under one scale`,
  ];
  const missing = `${plural(nonFinite, 'value')} NaN or infinite, left out, in ${plural(nonFiniteChannels.length, 'channel')}${places(nonFiniteChannels)}`;
  const indented = (text: string): string[] => wrapped(text, width - 7).map((line) => `       ${line}`);
  return [
    `NODE   ${style.bold(shortened(node, 160))}`,
    ...facts.flatMap(indented),
    ...(nonFinite === 0 ? [] : indented(missing).map((line) => style.red(line))),
  ];
}

function places(channels: readonly number[]): string {
  return channels.length === 0 ? '' : ` (${listed(channels, CHANNELS_LISTED)})`;
}

/** Where there is no number although there are values, no value changes. */
function sqnrText(db: number | undefined): string {
  return db === undefined ? 'exact' : `${db.toFixed(1)} dB`;
}

function widestOf(channels: readonly Channel[]): number {
  return channels.reduce((widest, { stats }) => Math.max(widest, stats?.absmax ?? 0), 0);
}

function isPoor(stats: ChannelStats | undefined, widest: number): boolean {
  return stats !== undefined && stats.absmax > 0 && levelsUnderOneScale(stats.absmax, widest) < FEW_LEVELS;
}

function plots(
  channels: readonly Channel[],
  { outlierChannels }: ReportedWeight,
  style: ChalkInstance,
  width: number,
  top: number,
): string[] {
  const finite = channels.flatMap(({ stats }) => (stats === undefined ? [] : [stats]));
  const scale = {
    min: finite.reduce((low, { min }) => Math.min(low, min), 0),
    max: finite.reduce((high, { max }) => Math.max(high, max), 0),
  };
  const outliers = new Set(outlierChannels);
  const widest = widestOf(channels);
  const shown = mostExtreme(channels, top);
  const facts = shown.map((channel) => factsOf(channel, outliers.has(channel.index), widest, style));
  const fitting = columnsWithin(FACT_COLUMNS, facts, width - NARROWEST_PLOT - 2);
  const room = Math.max(NARROWEST_PLOT, width - fitting.width - 2);
  const layout = [
    ...fitting.shown.flatMap((i) => FACT_COLUMNS[i] ?? []),
    { title: plotAxis(scale, room, number) },
  ];
  const rows = shown.map(({ index, stats }, row): Row => {
    const text = stats === undefined ? 'no finite value' : boxPlot(stats, scale, room);
    const plot = outliers.has(index) ? { text, paint: style.red } : text;
    return [...fitting.shown.map((i) => facts[row]?.[i] ?? ''), plot];
  });
  const omitted = channels.length - shown.length;
  const title =
    omitted === 0
      ? `CHANNELS  ${count(channels.length)}`
      : `CHANNELS  ${count(shown.length)} of ${count(channels.length)}: those whose largest |w| is furthest from the median (--top N); ${count(omitted)} left out`;
  return [
    ...wrapped(title, width),
    ...columns(layout, rows, width),
    ...wrapped(LEGEND, width - INDENT.length).map((line) => INDENT + line),
  ];
}

function factsOf({ index, stats }: Channel, isOutlier: boolean, widest: number, style: ChalkInstance): Row {
  if (stats === undefined) return [INDENT + String(index), '', '', '', '', '', '', ''];
  const levels = levelsUnderOneScale(stats.absmax, widest).toFixed(1);
  return [
    INDENT + String(index),
    isOutlier ? { text: '!', paint: style.red } : '',
    number(stats.min),
    number(stats.q1),
    number(stats.median),
    number(stats.q3),
    number(stats.max),
    isPoor(stats, widest) ? { text: levels, paint: style.yellow } : levels,
  ];
}

/**
 * At most `most` channels, in order: those whose magnitude is furthest from the median by factor, since a wide one takes
 * the scale and a narrow one pays for it. First those without a finite value, last those of zeros.
 */
function mostExtreme(channels: readonly Channel[], most: number): Channel[] {
  const sizes = Float64Array.from(
    channels.flatMap(({ stats }) => (stats === undefined || stats.absmax === 0 ? [] : [stats.absmax])),
  ).sort();
  const median = sizes.length === 0 ? 1 : percentileOf(sizes, 50);
  const distance = ({ stats }: Channel): number => {
    if (stats === undefined) return Infinity;
    return stats.absmax === 0 ? -1 : Math.abs(Math.log(stats.absmax / median));
  };
  return [...channels]
    .sort((a, b) => distance(b) - distance(a))
    .slice(0, most)
    .sort((a, b) => a.index - b.index);
}
