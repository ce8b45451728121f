/** Draws the sets of layers that a search evaluated: what each costs, and what it leaves lost. */
import * as Plot from '@observablehq/plot';
import { shortName, visible } from '../frame/layer-name.js';
import { plural } from '../frame/numbers.js';
import { STYLE, TIP, type Drawn } from './dot-drawing.js';
import type { Level } from './dot-spec.js';
import { frontOf, metText, type ParetoPoint } from './pareto.js';

export interface ParetoSpec {
  readonly points: readonly ParetoPoint[];
  readonly levels: readonly Level[];
  readonly costTitle: string;
  readonly dropTitle: string;
  /** Only up to this drop. */
  readonly most?: number | undefined;
  readonly tell: (point: ParetoPoint) => string;
}

const HEIGHT = 340;
const FEW_NAMES = 12;

export function drawPareto(spec: ParetoSpec, width: number): Drawn {
  const { costTitle, dropTitle, levels, most, tell } = spec;
  const points = spec.points.filter(({ drop }) => drop !== undefined && (most === undefined || drop <= most));
  const exact = spec.points.filter(({ drop, effect }) => drop === undefined && effect.exact === true);
  const top = most === undefined ? Infinity : most;
  const lows = points.flatMap(({ drop = 0, dropInterval }) => [drop, ...(dropInterval ?? [])]);
  const ends = [...lows, ...levels.map(({ value }) => value), 0].filter((value) => value <= top);
  const marked = points.filter(({ isChosen, isBest }) => isChosen || isBest);
  const isLate = (point: ParetoPoint): boolean =>
    point.cost > points.reduce((largest, { cost }) => Math.max(largest, cost), 0) / 2;
  const named = (right: boolean): Plot.Markish =>
    Plot.text(
      marked.filter((point) => isLate(point) === right),
      {
        x: 'cost',
        y: 'drop',
        text: ({ isChosen, layers }: ParetoPoint) =>
          `${isChosen ? 'chosen' : 'closest'}: ${layers.length === 1 ? shortName(layers[0] ?? '', 28) : plural(layers.length, 'layer')}`,
        textAnchor: right ? 'end' : 'start',
        dx: right ? -11 : 11,
        dy: -11,
        fontWeight: 700,
        fill: 'var(--text)',
        stroke: 'var(--surface)',
        strokeWidth: 4,
      },
    );
  return Plot.plot({
    width,
    height: HEIGHT,
    marginLeft: 52,
    marginRight: 24,
    marginTop: 28,
    marginBottom: 40,
    style: STYLE,
    inset: 6,
    x: { label: costTitle, labelAnchor: 'right', zero: true },
    y: { label: dropTitle, domain: extent(ends) },
    marks: [
      Plot.gridY({ stroke: 'var(--line)', strokeOpacity: 1 }),
      Plot.axisX({ color: 'var(--quiet)', ticks: Math.max(3, Math.floor(width / 110)) }),
      Plot.axisY({ color: 'var(--quiet)' }),
      ...levels
        .filter(({ value }) => value <= top)
        .map(({ value, form }) =>
          Plot.ruleY([value], {
            stroke: form === 'solid' ? 'var(--good)' : form === 'dashed' ? 'var(--mark)' : 'var(--text)',
            strokeWidth: 1.5,
            ...(form === 'solid' ? {} : { strokeDasharray: form === 'dashed' ? '6 4' : '2 3' }),
          }),
        ),
      Plot.line(frontOf(points), {
        x: 'cost',
        y: 'drop',
        curve: 'step-after',
        stroke: 'var(--text)',
        strokeWidth: 1.5,
      }),
      Plot.ruleX(
        points.filter(({ dropInterval }) => dropInterval !== undefined),
        {
          x: 'cost',
          y1: ({ dropInterval }: ParetoPoint) => dropInterval?.[0],
          y2: ({ dropInterval }: ParetoPoint) => Math.min(top, dropInterval?.[1] ?? 0),
          stroke: ({ isPareto, isChosen }: ParetoPoint) =>
            isPareto || isChosen ? 'var(--text)' : 'var(--line)',
          strokeWidth: 1.2,
        },
      ),
      Plot.dot(
        points.filter(({ meetsTarget }) => !meetsTarget),
        { x: 'cost', y: 'drop', symbol: 'times', stroke: 'var(--local)', strokeWidth: 1.8, r: 4 },
      ),
      Plot.dot(
        points.filter((point) => metText(point) === 'met, unsure'),
        {
          x: 'cost',
          y: 'drop',
          symbol: 'circle',
          fill: 'var(--surface)',
          stroke: 'var(--self)',
          strokeWidth: 1.8,
          r: 4,
        },
      ),
      Plot.dot(
        points.filter((point) => metText(point) === 'met'),
        { x: 'cost', y: 'drop', symbol: 'circle', fill: 'var(--self)', r: 4.5 },
      ),
      // Without noise there is no SQNR, and nothing missing: below all others.
      Plot.dot(exact, { x: 'cost', frameAnchor: 'bottom', symbol: 'circle', fill: 'var(--self)', r: 4.5 }),
      Plot.text(exact, {
        x: 'cost',
        frameAnchor: 'bottom',
        text: () => 'exact',
        dy: -10,
        fill: 'var(--text)',
      }),
      Plot.dot(marked, { x: 'cost', y: 'drop', r: 10, stroke: 'var(--text)', strokeWidth: 2 }),
      named(false),
      named(true),
      Plot.tip(
        points,
        Plot.pointer({
          x: 'cost',
          y: 'drop',
          title: (point: ParetoPoint) => `${tell(point)}\n${layerNames(point)}`,
          ...TIP,
        }),
      ),
    ],
  });
}

function layerNames({ layers }: ParetoPoint): string {
  if (layers.length === 0) return 'no layer in higher precision';
  const shown = layers.slice(0, FEW_NAMES).map((name) => visible(shortName(name, 40)));
  return [...shown, ...(layers.length > FEW_NAMES ? [`and ${layers.length - FEW_NAMES} more`] : [])].join(
    '\n',
  );
}

function extent(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return low < high ? [low, high] : [low - 1, high + 1];
}
