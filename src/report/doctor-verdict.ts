/** The one-sentence answer of `qdbg doctor`. */
import type { Finding } from '../doctor/finding.js';
import { plural } from './format.js';
import type { DoctorReport } from './doctor-report.js';
import type { Report, ReportedRules } from './report.js';

/**
 * Of files that were only read.
 *
 * @param scheme name of the one that weights were quantized with to see what it would cost; absent for a file that is quantized
 */
export function fileVerdict(
  basis: DoctorReport['basis'],
  findings: readonly Finding[],
  rules: ReportedRules,
  scheme?: string,
): Report['verdict'] {
  const cause = findings.find(({ severity }) => severity !== 'note');
  const what = basis === 'files' ? 'the two files' : 'the file';
  if (cause === undefined) return { summary: `no fault found in ${what}: ${rulesText(rules)}` };
  const where = cause.subject.tensor ?? cause.subject.node;
  const others = findings.filter(({ severity }) => severity === cause.severity).length - 1;
  const more = others === 0 ? '' : ` (and ${plural(others, `more ${cause.severity}`)})`;
  return {
    cause: cause.rule,
    ...(where === undefined ? {} : { where }),
    summary:
      scheme !== undefined && cause.severity !== 'error'
        ? `${plural(others + 1, 'place')} would suffer under scheme ${scheme}, first ${where ?? 'the model'}: ${cause.message}`
        : `${cause.severity === 'error' ? 'something is wrong' : 'something looks wrong'} in ${what}: ${cause.message}${more}`,
  };
}

/** Of networks that were run: what was measured, and that nothing explains it or nothing needs to be explained. */
export function measuredVerdict(
  verdict: Report['verdict'],
  findings: readonly Finding[],
  rules: ReportedRules,
): Report['verdict'] {
  if (verdict.cause !== undefined || findings.some(({ severity }) => severity !== 'note')) return verdict;
  return { ...verdict, summary: `no fault found: ${verdict.summary}; ${rulesText(rules)}` };
}

function rulesText({ checked, skipped }: ReportedRules): string {
  const left =
    skipped.length === 0
      ? ''
      : `, ${skipped.length} ${skipped.length === 1 ? 'lacks what it needs' : 'lack what they need'}`;
  return `${plural(checked.length, 'rule')} checked${left}`;
}
