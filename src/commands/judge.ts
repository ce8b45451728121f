/** A finished report held against what was asked for: thresholds, and the baseline. */
import { readFile, stat } from 'node:fs/promises';
import { UsageError } from '../errors.js';
import { gateOf } from '../diff/gate/checks.js';
import { outputsOf } from '../diff/gate/sqnr.js';
import { baselineOf, renderBaseline, type Baseline } from '../report/baseline.js';
import { compareBaseline, type BaselineComparison } from '../report/baseline-compare.js';
import { MOST_BASELINE_BYTES, parseBaseline } from '../report/baseline-file.js';
import type { CompareReport } from '../report/compare-report.js';
import type { DoctorReport } from '../report/doctor-report.js';
import type { Report } from '../report/report.js';
import { processor } from '../run/original/cpu.js';
import type { GateRequest } from './gate-request.js';

/**
 * The report with its gate and its drift, where they were asked for.
 *
 * @param stored of `storedBaseline`
 * @param isMetricChosen by `--metric`: agreement is gated only then
 * @throws UsageError with what was asked for and cannot be observed
 */
export async function judged<R extends Report | CompareReport>(
  report: R,
  request: GateRequest,
  stored: Baseline | undefined,
  isMetricChosen: boolean,
): Promise<R> {
  const { thresholds } = request;
  const baseline = stored === undefined ? undefined : await comparedBaseline(stored, report, request);
  const { eval: evaluation, data, calib } = report.data;
  const gate = gateOf({
    thresholds,
    ...(report.accuracy === undefined ? {} : { accuracy: report.accuracy }),
    isMetricChosen,
    samples: (evaluation ?? data ?? calib)?.samples ?? 0,
    tensors: report.tensors,
    outputs: outputsOf(report),
    findings: report.findings,
    ...(baseline === undefined ? {} : { baseline: baseline.checks }),
  });
  return {
    ...report,
    ...(baseline === undefined ? {} : { drift: baseline }),
    ...(gate === undefined ? {} : { gate }),
  };
}

/**
 * A report on files that nothing was run for: findings alone can fail its gate.
 *
 * @throws UsageError with what was asked for and cannot be observed
 */
export function judgedFindings(report: DoctorReport, { thresholds }: GateRequest): DoctorReport {
  const { findings, tensors } = report;
  const gate = gateOf({ thresholds, isMetricChosen: false, samples: 0, tensors, outputs: [], findings });
  return { ...report, ...(gate === undefined ? {} : { gate }) };
}

async function comparedBaseline(
  stored: Baseline,
  report: Report | CompareReport,
  { baseline, thresholds: { maxDrop } }: GateRequest,
): Promise<BaselineComparison> {
  return compareBaseline(stored, report, {
    source: baseline?.file ?? '',
    processor: (await processor()).text,
    ...(maxDrop === undefined ? {} : { maxDrop }),
  });
}

/**
 * What a run is to be held against, read before the run.
 *
 * @throws UsageError when the file is none
 */
export async function storedBaseline({ baseline }: GateRequest): Promise<Baseline | undefined> {
  if (baseline === undefined || baseline.update) return undefined;
  return parseBaseline(await baselineText(baseline.file), baseline.file);
}

/** @throws UsageError when there is no such file, or none of a size to be read */
async function baselineText(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new UsageError(
      `--baseline ${file}: ${found === undefined ? 'it does not exist' : 'it is no file'}`,
      {
        hint: `--baseline ${file} --update-baseline writes it`,
      },
    );
  }
  if (found.size > MOST_BASELINE_BYTES) {
    throw new UsageError(
      `--baseline ${file} has ${found.size} bytes; a baseline has at most ${MOST_BASELINE_BYTES}`,
    );
  }
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UsageError(`--baseline ${file} cannot be read: ${String(cause)}`, { cause });
  });
}

/** What the baseline file of a run holds. */
export async function baselineFile(report: Report | CompareReport): Promise<string> {
  return renderBaseline(baselineOf(report, (await processor()).text));
}
