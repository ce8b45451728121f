/** A run beside its baseline, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import type { BaselineFinding, BaselineLayer, Level } from './baseline.js';
import type { BaselineComparison, Drift } from './baseline-compare.js';
import { columns, type Row } from './columns.js';
import type { Evaluated } from './evaluated.js';
import { metricName, quantity } from './evaluated-text.js';
import { labelled, listed, plural, printable } from './format.js';
import { INDENT, right, SHORTEST_NAME, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

export const MOST_DRIFTS = 10;
const MOST_NAMES = 4;

/** Nothing without `--baseline`. The checks themselves are the gate's. */
export function driftSection(
  { drift }: Evaluated,
  style: ChalkInstance,
  { width, top = MOST_DRIFTS }: Room,
): string[] {
  if (drift === undefined) return [];
  const { drift: layers, source, matched } = drift;
  const changed =
    layers.length === 0
      ? 'all as they were'
      : `${layers.length} changed${layers.length > top ? `, the ${top} that moved most` : ''}`;
  return [
    ...labelled(
      'DRIFT  ',
      prose(`against ${source}: ${plural(matched, 'layer')} matched, ${changed}`),
      width,
    ),
    ...table(drift.drift.slice(0, top), style, width),
    ...driftRemarks(drift).flatMap((remark) => labelled(INDENT, prose(remark), width)),
  ];
}

/** What the table does not hold: accuracy, findings that came and went, what else is different. */
export function driftRemarks(drift: BaselineComparison): string[] {
  const { accuracy, newWorstLayer: worst, unmatched, findings, notes } = drift;
  const score = (value: number | undefined): string => quantity(value, '');
  return [
    ...(accuracy === undefined
      ? []
      : [`${metricName(accuracy.metric)} of the candidate ${score(accuracy.from)} -> ${score(accuracy.to)}`]),
    ...(worst === undefined
      ? []
      : [`the worst layer by local SQNR is now ${worst.node || worst.tensor}; it was ${worst.formerly}`]),
    ...namesText('new findings', findings.appeared.map(findingText)),
    ...namesText('findings that are gone', findings.gone.map(findingText)),
    ...namesText('layers of the baseline that are not here', unmatched.baseline.map(layerText)),
    ...namesText('layers that the baseline does not have', unmatched.now.map(layerText)),
    ...notes,
  ];
}

function table(drift: BaselineComparison['drift'], style: ChalkInstance, width: number): string[] {
  if (drift.length === 0) return [];
  const rows = drift.map(({ tensor, node, op, formerly, cumulative, local }): Row => [
    `${INDENT}${printable(node === '' ? tensor : node)}`,
    printable(op),
    { text: driftText(cumulative), paint: style.bold },
    driftText(local),
    formerly === undefined ? '' : printable(`was ${formerly}`),
  ]);
  return columns(
    [
      { title: `${INDENT}layer`, least: SHORTEST_NAME },
      { title: 'op', least: 8, expendable: 2 },
      right('cumulative, dB'),
      { ...right('local, dB'), expendable: 3 },
      { title: '', least: SHORTEST_NAME, expendable: 1 },
    ],
    rows,
    width,
  );
}

/** 31.2 -> 27.9 (-3.3); "-" where nothing has changed. */
export function driftText(drift: Drift | undefined): string {
  if (drift === undefined) return '-';
  const { from, to } = drift;
  const difference =
    typeof from === 'number' && typeof to === 'number'
      ? ` (${to > from ? '+' : ''}${(to - from).toFixed(2)})`
      : '';
  return `${levelText(from)} -> ${levelText(to)}${difference}`;
}

function levelText(level: Level | undefined): string {
  return level === undefined ? 'none' : typeof level === 'number' ? level.toFixed(2) : level;
}

function namesText(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${what} (${names.length}): ${listed(names, MOST_NAMES)}`];
}

function findingText({ rule, subject: { node, tensor } }: BaselineFinding): string {
  const place = node ?? tensor;
  return place === undefined ? rule : `${rule} at ${place}`;
}

function layerText({ node, tensor }: BaselineLayer): string {
  return node === '' ? tensor : node;
}
