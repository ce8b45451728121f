/** The drawing of the spread of weights, channel beside channel. */
import * as Plot from '@observablehq/plot';
import type { PageChannel } from '../../report/html/page-document.js';
import { short } from '../frame/numbers.js';
import { channelAxis, FRAME, nameMarks, tip, yAxis } from './channel-axis.js';

/** Pixels that a box needs to be one. */
const BOX = 4;

export interface BoxDrawing {
  readonly channels: readonly PageChannel[];
  /** Numbers of channels. */
  readonly outliers: readonly number[];
  readonly dead: readonly number[];
  readonly fence: number;
  /** Of one scale for all. */
  readonly step?: number;
  /** The y axis holds the others only; outliers leave it. */
  readonly withoutOutliers: boolean;
}

type Box = Required<Omit<PageChannel, 'absmax' | 'perTensorLevels'>> & {
  readonly position: number;
  readonly isOutlier: boolean;
};

/** Whiskers from the smallest to the largest value, a box for the middle half, the median in it. */
export function drawBoxes(
  { channels, outliers, dead, fence, step, withoutOutliers }: BoxDrawing,
  width: number,
): SVGSVGElement | HTMLElement {
  const axis = channelAxis(
    channels.map(({ channel }) => channel),
    width,
  );
  const boxes = channels.flatMap(({ channel, min, q1, median, q3, max }, position): Box[] =>
    min === undefined || q1 === undefined || median === undefined || q3 === undefined || max === undefined
      ? []
      : [{ channel, min, q1, median, q3, max, position, isOutlier: outliers.includes(channel) }],
  );
  const inside = withoutOutliers ? boxes.filter(({ isOutlier }) => !isOutlier) : boxes;
  const low = inside.reduce((least, { min }) => Math.min(least, min), 0);
  const high = inside.reduce((most, { max }) => Math.max(most, max), 0);
  const reach = Math.max(-low, high);
  const colour = ({ isOutlier }: Box): string => (isOutlier ? 'var(--mark)' : 'var(--self)');
  const isWide = axis.each >= BOX;
  const half = isWide ? 0.36 : 0.5;
  const fences =
    fence > 0 && fence < reach ? [-fence, fence].filter((edge) => edge >= low && edge <= high) : [];
  return Plot.plot({
    ...FRAME,
    width,
    x: axis.x,
    y: { domain: high > low ? [low, high] : [-1, 1], nice: true, label: null },
    clip: withoutOutliers,
    marks: [
      ...(step === undefined || step / 2 > reach
        ? []
        : [
            Plot.rect([step / 2], {
              x1: -0.5,
              x2: channels.length - 0.5,
              y1: (edge: number) => -edge,
              y2: (edge: number) => edge,
              fill: 'var(--local)',
              fillOpacity: 0.3,
            }),
          ]),
      ...yAxis('weight'),
      ...axis.marks,
      Plot.ruleY([0], { stroke: 'var(--quiet)' }),
      Plot.ruleY(fences, { stroke: 'var(--mark)', strokeDasharray: '5 4' }),
      ...[false, true].map((isOutlier) =>
        Plot.ruleX(
          boxes.filter((box) => box.isOutlier === isOutlier),
          {
            x: 'position',
            y1: 'min',
            y2: 'max',
            stroke: colour,
            strokeWidth: isWide ? 1.2 : Math.max(0.6, axis.each * 0.8),
            strokeOpacity: isWide || isOutlier ? 1 : 0.45,
          },
        ),
      ),
      Plot.rect(boxes, {
        x1: ({ position }: Box) => position - half,
        x2: ({ position }: Box) => position + half,
        y1: 'q1',
        y2: 'q3',
        fill: isWide ? 'var(--surface)' : colour,
        stroke: isWide ? colour : 'none',
        strokeWidth: 1.2,
      }),
      ...(isWide
        ? [
            Plot.link(boxes, {
              x1: ({ position }: Box) => position - half,
              x2: ({ position }: Box) => position + half,
              y1: 'median',
              y2: 'median',
              stroke: colour,
              strokeWidth: 2,
            }),
          ]
        : []),
      Plot.dot(
        boxes.filter(({ channel }) => dead.includes(channel)),
        {
          x: 'position',
          frameAnchor: 'bottom',
          dy: -6,
          symbol: 'times',
          r: 4,
          stroke: 'var(--mark)',
          strokeWidth: 2,
        },
      ),
      ...nameMarks(
        boxes
          .filter(({ isOutlier }) => isOutlier)
          .sort((a, b) => Math.max(b.max, -b.min) - Math.max(a.max, -a.min))
          .map(({ position }) => position),
        axis,
      ),
      tip(
        boxes.map(({ channel, position, min, q1, median, q3, max }) => ({
          x: position,
          y: Math.min(max, high),
          title: [
            `channel ${channel}${dead.includes(channel) ? ', rounded to 0' : ''}`,
            `min ${short(min)}, max ${short(max)}`,
            `quartiles ${short(q1)}, ${short(median)}, ${short(q3)}`,
          ].join('\n'),
        })),
      ),
    ],
  });
}
