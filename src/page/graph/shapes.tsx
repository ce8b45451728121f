/** Boxes, pills and lines of the drawing. What they look like is in them, so that a saved drawing looks the same. */
import type { JSX } from 'preact';
import type { PlacedEdge } from '../../report/html/page-document.js';
import { shortName, visible } from '../frame/layer-name.js';
import type { Site } from './network.js';
import { stepOf } from './ramp.js';
import type { Measure } from './reading.js';

/** What of the boxes is drawn: less, the smaller they are. */
export type Detail = 'all' | 'numbers' | 'shapes';

const FORM = { stroke: 1.5, dashes: '6 4', corner: 6 };

const MONOSPACE = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";
/** Advances per letter at the sizes below, as wide as common fonts have them. */
const MONOSPACE_ADVANCE = 6.7;
const OPERATOR_ADVANCE = 7;
const NUMBER_ADVANCE = 7;
const PADDING = 8;

export function SiteShape({
  site,
  measure,
  detail,
}: {
  readonly site: Site;
  readonly measure: Measure | undefined;
  readonly detail: Exclude<Detail, 'shapes'>;
}): JSX.Element {
  const { box, kind, node } = site;
  const [width, height] = [box.right - box.left, box.bottom - box.top];
  const step = stepAt(site, measure);
  return (
    <g data-site={site.at} transform={`translate(${box.left},${box.top})`}>
      <rect
        width={width}
        height={height}
        rx={kind === 'operator' ? FORM.corner : height / 2}
        stroke-width={FORM.stroke}
        stroke-dasharray={node?.float === undefined ? undefined : FORM.dashes}
        style={colours(step, node?.float !== undefined)}
      />
      <g style={{ fill: step === undefined ? 'var(--text)' : `var(--on-ramp-${step})` }}>
        {detail === 'all' ? (
          <Labels site={site} measure={measure} width={width} height={height} />
        ) : (
          <BigNumber site={site} measure={measure} width={width} height={height} />
        )}
      </g>
    </g>
  );
}

function colours(
  step: number | undefined,
  isFloat: boolean,
): { readonly fill: string; readonly stroke: string } {
  return {
    fill: step === undefined ? 'var(--surface)' : `var(--ramp-${step})`,
    stroke: isFloat ? 'var(--text)' : 'var(--box)',
  };
}

/** Boxes without a word in them, all that look the same as one element: thousands of them cost little. */
export function BareShapes({
  sites,
  measure,
}: {
  readonly sites: readonly Site[];
  readonly measure: Measure | undefined;
}): JSX.Element {
  const alike = new Map<string, { step: number | undefined; isFloat: boolean; d: string }>();
  for (const site of sites) {
    const [step, isFloat] = [stepAt(site, measure), site.node?.float !== undefined];
    const key = `${step ?? ''} ${String(isFloat)}`;
    const group = alike.get(key) ?? { step, isFloat, d: '' };
    group.d += outlineOf(site);
    alike.set(key, group);
  }
  return (
    <g class="bare">
      {[...alike].map(([key, { step, isFloat, d }]) => (
        <path
          key={key}
          d={d}
          stroke-width={FORM.stroke}
          stroke-dasharray={isFloat ? FORM.dashes : undefined}
          style={colours(step, isFloat)}
        />
      ))}
    </g>
  );
}

function outlineOf({ box: { left, top, right, bottom }, kind }: Site): string {
  if (kind === 'operator') return `M${left},${top}H${right}V${bottom}H${left}Z`;
  const radius = (bottom - top) / 2;
  const cap = (x: number, y: number): string => `A${radius},${radius} 0 0 1 ${x},${y}`;
  return `M${left + radius},${top}H${right - radius}${cap(right - radius, bottom)}H${left + radius}${cap(left + radius, top)}Z`;
}

/** Undefined where the site has no number. */
export function stepAt(site: Site, measure: Measure | undefined): number | undefined {
  const reading = measure?.readings[site.at];
  return reading === undefined ? undefined : stepOf(measure?.scale.position(reading.value) ?? 0);
}

interface LabelProps {
  readonly site: Site;
  readonly measure: Measure | undefined;
  readonly width: number;
  readonly height: number;
}

function numberIn(site: Site, measure: Measure | undefined): string {
  if (measure === undefined) return '';
  const reading = measure.readings[site.at];
  if (reading !== undefined) return reading.text;
  if (site.kind !== 'operator') return '';
  return site.node?.float === undefined ? '–' : 'float';
}

