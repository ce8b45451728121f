/** The drawing of SQNR over all layers. */
import * as Plot from '@observablehq/plot';
import { shortName } from '../frame/layer-name.js';
import { decibels } from '../frame/numbers.js';
import { SERIES, type Layer, type Series } from './layer.js';
import { SERIES_FORM } from './series-form.js';
import { findingMarks, jumpMarks, thresholdLabels, thresholdLines, type SqnrDrawing } from './sqnr-marks.js';
import {
  bucketPoints,
  bucketsOf,
  decibelScale,
  heightOf,
  lonePoints,
  type Bucket,
  type DecibelScale,
} from './sqnr-points.js';

const LEFT = 64;
const RIGHT = 24;
/** Of the strip with the places of findings. */
const TOP = 30;
const HEIGHT = 300;
/** Room that slanted names take below the axis. */
const NAMES = 96;
/** Pixels that a layer needs for its name, a symbol, and a place of its own. */
const NAMED = 15;
const SYMBOL = 7;
const LEAST = 2;

/** How many layers share a point, 1 where each has its own. */
export function layersPerPoint(layers: number, width: number): number {
  const [first] = bucketsOf(layers, width - LEFT - RIGHT, LEAST);
  return first === undefined ? 1 : first.last - first.first + 1;
}

export function drawSqnr(drawing: SqnrDrawing, width: number): SVGSVGElement | HTMLElement {
  const { layers, shown } = drawing;
  const inner = Math.max(1, width - LEFT - RIGHT);
  const buckets = bucketsOf(layers.length, inner, LEAST);
  const each = inner / buckets.length;
  const scale = decibelScale(layers.flatMap(({ activation }) => SERIES.map((series) => activation[series])));
  const isNamed = each >= NAMED;
  const plot = Plot.plot({
    width,
    height: HEIGHT + TOP + (isNamed ? NAMES : 40),
    marginLeft: LEFT,
    marginRight: RIGHT,
    marginTop: TOP,
    marginBottom: isNamed ? NAMES : 40,
    style: { fontSize: '11px', background: 'transparent', overflow: 'visible' },
    x: { domain: [-0.5, layers.length - 0.5], range: [LEFT, width - RIGHT], label: null },
    y: { domain: [scale.low, scale.lane?.y ?? scale.high], label: null },
    marks: [
      ...selectionMarks(drawing),
      ...axisMarks(layers, scale, isNamed),
      ...thresholdLines(drawing.thresholds, scale),
      ...SERIES.filter((series) => shown.includes(series)).flatMap((series) =>
        seriesMarks(layers, series, buckets, scale, each),
      ),
      ...(shown.includes('cumulative') ? jumpMarks(drawing, scale, inner) : []),
      ...findingMarks(drawing, inner),
      ...thresholdLabels(drawing.thresholds, scale),
      tip(drawing, buckets, scale),
    ],
  });
  plot.style.cursor = 'pointer';
  plot.addEventListener('click', (event) => {
    if (!(event instanceof MouseEvent)) return;
    const x: unknown = plot.scale('x')?.invert?.(event.clientX - plot.getBoundingClientRect().left);
    const bucket = typeof x === 'number' ? bucketAt(buckets, x) : undefined;
    const layer = bucket === undefined ? undefined : worstOf(drawing, bucket, scale);
    if (layer !== undefined) drawing.onSelect(layer.tensor);
  });
  return plot;
}

function bucketAt(buckets: readonly Bucket[], x: number): Bucket | undefined {
  return buckets.find(({ first, last }) => x >= first - 0.5 && x < last + 0.5);
}

/** Of the layers that share a place, the one that its point shows. */
function worstOf(
  { layers, shown }: SqnrDrawing,
  { first, last }: Bucket,
  scale: DecibelScale,
): Layer | undefined {
  const series = (['cumulative', 'local', 'self'] as const).find((name) => shown.includes(name));
  const height = (layer: Layer): number =>
    (series === undefined ? undefined : heightOf(layer.activation[series], scale)) ?? Infinity;
  return layers
    .slice(first, last + 1)
    .reduce<Layer | undefined>(
      (worst, layer) => (worst === undefined || height(layer) < height(worst) ? layer : worst),
      undefined,
    );
}

function selectionMarks({ layers, selected }: SqnrDrawing): Plot.Markish[] {
  const at = layers.findIndex(({ tensor }) => tensor === selected);
  if (at < 0) return [];
  return [
    Plot.rectX([at], { x1: at - 0.5, x2: at + 0.5, fill: 'var(--selected)' }),
    Plot.ruleX([at], { stroke: 'var(--focus)', strokeWidth: 1.5 }),
  ];
}

