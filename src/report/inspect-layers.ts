/** The table of the layers of a model, in graph order. */
import type { ChalkInstance } from 'chalk';
import { columns, type Column, type Row } from './columns.js';
import { count, number, percent, printable, shape, shortened, wrapped } from './format.js';
import type { InspectedModel, Layer } from './inspect-report.js';

const INDENT = '  ';
/** From this ratio on, the median channel keeps fewer than 16 of 256 levels under one scale. */
const WIDE_SPREAD = 16;

const COLUMNS: readonly Column[] = [
  { title: `${INDENT}#`, align: 'right' },
  { title: 'layer', least: 16 },
  { title: 'op', least: 12, expendable: 4 },
  { title: 'output', least: 12, expendable: 1 },
  { title: 'parameters', align: 'right', expendable: 2 },
  { title: 'MACs', align: 'right', expendable: 3 },
  { title: 'w min', align: 'right' },
  { title: 'w max', align: 'right' },
  { title: 'spread', align: 'right' },
  { title: 'outl.', align: 'right' },
];

const MACS = COLUMNS.findIndex(({ title }) => title === 'MACs');

const LEGEND =
  "w min, w max: of the weight. spread: largest over median of the channels' largest |w|. outl.: channels beyond " +
  'Q3 + 3 IQR of the same. MACs: share of the multiply-accumulates.';

/** @param top rows; all when undefined */
export function layersSection(
  { layers, macs }: InspectedModel,
  style: ChalkInstance,
  width: number,
  top: number | undefined,
): string[] {
  if (layers.length === 0) return ['LAYERS  none'];
  const shown = layers.slice(0, top);
  const more = layers.length - shown.length;
  const isShown = (_: unknown, column: number): boolean => column !== MACS || macs.total !== undefined;
  const rows = shown.map((layer) => rowOf(layer, macs.total, style).filter(isShown));
  const weighted = shown.some(({ weight }) => weight !== undefined);
  return [
    `LAYERS  ${count(layers.length)} in graph order${more === 0 ? '' : `, the first ${count(shown.length)}`}`,
    ...columns(COLUMNS.filter(isShown), rows, width),
    ...(more === 0 ? [] : [`${INDENT}and ${count(more)} more (--top N)`]),
    ...(weighted ? wrapped(LEGEND, width - INDENT.length).map((line) => INDENT + line) : []),
  ];
}

function rowOf(layer: Layer, totalMacs: number | undefined, style: ChalkInstance): Row {
  const { order, node, op, opaque, shape: dims, parameters, macs, weight } = layer;
  const wide = weight?.spread !== undefined && weight.spread >= WIDE_SPREAD;
  const outliers = weight?.outlierChannels.length ?? 0;
  return [
    String(order),
    printable(node),
    shortened(op, 20) + (opaque === true ? ' (opaque)' : ''),
    shortened(shape(dims), 24),
    parameters === 0 ? '' : count(parameters),
    macsText(macs, totalMacs),
    ...(weight === undefined ? ['', ''] : rangeOf(weight)),
    {
      text: weight?.spread === undefined ? '' : weight.spread.toFixed(1),
      ...(wide ? { paint: style.red } : {}),
    },
    { text: outliers === 0 ? '' : String(outliers), ...(outliers > 0 ? { paint: style.yellow } : {}) },
  ];
}

function macsText(macs: number | undefined, total: number | undefined): string {
  if (macs === undefined) return '?';
  return macs === 0 || total === undefined ? '' : percent(macs / total);
}

function rangeOf({ min, max, shape: dims }: NonNullable<Layer['weight']>): string[] {
  if (min !== undefined && max !== undefined) return [number(min), number(max)];
  return dims.includes(0) ? ['empty', ''] : ['not finite', ''];
}
