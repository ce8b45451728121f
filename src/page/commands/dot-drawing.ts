/** Draws values by name: a row for each name, or a column without its name where there are many. */
import * as Plot from '@observablehq/plot';
import { shortName, visible } from '../frame/layer-name.js';
import { isInRows, type DotRow, type DotSeries, type DotSpec, type DotValue, type Form } from './dot-spec.js';
import { textWidth, wholeText } from './text-width.js';

/** Below this width a label stands above its row, not beside it. CSS pixels. */
const NARROW = 560;
const MOST_LABEL = 330;
const ROW = 20;
/** Of a second line of a label. */
const LINE = 11;
/** Between values of one row. */
const APART = 9;
const LABEL_LINE = 16;
const MOST_INTERVALS = 150;
const COLUMNS_HEIGHT = 300;
/** A taller drawing has its axis at both ends. */
const TALL = 420;

export const STYLE = {
  fontSize: '12px',
  fontFamily: 'inherit',
  color: 'var(--text)',
  background: 'none',
  overflow: 'visible',
} as const;

export const TIP = { fill: 'var(--surface)', stroke: 'var(--quiet)', fontSize: 12 } as const;

const SYMBOLS = {
  circle: 'circle',
  triangle: 'triangle',
  square: 'square',
  cross: 'times',
} as const satisfies Readonly<Record<Exclude<Form, 'bar'>, string>>;

const DASHES = { solid: undefined, dashed: '6 4', dotted: '2 3' } as const;

/** A value with its row, as marks take it. */
interface Point extends DotValue {
  readonly key: string;
  readonly at: number;
  readonly title: string;
}

/** Directions of a drawing: where names are, where values are, and what runs along either. */
interface Sides {
  readonly name: 'x' | 'y';
  readonly value: 'x' | 'y';
  readonly along: typeof Plot.ruleX;
  readonly across: typeof Plot.ruleX;
  readonly shift: 'dx' | 'dy';
}

const ROWS: Sides = { name: 'y', value: 'x', along: Plot.ruleY, across: Plot.ruleX, shift: 'dy' };
const COLUMNS: Sides = { name: 'x', value: 'y', along: Plot.ruleX, across: Plot.ruleY, shift: 'dx' };

export type Drawn = (SVGSVGElement | HTMLElement) & Plot.Plot;

export function drawDots(spec: DotSpec, width: number): Drawn {
  return isInRows(spec) ? drawRows(spec, width) : drawColumns(spec, width);
}

function drawRows(spec: DotSpec, width: number): Drawn {
  const { rows, series, axis } = spec;
  const isNarrow = width < NARROW;
  const widths = rows.map(({ label, isHeading }) => (isHeading === true ? 0 : textWidth(label)));
  const longest = widths.reduce((a, b) => Math.max(a, b), 0);
  const marginLeft = isNarrow ? 12 : Math.min(longest, MOST_LABEL, width * 0.4) + 16;
  const room = (isNarrow ? width : marginLeft) - 16;
  const isWrapped = rows.some(({ label }, at) => (widths[at] ?? 0) > room && label.includes(' '));
  const rowHeight =
    Math.max(
      ROW + (spec.isTogether === true ? 0 : APART * (series.length - 1)),
      isWrapped && !isNarrow ? ROW + LINE : 0,
    ) + (isNarrow ? LABEL_LINE : 0);
  const down = isNarrow ? LABEL_LINE / 2 : 0;
  const height = rows.length * rowHeight + 50;
  const isTall = height > TALL;
  const tickCount = Math.min(
    Math.max(2, Math.floor((width - marginLeft) / 70)),
    spec.isCount === true ? Math.max(1, largestOf(rows)) : Infinity,
  );
  const ticks = {
    color: 'var(--quiet)',
    ticks: tickCount,
    ...(spec.isCount === true ? { tickFormat: wholeText } : {}),
  };
  return Plot.plot({
    width,
    height: height + (isTall ? 20 : 0),
    marginLeft,
    marginRight: 28,
    marginTop: isTall ? 32 : 12,
    marginBottom: 38,
    style: STYLE,
    x: { label: axis, labelAnchor: 'right', nice: true, ...(spec.hasZero === true ? { zero: true } : {}) },
    y: { type: 'band', domain: rows.map(({ key }) => key), axis: null, padding: 0.1 },
    marks: [
      Plot.gridX({ stroke: 'var(--line)', strokeOpacity: 1, ticks: tickCount }),
      Plot.axisX({ anchor: 'bottom', ...ticks }),
      ...(isTall ? [Plot.axisX({ anchor: 'top', label: null, ...ticks })] : []),
      headings(rows, marginLeft),
      ...values(spec, ROWS, down),
      labels(
        rows.filter(({ isHeading }) => isHeading !== true),
        room,
        isNarrow
          ? { dx: 0, dy: down - rowHeight / 2 + 2, anchor: 'start' }
          : { dx: -10, dy: 0, anchor: 'end' },
      ),
      Plot.tip(
        points(rows),
        Plot.pointer({ x: 'value', y: 'key', title: 'title', dy: down, ...TIP, maxRadius: 60 }),
      ),
    ],
  });
}

