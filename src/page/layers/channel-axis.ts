/** What drawings with the channels of a tensor along the x axis have in common. */
import * as Plot from '@observablehq/plot';
import { short } from '../frame/numbers.js';

const LEFT = 56;
const RIGHT = 14;
/** Room for names of channels that stand apart. */
export const TOP = 18;
const HEIGHT = 170;
export const BOTTOM = 38;
/** Pixels between the middles of two names. */
const NAME = 23;

export const FRAME = {
  marginLeft: LEFT,
  marginRight: RIGHT,
  marginTop: TOP,
  marginBottom: BOTTOM,
  height: TOP + HEIGHT + BOTTOM,
  style: { fontSize: '11px', background: 'transparent', overflow: 'visible' },
} as const;

export interface ChannelAxis {
  /** Channel at each position. */
  readonly channels: readonly number[];
  readonly each: number;
  readonly marks: readonly Plot.Markish[];
  readonly x: Plot.ScaleOptions;
}

export function channelAxis(channels: readonly number[], width: number): ChannelAxis {
  const inner = Math.max(1, width - LEFT - RIGHT);
  const each = inner / Math.max(1, channels.length);
  const stride = roundStride(NAME / each);
  const ticks = [...channels.keys()].filter((position) => position % stride === 0);
  return {
    channels,
    each,
    x: { domain: [-0.5, channels.length - 0.5], label: null },
    marks: [
      Plot.axisX(ticks, {
        clip: false,
        tickSize: 3,
        tickFormat: (position: number) => String(channels[position] ?? ''),
        label: 'channel',
        labelAnchor: 'center',
        labelArrow: 'none',
        color: 'var(--quiet)',
      }),
    ],
  };
}

/** 1, 2, 5, 10, ...: the first that is no less. */
function roundStride(least: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(least, 1))));
  return [1, 2, 5, 10].map((unit) => unit * power).find((stride) => stride >= least) ?? 10 * power;
}

/** Positions, first come first served, that are far enough apart to be named. */
function spreadOut(positions: readonly number[], each: number): number[] {
  const kept: number[] = [];
  for (const position of positions) {
    if (kept.every((other) => Math.abs(other - position) * each >= NAME)) kept.push(position);
  }
  return kept;
}

/** @param ticks about as many as five when not given */
export function yAxis(label: string, ticks: number | readonly number[] = 5): Plot.Markish[] {
  const at = typeof ticks === 'number' ? ticks : [...ticks];
  return [
    Plot.gridY({ stroke: 'var(--line)', strokeOpacity: 1, ticks: at }),
    Plot.axisY({
      ticks: at,
      clip: false,
      tickSize: 0,
      color: 'var(--quiet)',
      label: null,
      tickFormat: short,
    }),
    Plot.text([label], {
      clip: false,
      frameAnchor: 'left',
      rotate: -90,
      dx: -46,
      textAnchor: 'middle',
      fill: 'var(--quiet)',
    }),
  ];
}

export function nameMarks(positions: readonly number[], { channels, each }: ChannelAxis): Plot.Markish[] {
  return [
    Plot.text(spreadOut(positions, each), {
      clip: false,
      x: (position: number) => position,
      text: (position: number) => `#${channels[position] ?? ''}`,
      frameAnchor: 'top',
      dy: -9,
      fill: 'var(--mark)',
      fontWeight: 'bold',
    }),
  ];
}

export function tip<Row extends { readonly x: number; readonly y: number; readonly title: string }>(
  rows: readonly Row[],
): Plot.Markish {
  return Plot.tip(
    rows,
    Plot.pointerX({
      x: 'x',
      y: 'y',
      title: 'title',
      fill: 'var(--surface)',
      stroke: 'var(--quiet)',
      maxRadius: 100,
      clip: false,
    }),
  );
}