function axisMarks(layers: readonly Layer[], scale: DecibelScale, isNamed: boolean): Plot.Markish[] {
  const { low, high, lane } = scale;
  const step = high - low > 80 ? 20 : 10;
  const lowest = step * Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor((high - lowest) / step) + 1 }, (_, i) => lowest + i * step);
  const marked = lane === undefined ? ticks : [...ticks, lane.y];
  const text = (tick: number): string => (tick === lane?.y ? lane.label : `${tick}`);
  return [
    Plot.gridY(marked, { stroke: 'var(--line)', strokeOpacity: 1 }),
    Plot.ruleY([0], { stroke: 'var(--quiet)' }),
    Plot.axisY(marked, { tickSize: 0, tickFormat: text, color: 'var(--quiet)' }),
    Plot.text(['SQNR, dB'], {
      frameAnchor: 'left',
      rotate: -90,
      dx: -50,
      textAnchor: 'middle',
      fill: 'var(--quiet)',
    }),
    isNamed
      ? Plot.axisX(
          layers.map((_, i) => i),
          {
            tickSize: 3,
            tickRotate: -55,
            textAnchor: 'end',
            tickFormat: (i: number) => layerLabel(layers[i], 20),
            label: null,
            color: 'var(--quiet)',
          },
        )
      : Plot.axisX(roundPositions(layers.length), {
          tickSize: 3,
          tickFormat: (i: number) => String(i + 1),
          label: 'layer, in graph order',
          labelAnchor: 'center',
          labelArrow: 'none',
          color: 'var(--quiet)',
        }),
  ];
}

/** Of layers whose number, counted from 1, is round. */
function roundPositions(layers: number): number[] {
  const power = 10 ** Math.floor(Math.log10(Math.max(layers / 4, 1)));
  const step = layers / power >= 20 ? 5 * power : layers / power >= 8 ? 2 * power : power;
  return [0, ...Array.from({ length: Math.floor(layers / step) }, (_, i) => (i + 1) * step - 1)].filter(
    (position, i) => i !== 1 || position > 0,
  );
}

function layerLabel(layer: Layer | undefined, longest: number): string {
  if (layer === undefined) return '';
  const isInput = layer.activation.role === 'input' || layer.node === '';
  return shortName(isInput ? layer.tensor : layer.node, longest);
}

function seriesMarks(
  layers: readonly Layer[],
  series: Series,
  buckets: readonly Bucket[],
  scale: DecibelScale,
  each: number,
): Plot.Markish[] {
  const { colour, dash, symbol } = SERIES_FORM[series];
  const points = bucketPoints(layers, series, buckets, scale);
  const dots = each >= SYMBOL ? points : lonePoints(points);
  const r = each >= 2 * SYMBOL ? 3.5 : 2.5;
  return [
    ...(buckets.length < layers.length
      ? [Plot.areaY(points, { x: 'x', y1: 'y', y2: 'top', fill: colour, fillOpacity: 0.15 })]
      : []),
    Plot.line(points, {
      x: 'x',
      y: 'y',
      stroke: colour,
      strokeWidth: series === 'cumulative' ? 2 : 1.5,
      ...(dash === undefined ? {} : { strokeDasharray: dash }),
    }),
    Plot.dot(dots, {
      x: 'x',
      y: 'y',
      symbol,
      r,
      stroke: colour,
      fill: symbol === 'circle' ? 'var(--surface)' : colour,
    }),
  ];
}

interface TipRow {
  readonly x: number;
  readonly y: number;
  readonly title: string;
}

function tip(drawing: SqnrDrawing, buckets: readonly Bucket[], scale: DecibelScale): Plot.Markish {
  const rows = buckets.flatMap((bucket): TipRow[] => {
    const layer = worstOf(drawing, bucket, scale);
    if (layer === undefined) return [];
    const heights = drawing.shown.flatMap((series) => heightOf(layer.activation[series], scale) ?? []);
    const more = bucket.last - bucket.first;
    return [
      {
        x: (bucket.first + bucket.last) / 2,
        y: heights.length === 0 ? scale.low : Math.min(...heights),
        title: [
          `${layerLabel(layer, 48)}  ${layer.op}`,
          ...SERIES.map((series) => `${series}: ${decibels(layer.activation[series])}`),
          ...(more === 0 ? [] : [`lowest of layers ${bucket.first + 1} to ${bucket.last + 1}`]),
        ].join('\n'),
      },
    ];
  });
  return Plot.tip(
    rows,
    Plot.pointerX({
      x: 'x',
      y: 'y',
      title: 'title',
      fill: 'var(--surface)',
      stroke: 'var(--quiet)',
      maxRadius: 200,
    }),
  );
}