function largestOf(rows: readonly DotRow[]): number {
  return rows.flatMap(({ values }) => values).reduce((most, { value = 0 }) => Math.max(most, value), 0);
}

function labels(
  rows: readonly DotRow[],
  room: number,
  { dx, dy, anchor }: { readonly dx: number; readonly dy: number; readonly anchor: 'start' | 'end' },
): Plot.Markish {
  const common = {
    y: 'key',
    frameAnchor: 'left',
    textAnchor: anchor,
    dx,
    dy,
    fill: 'var(--text)',
    // Lines may run behind a label that stands above its row.
    ...(anchor === 'start' ? { stroke: 'var(--surface)', strokeWidth: 4 } : {}),
  } as const;
  const text = ({ label }: DotRow): string => labelText(label, room, anchor === 'end');
  return [
    Plot.text(
      rows.filter(({ isStrong }) => isStrong !== true),
      { ...common, text },
    ),
    Plot.text(
      rows.filter(({ isStrong }) => isStrong === true),
      { ...common, text, fontWeight: 700 },
    ),
  ];
}

/** Names are cut in the middle, where they are alike; prose goes on in a second line. @param room CSS pixels */
function labelText(label: string, room: number, isWrapped: boolean): string {
  const words = visible(label).split(' ');
  if (!isWrapped || textWidth(label) <= room || words.length < 2) return cut(label, room);
  let first = '';
  while (words[0] !== undefined && textWidth(`${first} ${words[0]}`) <= room)
    first = `${first} ${words.shift() ?? ''}`.trim();
  const rest = words.join(' ');
  return first === '' ? cut(label, room) : `${first}\n${cut(rest, room)}`;
}

function cut(text: string, room: number): string {
  const shown = visible(text);
  const width = textWidth(shown);
  return shortName(
    text,
    width <= room ? shown.length : Math.max(8, Math.floor((shown.length * room) / width) - 1),
  );
}

function headings(rows: readonly DotRow[], marginLeft: number): Plot.Markish {
  return Plot.text(
    rows.filter(({ isHeading }) => isHeading === true),
    {
      y: 'key',
      frameAnchor: 'left',
      textAnchor: 'start',
      dx: -marginLeft + 2,
      dy: 3,
      text: ({ label }: DotRow) => visible(label),
      fontWeight: 600,
      fill: 'var(--quiet)',
    },
  );
}

