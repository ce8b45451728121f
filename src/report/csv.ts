/**
 * Tensors as CSV (RFC 4180), one row each in graph order, for spreadsheets and data frames. Units are in the titles; what was not
 * measured is empty. Written out here: a package for writing would be larger than these few lines.
 */
import type { ErrorMeasurement } from '../diff/measurement.js';
import type { ComparedTensor } from './compare-report.js';
import { safeWhole } from './document-text.js';
import type { MeasuredReport } from './evaluated.js';
import type { ReportedAlternative, ReportedTensor } from './report.js';

/** Text, which is guarded, or a number or flag of ours. */
export type Cell = string | number | boolean | undefined;
type Row = ReportedTensor & Partial<Pick<ComparedTensor, 'reference'>>;

const PLACE: Readonly<Record<string, (row: Row) => Cell>> = {
  tensor: ({ tensor }) => tensor,
  reference: ({ reference }) => reference,
  node: ({ node }) => node,
  op: ({ op }) => op,
  role: ({ role }) => role,
  order: ({ order }) => order,
  shape: ({ shape }) => shape.map((dim) => dim ?? '?').join('x'),
  dtype: ({ quant }) => quant?.dtype,
  scale_min: ({ quant }) => extreme(quant?.scale, Math.min),
  scale_max: ({ quant }) => extreme(quant?.scale, Math.max),
  scale_count: ({ quant }) => quant?.scale.length,
  zero_point_min: ({ quant }) => extreme(quant?.zeroPoint, Math.min),
  zero_point_max: ({ quant }) => extreme(quant?.zeroPoint, Math.max),
  axis: ({ quant }) => quant?.axis,
  qmin: ({ quant }) => quant?.qmin,
  qmax: ({ quant }) => quant?.qmax,
  quant_source: ({ quant }) => quant?.source,
  range_min: ({ range }) => range?.min,
  range_max: ({ range }) => range?.max,
  range_p01: ({ range }) => range?.p01,
  range_p99: ({ range }) => range?.p99,
  levels: ({ levels }) => levels,
  lost_share: ({ lostShare }) => lostShare,
};

const ERROR: Readonly<Record<string, (error: ErrorMeasurement) => Cell>> = {
  sqnr_db: ({ sqnrDb }) => sqnrDb,
  exact: ({ exact }) => exact,
  worst_sample_sqnr_db: ({ worstSqnrDb }) => worstSqnrDb,
  worst_sample: ({ worstSample }) => worstSample,
  worst_channel_sqnr_db: ({ worstChannel }) => worstChannel?.sqnrDb,
  worst_channel: ({ worstChannel }) => worstChannel?.channel,
  mse: ({ mse }) => mse,
  max_abs_error: ({ maxAbsError }) => maxAbsError,
  bias: ({ bias }) => bias,
  clipped_share: ({ clippedShare }) => clippedShare,
  noise_clip_share: ({ noise }) => noise.clip,
  non_finite: ({ nonFinite }) => nonFinite,
};

/** Of the observer that would lose least here, where that is another one. */
const ELSEWHERE: Readonly<Record<string, (row: Row) => Cell>> = {
  best_observer: (row) => bestOf(row)?.observer,
  best_observer_self_sqnr_db: (row) => bestOf(row)?.selfSqnrDb,
  best_observer_min: (row) => bestOf(row)?.min,
  best_observer_max: (row) => bestOf(row)?.max,
};

const KINDS = ['self', 'local', 'cumulative'] as const;

export function renderCsv({ tensors, graph }: MeasuredReport): string {
  const nodes = new Map(graph?.nodes.map((node) => [node.node, node]));
  const header = [
    ...Object.keys(PLACE),
    ...KINDS.flatMap((kind) => Object.keys(ERROR).map((name) => `${kind}_${name}`)),
    ...Object.keys(ELSEWHERE),
    ...['macs', 'float_reason'],
  ];
  const rows = tensors.map((row: Row): Cell[] => [
    ...Object.values(PLACE).map((cellOf) => cellOf(row)),
    ...KINDS.flatMap((kind) => {
      const error = row[kind];
      return Object.values(ERROR).map((cellOf) => (error === undefined ? undefined : cellOf(error)));
    }),
    ...Object.values(ELSEWHERE).map((cellOf) => cellOf(row)),
    // Of its operator, in the row of what that writes.
    ...(isWritten(row) ? [nodes.get(row.node)?.macs, nodes.get(row.node)?.float] : [undefined, undefined]),
  ]);
  return csvLines([header, ...rows]);
}

function isWritten({ role }: Row): boolean {
  return role === 'activation' || role === 'output';
}

/** Ranges are told where a report holds them, SQNR where it was forecast. */
function bestOf({ self, alternatives = [], forecast = {} }: Row): Partial<ReportedAlternative> | undefined {
  const told = new Map(alternatives.map((alternative) => [alternative.observer, alternative]));
  const all = [
    ...alternatives,
    ...Object.entries(forecast).flatMap(([observer, selfSqnrDb]) =>
      told.has(observer) ? [] : [{ observer, selfSqnrDb }],
    ),
  ];
  const [best] = all.sort((a, b) => b.selfSqnrDb - a.selfSqnrDb);
  return best === undefined || best.selfSqnrDb <= (self?.sqnrDb ?? Infinity) ? undefined : best;
}

/** Lines as RFC 4180 ends them. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  return rows.map((cells) => `${cells.map(field).join(',')}\r\n`).join('');
}

/** Not Math.min(...values): a weight can have more scales than a call can have arguments. */
function extreme(
  values: readonly number[] | undefined,
  pick: (a: number, b: number) => number,
): number | undefined {
  const [first, ...rest] = values ?? [];
  return first === undefined ? undefined : rest.reduce((a, b) => pick(a, b), first);
}

/** Spreadsheets run what begins so: https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]/;

function field(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = safeWhole(cell);
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return /[",]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
