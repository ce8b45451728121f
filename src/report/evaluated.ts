/** What accuracy evaluation and gate add to a report; all of it is absent where nothing was asked for. Plain data. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { TriedPreprocessing } from '../diff/accuracy/preprocessing-search.js';
import type { Gate } from '../diff/gate/gate.js';
import type { Finding, Severity } from '../doctor/finding.js';
import type { BaselineComparison } from './baseline-compare.js';
import type { CompareReport } from './compare-report.js';
import type { DoctorReport } from './doctor-report.js';
import type { ReportedPictures } from './report-pictures.js';
import type { Report } from './report.js';

/** A finding that the configuration file accepts. */
export interface Suppressed {
  readonly finding: Finding;
  readonly reason: string;
  /** Day after which it counts again: 2026-12-31. */
  readonly expires?: string;
}

export interface Evaluated {
  /** Of all networks against the labels. */
  readonly accuracy?: Accuracy;
  /** Of the candidate with the reference; needs no labels. */
  readonly agreement?: Accuracy;
  /** Further metrics on the same samples. */
  readonly otherMetrics?: readonly Accuracy[];
  /** Of the samples on which reference and candidate part most, where they are images. */
  readonly pictures?: ReportedPictures;
  readonly gate?: Gate;
  readonly suppressed?: readonly Suppressed[];
  /** Of `--baseline`. */
  readonly drift?: BaselineComparison;
  /** What the reference scores with other preprocessings, tried where it scores far less than expected. */
  readonly preprocessings?: readonly TriedPreprocessing[];
}

/** Of the commands that run networks. */
export type MeasuredReport = (Report | CompareReport) & Evaluated;

/** Of the commands whose findings other programs list. */
export type JudgedReport = MeasuredReport | DoctorReport;

/** Severities of findings that fail the gate: of the check `fail-on error` or `fail-on warning`. */
export function failingSeverities({ gate }: Evaluated): ReadonlySet<Severity> {
  const check = gate?.checks.find(({ name }) => name.startsWith('fail-on'));
  if (check === undefined) return new Set();
  return new Set<Severity>(check.name.includes('warning') ? ['error', 'warning'] : ['error']);
}

/** Node and tensor of a finding; exporters that name a node after its weight would have it twice. */
export function placeOf({ subject: { node, tensor } }: Finding): string | undefined {
  const names = [...new Set([node, tensor].filter((name) => name !== undefined))];
  return names.length === 0 ? undefined : names.join(' > ');
}