function drawColumns(spec: DotSpec, width: number): Drawn {
  const { rows, axis, order } = spec;
  return Plot.plot({
    width,
    height: COLUMNS_HEIGHT,
    marginLeft: 52,
    marginRight: 26,
    marginTop: 26,
    marginBottom: 38,
    style: STYLE,
    x: { domain: [-1, rows.length], label: order },
    y: { label: axis, nice: true, ...(spec.hasZero === true ? { zero: true } : {}) },
    marks: [
      Plot.gridY({ stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.axisX({ color: 'var(--quiet)', ticks: Math.max(2, Math.floor(width / 120)), tickFormat: 'd' }),
      Plot.axisY({ color: 'var(--quiet)' }),
      Plot.ruleX(
        rows.flatMap(({ isStrong }, at) => (isStrong === true ? [at] : [])),
        { stroke: 'var(--focus)', strokeWidth: 1.5 },
      ),
      ...values(spec, COLUMNS, 0),
      Plot.tip(points(rows), Plot.pointerX({ x: 'at', y: 'value', title: 'title', ...TIP })),
    ],
  });
}

/** What has a value, for what the pointer is near to. */
function points(rows: readonly DotRow[]): Point[] {
  return rows.flatMap((row, at) => {
    const all = row.values.map(({ text }) => text).join('\n');
    const title = `${visible(row.label).slice(0, 200)}\n${all}`;
    return row.values.map((value) => ({ ...value, key: row.key, at, title }));
  });
}

function values({ rows, series, levels, isTogether }: DotSpec, sides: Sides, down: number): Plot.Markish[] {
  const apart = sides === ROWS && isTogether !== true ? APART : 0;
  const all = points(rows);
  return [
    ...levels.map(({ value, form }) =>
      sides.across([value], {
        stroke: form === 'solid' ? 'var(--good)' : form === 'dashed' ? 'var(--mark)' : 'var(--quiet)',
        strokeWidth: 1.5,
        ...(DASHES[form] === undefined ? {} : { strokeDasharray: DASHES[form] }),
      }),
    ),
    ...series.flatMap((one, i) => {
      const shift = (i - (series.length - 1) / 2) * apart + down;
      return seriesMarks(
        one,
        all.filter(({ series: key }) => key === one.key),
        sides,
        shift,
      );
    }),
  ];
}

function seriesMarks(
  { form, color }: DotSeries,
  all: readonly Point[],
  sides: Sides,
  shift: number,
): Plot.Markish[] {
  const { name, value, along } = sides;
  const place = { [name]: sides === ROWS ? 'key' : 'at', [sides.shift]: shift };
  const known = all.filter((point) => point.value !== undefined);
  const stems = known.filter(({ from }) => from !== undefined);
  // Side by side, so many of them would be a wall.
  const unsure = known.length > MOST_INTERVALS ? [] : known.filter(({ interval }) => interval !== undefined);
  const missing = all.filter(({ instead }) => instead !== undefined);
  return [
    form === 'bar'
      ? along(known, { ...place, [`${value}1`]: 0, [`${value}2`]: 'value', stroke: color, strokeWidth: 9 })
      : along(stems, {
          ...place,
          [`${value}1`]: 'from',
          [`${value}2`]: 'value',
          stroke: color,
          strokeWidth: 2.5,
        }),
    along(unsure, {
      ...place,
      [`${value}1`]: ({ interval }: Point) => interval?.[0],
      [`${value}2`]: ({ interval }: Point) => interval?.[1],
      stroke: form === 'bar' ? 'var(--text)' : color,
      strokeWidth: 1.2,
      strokeOpacity: 0.85,
    }),
    ...(form === 'bar'
      ? []
      : [
          Plot.dot(known, {
            ...place,
            [value]: 'value',
            symbol: SYMBOLS[form],
            r: sides === ROWS ? 4.5 : known.length > 300 ? 2 : 3.5,
            ...(form === 'cross' ? { stroke: color, strokeWidth: 1.8 } : { fill: color }),
          }),
        ]),
    ...(sides === ROWS
      ? [
          Plot.text(missing, {
            y: 'key',
            dy: shift,
            frameAnchor: 'right',
            textAnchor: 'end',
            text: 'instead',
            fill: color,
          }),
        ]
      : [Plot.dot(missing, { x: 'at', frameAnchor: 'top', symbol: 'triangle', stroke: color, r: 3 })]),
  ];
}
