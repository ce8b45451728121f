/**
 * The baseline: what a run showed, small enough to be committed, for later runs to be held against. Rounded and sorted, so that
 * the same run gives the same bytes and a change of one layer is a change of one line.
 */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { ErrorMeasurement } from '../diff/measurement.js';
import { shape } from './format.js';
import type { Report, ReportedModel, ReportedTensor } from './report.js';

export const BASELINE_VERSION = 1;

/** dB with two decimals; absent where there is none. */
export type Level = number | 'exact';

export interface BaselineLayer {
  readonly tensor: string;
  readonly node: string;
  readonly op: string;
  /** Place among the layers, from 0. */
  readonly order: number;
  /** "1x8x8x16" */
  readonly shape: string;
  readonly cumulativeDb?: Level;
  readonly localDb?: Level;
}

export interface BaselineFinding {
  readonly rule: string;
  readonly subject: { readonly node?: string; readonly tensor?: string };
}

export interface BaselineData {
  readonly sha256: string;
  readonly samples: number;
}

export interface Baseline {
  readonly schemaVersion: typeof BASELINE_VERSION;
  readonly tool: { readonly name: 'qdbg'; readonly version: string; readonly runtime?: string };
  readonly command: 'analyze' | 'compare';
  readonly models: readonly { readonly role: ReportedModel['role']; readonly sha256: string }[];
  /** That the layers and the accuracy were measured on. */
  readonly data: BaselineData;
  /** That the ranges come from, where those are other data. */
  readonly calibration?: BaselineData;
  /** Canonical JSON. */
  readonly preprocessing?: string;
  /** Canonical JSON. */
  readonly scheme: string;
  /** The processor and its instructions, where they are known. */
  readonly processor?: string;
  readonly accuracy?: {
    readonly metric: string;
    readonly samples: number;
    readonly reference?: number;
    readonly candidate?: number;
  };
  readonly coverage: Pick<Report['coverage'], 'ops' | 'macs'>;
  /** Activations, in graph order. */
  readonly layers: readonly BaselineLayer[];
  readonly findings: readonly BaselineFinding[];
}

/** What a baseline is made from: a report of `analyze` or `compare`. */
export interface BaselineSource extends Pick<
  Report,
  'tool' | 'models' | 'data' | 'scheme' | 'coverage' | 'findings'
> {
  readonly command: Baseline['command'];
  readonly tensors: readonly Pick<
    ReportedTensor,
    'tensor' | 'node' | 'op' | 'order' | 'shape' | 'local' | 'cumulative'
  >[];
  readonly accuracy?: Accuracy;
}

/** @param processor the processor and its instructions: sums of 8-bit products saturate on some */
export function baselineOf(report: BaselineSource, processor?: string): Baseline {
  const { tool, command, models, data, scheme, coverage, accuracy } = report;
  const measured = data.eval ?? data.data ?? data.calib;
  const { preprocessing } = measured ?? {};
  return {
    schemaVersion: BASELINE_VERSION,
    tool,
    command,
    models: models.map(({ role, sha256 }) => ({ role, sha256 })),
    data: { sha256: measured?.sha256 ?? '', samples: measured?.samples ?? 0 },
    ...(data.calib === undefined || data.calib === measured
      ? {}
      : { calibration: { sha256: data.calib.sha256, samples: data.calib.samples } }),
    ...(preprocessing === undefined ? {} : { preprocessing: canonical(preprocessing) }),
    scheme: canonical(scheme),
    ...(processor === undefined ? {} : { processor }),
    ...(accuracy === undefined ? {} : { accuracy: baselineAccuracy(accuracy) }),
    coverage: { ops: coverage.ops, macs: coverage.macs },
    layers: layersOf(report.tensors),
    findings: findingsOf(report.findings),
  };
}

function baselineAccuracy({
  metric,
  samples,
  reference,
  candidate,
}: Accuracy): NonNullable<Baseline['accuracy']> {
  return {
    metric,
    samples,
    ...(reference === undefined ? {} : { reference: rounded(reference, 6) }),
    ...(candidate === undefined ? {} : { candidate: rounded(candidate, 6) }),
  };
}

function layersOf(tensors: BaselineSource['tensors']): BaselineLayer[] {
  return tensors
    .filter(({ local, cumulative }) => local !== undefined || cumulative !== undefined)
    .sort((a, b) => a.order - b.order)
    .map(({ tensor, node, op, shape: dims, cumulative, local }, order) => ({
      tensor,
      node,
      op,
      order,
      shape: shape(dims),
      ...levelOf('cumulativeDb', cumulative),
      ...levelOf('localDb', local),
    }));
}

function levelOf(
  key: 'cumulativeDb' | 'localDb',
  measured: ErrorMeasurement | undefined,
): Partial<BaselineLayer> {
  if (measured?.exact === true) return { [key]: 'exact' };
  const db = measured?.sqnrDb;
  return db === undefined ? {} : { [key]: rounded(db, 2) };
}

/** Each once, in the order of their text: an order by severity would move lines for nothing. */
function findingsOf(findings: Report['findings']): BaselineFinding[] {
  const plain = findings.map(({ rule, subject: { node, tensor } }) => ({
    rule,
    subject: { ...(node === undefined ? {} : { node }), ...(tensor === undefined ? {} : { tensor }) },
  }));
  const byText = new Map(plain.map((finding) => [canonical(finding), finding]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, finding]) => finding);
}

/** Never -0, which JSON would lose. */
function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals)) + 0;
}

/** JSON with sorted keys, in one line. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The file: keys sorted, one line for every layer and finding. */
export function renderBaseline(baseline: Baseline): string {
  const lines = Object.entries(baseline)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]: [string, unknown]) => `  ${JSON.stringify(key)}: ${valueText(value)}`);
  return `{\n${lines.join(',\n')}\n}\n`;
}

function valueText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return canonical(value);
  return `[\n${value.map((item) => `    ${canonical(item)}`).join(',\n')}\n  ]`;
}
