/** What stands out in the drawing of SQNR over all layers: thresholds, falls, places of findings. */
import * as Plot from '@observablehq/plot';
import type { Severity } from '../../doctor/finding.js';
import type { ReportedJump } from '../../report/report.js';
import type { Layer, Series } from './layer.js';
import { heightOf, type DecibelScale } from './sqnr-points.js';

export interface Threshold {
  readonly db: number;
  readonly label: string;
}

export interface SqnrDrawing {
  readonly layers: readonly Layer[];
  readonly shown: readonly Series[];
  /** Largest first; marked by their numbers from 1. */
  readonly jumps: readonly ReportedJump[];
  readonly severities: ReadonlyMap<string, Severity>;
  readonly thresholds: readonly Threshold[];
  /** Name of the selected activation. */
  readonly selected: string | undefined;
  readonly onSelect: (tensor: string) => void;
}

/** Pixels for each finding, below which they are drawn smaller. */
const CROWDED = 14;

const SEVERITY_FORM: Readonly<
  Record<
    Severity,
    { readonly symbol: 'diamond2' | 'triangle2' | 'circle'; readonly colour: string; readonly r: number }
  >
> = {
  error: { symbol: 'diamond2', colour: 'var(--error)', r: 5 },
  warning: { symbol: 'triangle2', colour: 'var(--warning)', r: 4.5 },
  note: { symbol: 'circle', colour: 'var(--note)', r: 2.5 },
};

export function thresholdLines(
  thresholds: readonly Threshold[],
  { low, high }: DecibelScale,
): Plot.Markish[] {
  return [
    Plot.ruleY(
      thresholds.filter(({ db }) => db >= low && db <= high),
      { y: 'db', stroke: 'var(--warning)', strokeDasharray: '8 4', strokeWidth: 1.5 },
    ),
  ];
}

/** Over the lines of the series. */
export function thresholdLabels(
  thresholds: readonly Threshold[],
  { low, high }: DecibelScale,
): Plot.Markish[] {
  return [
    Plot.text(
      thresholds.filter(({ db }) => db >= low && db <= high),
      {
        y: 'db',
        text: 'label',
        frameAnchor: 'right',
        textAnchor: 'end',
        dy: -7,
        dx: -4,
        fill: 'var(--warning)',
        stroke: 'var(--surface)',
        strokeWidth: 4,
      },
    ),
  ];
}

/** Pixels of a number and of the decibels beside it. */
const LABEL = 85;

interface PlacedJump {
  readonly x: number;
  readonly from: number;
  readonly to: number;
  readonly number: string;
  readonly label: string;
}

/** @param width of the axis, in pixels */
export function jumpMarks(
  { layers, jumps }: SqnrDrawing,
  scale: DecibelScale,
  width: number,
): Plot.Markish[] {
  const positions = new Map(layers.map(({ tensor }, i) => [tensor, i]));
  const placed = jumps.flatMap(({ tensor, fromDb, toDb }, i): PlacedJump[] => {
    const x = positions.get(tensor);
    const to = heightOf({ sqnrDb: toDb }, scale);
    const from = heightOf(fromDb === undefined ? { exact: true } : { sqnrDb: fromDb }, scale);
    if (x === undefined || from === undefined || to === undefined) return [];
    return [{ x, from, to, number: String(i + 1), label: fallText(fromDb, toDb) }];
  });
  return [
    Plot.ruleX(placed, { x: 'x', y1: 'from', y2: 'to', stroke: 'var(--mark)', strokeWidth: 2.5 }),
    Plot.dot(placed, { x: 'x', y: 'to', symbol: 'triangle', rotate: 180, r: 4, fill: 'var(--mark)' }),
    Plot.dot(placed, {
      x: 'x',
      y: ({ from, to }: PlacedJump) => (from + to) / 2,
      dx: 11,
      r: 7.5,
      fill: 'var(--mark)',
      stroke: 'var(--surface)',
    }),
    Plot.text(placed, {
      x: 'x',
      y: ({ from, to }: PlacedJump) => (from + to) / 2,
      text: 'number',
      dx: 11,
      fill: 'var(--surface)',
      fontWeight: 'bold',
    }),
    Plot.text(apart(placed, layers.length, width), {
      x: 'x',
      y: ({ from, to }: PlacedJump) => (from + to) / 2,
      text: 'label',
      textAnchor: 'start',
      dx: 21,
      fill: 'var(--mark)',
      stroke: 'var(--surface)',
      strokeWidth: 4,
    }),
  ];
}

/** Labels with room to their right: no other fall there, nor the end of the drawing. */
function apart(placed: readonly PlacedJump[], layers: number, width: number): PlacedJump[] {
  const room = (LABEL * layers) / width;
  return placed.filter(
    (jump) =>
      jump.x + room < layers &&
      placed.every((other) => other === jump || other.x < jump.x || other.x > jump.x + room),
  );
}

/** "-28.1 dB". */
export function fallText(fromDb: number | undefined, toDb: number): string {
  return fromDb === undefined ? `exact to ${toDb.toFixed(1)} dB` : `-${(fromDb - toDb).toFixed(1)} dB`;
}

/** @param width of the axis, in pixels */
export function findingMarks({ layers, severities }: SqnrDrawing, width: number): Plot.Markish[] {
  const places = layers.flatMap(({ tensor }, x) => {
    const severity = severities.get(tensor);
    return severity === undefined ? [] : [{ x, severity }];
  });
  if (places.length === 0) return [];
  const size = places.length * CROWDED > width ? 0.6 : 1;
  return [
    ...(['note', 'warning', 'error'] as const).map((severity) => {
      const { symbol, colour, r } = SEVERITY_FORM[severity];
      return Plot.dot(
        places.filter((place) => place.severity === severity),
        { x: 'x', frameAnchor: 'top', dy: -16, symbol, r: r * size, fill: colour, stroke: colour },
      );
    }),
    Plot.text(['findings'], {
      frameAnchor: 'top-left',
      dx: -8,
      dy: -22,
      textAnchor: 'end',
      fill: 'var(--quiet)',
    }),
  ];
}
