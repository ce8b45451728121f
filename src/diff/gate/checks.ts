/** The checks of a run: what was asked for beside what was observed. */
import { QdbgError, UsageError } from '../../errors.js';
import type { Accuracy } from '../accuracy/accuracy.js';
import { dropCheck } from './drop.js';
import type { Gate, GateCheck, GateVerdict } from './gate.js';
import { several } from './margin.js';
import { sqnrChecks, type GateOutput, type GateTensor } from './sqnr.js';
import type { Thresholds } from './thresholds.js';

export interface GateFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly subject: { readonly node?: string; readonly tensor?: string };
}

export interface GateInput {
  readonly thresholds: Thresholds;
  /** Absent where no metric was evaluated. */
  readonly accuracy?: Accuracy;
  /** Whether `--metric` was given: without labels, agreement stands for accuracy only where asked for. */
  readonly isMetricChosen: boolean;
  /** That the layers were measured on; where there is an accuracy, its own samples count. */
  readonly samples: number;
  readonly tensors: readonly GateTensor[];
  readonly outputs: readonly GateOutput[];
  /** Without the suppressed ones, worst first. */
  readonly findings: readonly GateFinding[];
  /** From comparing with a baseline. */
  readonly baseline?: readonly GateCheck[];
}

/**
 * Undefined when nothing was asked for. Thresholds are one-sided: better than asked passes; exactly as asked passes.
 *
 * @throws UsageError with everything that was asked for and cannot be observed
 */
export function gateOf(input: GateInput): Gate | undefined {
  const { thresholds, tensors, outputs, findings } = input;
  const { maxDrop, minSamples, minSqnr, failOn } = thresholds;
  const checks = allOf([
    () => (maxDrop === undefined ? [] : [dropCheck(maxDrop, input.accuracy, input.isMetricChosen)]),
    () =>
      minSamples === undefined ? [] : [samplesCheck(minSamples, input.accuracy?.samples ?? input.samples)],
    () => sqnrChecks(minSqnr, tensors, outputs),
    () => (failOn === undefined ? [] : [findingsCheck(failOn, findings)]),
    () => input.baseline ?? [],
  ]).map((check) => decided(check, thresholds.inconclusive));
  return checks.length === 0 ? undefined : { verdict: verdictOf(checks), checks };
}

/** All that they make, or all that is wrong. */
function allOf(parts: readonly (() => readonly GateCheck[])[]): GateCheck[] {
  const faults: QdbgError[] = [];
  const checks = parts.flatMap((part) => {
    try {
      return part();
    } catch (error) {
      if (!(error instanceof QdbgError)) throw error;
      faults.push(error);
      return [];
    }
  });
  const [first] = faults;
  if (first === undefined) return checks;
  if (faults.length === 1) throw first;
  const hint = faults.find((fault) => fault.hint !== undefined)?.hint;
  throw new UsageError(`${faults.length} gates cannot be evaluated`, {
    places: faults.flatMap(({ message, places }) => [message, ...places.map((place) => `  ${place}`)]),
    ...(hint === undefined ? {} : { hint }),
  });
}

function samplesCheck({ value, source }: NonNullable<Thresholds['minSamples']>, samples: number): GateCheck {
  const margin = samples - value;
  return {
    name: 'min-samples',
    source,
    threshold: value,
    observed: samples,
    margin,
    unit: 'samples',
    verdict: margin < 0 ? 'inconclusive' : 'pass',
    ...(margin < 0 ? { note: `${several(-margin, 'sample')} too few` } : {}),
  };
}

const SEVERE = { error: ['error'], warning: ['error', 'warning'] } as const;

function findingsCheck(
  { severity, source }: NonNullable<Thresholds['failOn']>,
  findings: readonly GateFinding[],
): GateCheck {
  const severe: readonly string[] = SEVERE[severity];
  const found = findings.filter((finding) => severe.includes(finding.severity));
  const [worst] = found;
  const where = worst?.subject.tensor ?? worst?.subject.node;
  const more = found.length > 1 ? ` and ${found.length - 1} more` : '';
  return {
    name: `fail-on ${severity}`,
    source,
    threshold: 0,
    observed: found.length,
    margin: found.length === 0 ? 0 : -found.length,
    unit: 'findings',
    verdict: worst === undefined ? 'pass' : 'fail',
    ...(where === undefined ? {} : { where }),
    ...(worst === undefined ? {} : { note: `${worst.rule}${more}` }),
  };
}

function decided(check: GateCheck, inconclusive: Thresholds['inconclusive']): GateCheck {
  if (check.verdict !== 'inconclusive' || inconclusive === undefined) return check;
  const counts = `inconclusive counts as ${inconclusive}`;
  return {
    ...check,
    verdict: inconclusive,
    note: check.note === undefined ? counts : `${check.note}; ${counts}`,
  };
}

const WORST_FIRST: readonly GateVerdict[] = ['fail', 'inconclusive', 'pass'];

function verdictOf(checks: readonly GateCheck[]): GateVerdict {
  return WORST_FIRST.find((verdict) => checks.some((check) => check.verdict === verdict)) ?? 'pass';
}
