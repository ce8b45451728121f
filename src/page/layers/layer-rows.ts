/** Layers as rows of a table. */
import type { Finding } from '../../doctor/finding.js';
import type { PageReport } from '../../report/html/page-document.js';
import type { ReportedGraph } from '../../report/report-graph.js';
import { findingsByLayer } from './finding-places.js';
import type { Layer, LayerTensor, Series } from './layer.js';

export interface LayerRow {
  readonly layer: Layer;
  /** From 1, in graph order. */
  readonly order: number;
  readonly findings: readonly Finding[];
  readonly best?: BestObserver;
  /** What one scale per channel gives the weight, dB. */
  readonly perAxisGain?: number;
  readonly macs?: number;
}

export interface BestObserver {
  readonly observer: string;
  /** Beside the range that is there, dB of self SQNR. */
  readonly gainDb: number;
}

export function layerRows(
  report: PageReport,
  layers: readonly Layer[],
  layerNamed: (name: string) => Layer | undefined,
): readonly LayerRow[] {
  const found = findingsByLayer(layers, 'findings' in report ? report.findings : [], layerNamed);
  const macs = macsByTensor('graph' in report ? report.graph : undefined);
  return layers.map((layer, i) => {
    const best = bestObserver(layer.activation);
    const perAxisGain = gainOfAxes(layer);
    const its = macs.get(layer.tensor);
    return {
      layer,
      order: i + 1,
      findings: found.get(layer.tensor) ?? [],
      ...(best === undefined ? {} : { best }),
      ...(perAxisGain === undefined ? {} : { perAxisGain }),
      ...(its === undefined ? {} : { macs: its }),
    };
  });
}

/** Those that cost nothing (reshapes, poolings) are counted as 0 by whoever counted. */
function macsByTensor(graph: ReportedGraph | undefined): ReadonlyMap<string, number> {
  return new Map(
    (graph?.nodes ?? []).flatMap(({ outputs: [first], macs }) =>
      first === undefined || macs === undefined ? [] : [[first, macs] as const],
    ),
  );
}

/** The observer that would keep most, where it is not what is there: less than a tenth of a dB is no reason to change. */
export function bestObserver({ forecast, self }: LayerTensor): BestObserver | undefined {
  const now = self?.sqnrDb;
  if (forecast === undefined || now === undefined) return undefined;
  const best = Object.entries(forecast).reduce<readonly [string, number] | undefined>(
    (most, entry) => (most === undefined || entry[1] > most[1] ? entry : most),
    undefined,
  );
  if (best === undefined) return undefined;
  const gainDb = best[1] - now;
  return gainDb < 0.1 ? undefined : { observer: best[0], gainDb };
}

/** Of the weight that has most from it. */
function gainOfAxes({ weights }: Layer): number | undefined {
  const gains = weights.flatMap(({ perTensorSqnrDb, perAxisSqnrDb }) =>
    perTensorSqnrDb === undefined || perAxisSqnrDb === undefined ? [] : [perAxisSqnrDb - perTensorSqnrDb],
  );
  return gains.length === 0 ? undefined : gains.reduce((most, gain) => Math.max(most, gain));
}

/** For columns that sort by it: undefined where there is no number, beyond all others where exact. */
export function sortedSqnr(layer: Pick<Layer, 'activation'>, series: Series): number | undefined {
  const measured = layer.activation[series];
  return measured?.exact === true ? Infinity : measured?.sqnrDb;
}

export interface RowFilter {
  /** All operators when not given. */
  readonly op?: string;
  readonly onlyWithFindings: boolean;
  readonly onlyQuantized: boolean;
}

export function filteredRows(
  rows: readonly LayerRow[],
  { op, onlyWithFindings, onlyQuantized }: RowFilter,
): readonly LayerRow[] {
  return rows.filter(
    ({ layer, findings }) =>
      (op === undefined || operatorOf(layer) === op) &&
      (!onlyWithFindings || findings.length > 0) &&
      (!onlyQuantized || layer.activation.quant !== undefined),
  );
}

/** What computes it; inputs are listed with the operator that reads them. */
export function operatorOf({ op, activation }: Layer): string {
  return activation.role === 'input' ? 'input' : op;
}

/** Types of operators with how many there are, most frequent first, then by name. */
export function operatorCounts(rows: readonly LayerRow[]): readonly (readonly [op: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { layer } of rows) {
    const op = operatorOf(layer);
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
}