function Labels({ site, measure, width, height }: LabelProps): JSX.Element {
  const number = numberIn(site, measure);
  const room = width - 2 * PADDING;
  const isPill = height < 36;
  const numberWidth = number === '' ? 0 : number.length * NUMBER_ADVANCE + 6;
  const name = (space: number): string => fitted(site.name, space / MONOSPACE_ADVANCE);
  if (isPill) {
    const whole = name(room);
    // The name before the number, which is in the line below the drawing as well.
    const hasRoom = whole.length * MONOSPACE_ADVANCE + numberWidth <= room;
    return (
      <>
        <NameText x={PADDING} y={height / 2 + 4} text={whole} />
        <NumberText x={width - PADDING} y={height / 2 + 4} text={hasRoom ? number : ''} />
      </>
    );
  }
  const top = height / 2 - 4;
  return (
    <>
      <text x={PADDING} y={top} font-size={11.5} font-weight={600} style={ISOLATED}>
        {begun(visible(site.op), (room - numberWidth) / OPERATOR_ADVANCE)}
      </text>
      <NumberText x={width - PADDING} y={top} text={number} />
      <NameText x={PADDING} y={top + 16} text={name(room)} />
    </>
  );
}

const ISOLATED = { direction: 'ltr', unicodeBidi: 'isolate' } as const;

function NameText({
  x,
  y,
  text,
}: {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}): JSX.Element {
  return (
    <text x={x} y={y} font-size={11} font-family={MONOSPACE} style={ISOLATED}>
      {text}
    </text>
  );
}

function NumberText({
  x,
  y,
  text,
}: {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}): JSX.Element | null {
  if (text === '') return null;
  return (
    <text x={x} y={y} font-size={12} font-weight={700} text-anchor="end">
      {text}
    </text>
  );
}

function BigNumber({ site, measure, width, height }: LabelProps): JSX.Element {
  const text = numberIn(site, measure) || site.op;
  const size = Math.min(height * 0.6, (width - PADDING) / (0.6 * Math.max(1, text.length)));
  return (
    <text x={width / 2} y={height / 2 + size * 0.36} font-size={size} font-weight={600} text-anchor="middle">
      {text}
    </text>
  );
}

/** The beginning of what operators are called says most. */
function begun(op: string, letters: number): string {
  if (op.length <= letters) return op;
  return letters < 3 ? '' : `${op.slice(0, Math.floor(letters) - 1)}…`;
}

function fitted(name: string, letters: number): string {
  return letters < 3 ? '' : shortName(name, Math.floor(letters));
}

/** All lines in one element, and all arrow heads in another: thousands of them cost little. */
export function EdgeLines({
  edges,
  withHeads = true,
}: {
  readonly edges: readonly PlacedEdge[];
  readonly withHeads?: boolean;
}): JSX.Element {
  return (
    <g>
      <path
        d={edges.map(lineOf).join('')}
        fill="none"
        stroke-width={1.3}
        stroke-linejoin="round"
        vector-effect="non-scaling-stroke"
        style={{ stroke: 'var(--edge)' }}
      />
      {withHeads ? <path d={edges.map(headOf).join('')} style={{ fill: 'var(--edge)' }} /> : null}
    </g>
  );
}

function lineOf({ points }: PlacedEdge): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${x},${y}`).join('');
}

const HEAD = { length: 8, half: 4 };

/** A triangle at the end, along the last piece that has a length. */
function headOf({ points }: PlacedEdge): string {
  const tip = points.at(-1);
  if (tip === undefined) return '';
  const back = points.findLast(([x, y]) => x !== tip[0] || y !== tip[1]);
  if (back === undefined) return '';
  const distance = Math.hypot(tip[0] - back[0], tip[1] - back[1]);
  const [ux, uy] = [(tip[0] - back[0]) / distance, (tip[1] - back[1]) / distance];
  const [bx, by] = [tip[0] - ux * HEAD.length, tip[1] - uy * HEAD.length];
  const corner = (sign: number): string =>
    `${round(bx - sign * uy * HEAD.half)},${round(by + sign * ux * HEAD.half)}`;
  return `M${tip[0]},${tip[1]}L${corner(1)}L${corner(-1)}Z`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
