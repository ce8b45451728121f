/** Box plots of a weight's channels, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { percentileOf } from '../quant/quantile.js';
import { OUTLIER_FENCE_IQRS, type ChannelStats } from '../quant/weights.js';
import { FEW_LEVELS, levelsUnderOneScale } from '../quant/weight-spread.js';
import { boxPlot, plotAxis } from './box-plot.js';
import { columns, columnsWithin, type Column, type Row } from './columns.js';
import { count, number, wrapped } from './format.js';
import type { ReportedWeight } from './report.js';
import { INDENT, type TableOptions } from './terminal-layers.js';

const NARROWEST_PLOT = 20;

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

export interface Channel {
  readonly index: number;
  /** Undefined when it has no finite value. */
  readonly stats: ChannelStats | undefined;
}

export function channelsOf({ channels }: ReportedWeight): Channel[] {
  return channels.map((stats, index) => ({ index, stats: isWhole(stats) ? stats : undefined }));
}

function isWhole(stats: Partial<ChannelStats>): stats is ChannelStats {
  return stats.absmax !== undefined;
}

export function widestOf(channels: readonly Channel[]): number {
  return channels.reduce((widest, { stats }) => Math.max(widest, stats?.absmax ?? 0), 0);
}

/** Whether one scale for the whole weight leaves the channel few levels. */
export function isPoor(stats: ChannelStats | undefined, widest: number): boolean {
  return stats !== undefined && stats.absmax > 0 && levelsUnderOneScale(stats.absmax, widest) < FEW_LEVELS;
}

/** A box plot of each channel on one scale, of many channels the most extreme ones. */
export function channelPlots(
  weight: ReportedWeight,
  style: ChalkInstance,
  { width, top }: TableOptions,
  of = '',
): string[] {
  const channels = channelsOf(weight);
  const { outlierChannels } = weight;
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
      ? `CHANNELS${of}  ${count(channels.length)}`
      : `CHANNELS${of}  ${count(shown.length)} of ${count(channels.length)}: those whose largest |w| is furthest from the median (--top N); ${count(omitted)} left out`;
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
