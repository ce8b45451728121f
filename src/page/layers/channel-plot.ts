/** Drawings of a number per channel. */
import * as Plot from '@observablehq/plot';
import type { ReportedChannel } from '../../report/report.js';
import { decibels, short } from '../frame/numbers.js';
import { BOTTOM, channelAxis, FRAME, nameMarks, tip, TOP, yAxis } from './channel-axis.js';
import { SERIES, type Series } from './layer.js';
import { SERIES_FORM } from './series-form.js';
import { decibelScale, heightOf } from './sqnr-points.js';

const CHANNEL_DB: Readonly<Record<Series, (channel: ReportedChannel) => number | undefined>> = {
  self: ({ selfSqnrDb }) => selfSqnrDb,
  local: ({ localSqnrDb }) => localSqnrDb,
  cumulative: ({ cumulativeSqnrDb }) => cumulativeSqnrDb,
};

export function channelDb(channel: ReportedChannel, series: Series): number | undefined {
  const db = CHANNEL_DB[series](channel);
  return Number.isFinite(db) ? db : undefined;
}

/** A dot per channel and series; `numbers` are of the channels in the tensor, `worst` are positions to name. */
export function drawChannelSqnr(
  channels: readonly ReportedChannel[],
  numbers: readonly number[],
  shown: readonly Series[],
  worst: readonly number[],
  width: number,
): SVGSVGElement | HTMLElement {
  const axis = channelAxis(numbers, width);
  const scale = decibelScale(
    channels.flatMap((channel) =>
      SERIES.map((series) => {
        const sqnrDb = channelDb(channel, series);
        return sqnrDb === undefined ? {} : { sqnrDb };
      }),
    ),
  );
  const r = axis.each >= 10 ? 3.5 : axis.each >= 4 ? 2.5 : 1.5;
  return Plot.plot({
    ...FRAME,
    width,
    x: axis.x,
    y: { domain: [scale.low, scale.lane?.y ?? scale.high], label: null },
    marks: [
      ...yAxis('SQNR, dB'),
      ...axis.marks,
      Plot.ruleY([0], { stroke: 'var(--quiet)' }),
      Plot.ruleX(worst, { stroke: 'var(--mark)', strokeDasharray: '2 3' }),
      ...SERIES.filter((series) => shown.includes(series)).map((series) => {
        const { symbol, colour } = SERIES_FORM[series];
        const points = channels.flatMap((channel, x) => {
          const sqnrDb = channelDb(channel, series);
          const y = sqnrDb === undefined ? undefined : heightOf({ sqnrDb }, scale);
          return y === undefined ? [] : [{ x, y }];
        });
        return Plot.dot(points, {
          x: 'x',
          y: 'y',
          symbol,
          r,
          stroke: colour,
          fill: symbol === 'circle' ? 'var(--surface)' : colour,
        });
      }),
      ...nameMarks(worst, axis),
      tip(
        channels.map((channel, x) => ({
          x,
          y: Math.min(scale.high, ...shown.flatMap((series) => channelDb(channel, series) ?? [])),
          title: [
            `channel ${numbers[x] ?? x}, ${short(channel.min)} to ${short(channel.max)}`,
            ...SERIES.flatMap((series) => {
              const sqnrDb = channelDb(channel, series);
              return sqnrDb === undefined ? [] : [`${series}: ${decibels({ sqnrDb })}`];
            }),
          ].join('\n'),
        })),
      ),
    ],
  });
}

/** A mark per channel, on an axis of powers of ten where they differ much. */
export function drawScales(scales: readonly number[], width: number): SVGSVGElement | HTMLElement {
  const axis = channelAxis([...scales.keys()], width);
  const [low, high] = [Math.min(...scales), Math.max(...scales)];
  const isLog = low > 0 && high / low > 20;
  return Plot.plot({
    ...FRAME,
    height: TOP + 90 + BOTTOM,
    width,
    x: axis.x,
    y: isLog ? { type: 'log', label: null } : { domain: [Math.min(0, low), high || 1], label: null },
    marks: [
      ...yAxis('scale', isLog ? logTicks(low, high) : 4),
      ...axis.marks,
      Plot.dot(scales, {
        x: (_: number, x: number) => x,
        y: (scale: number) => scale,
        r: axis.each >= 5 ? 2.5 : 1.5,
        fill: 'var(--self)',
      }),
      tip(scales.map((scale, x) => ({ x, y: scale, title: `channel ${x}\nscale ${short(scale)}` }))),
    ],
  });
}

/** 1, 2, 5, 10, ... between the two; powers of ten where that is too many. */
function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const units = last - first > 2 ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((power) => units.map((unit) => Number(`${unit}e${power}`)))
    .filter((tick) => tick >= low && tick <= high);
}
