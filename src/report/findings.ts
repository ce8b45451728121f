/** What the doctor found, as reports have it. */
import { PARTS } from '../doctor/evidence.js';
import type { Diagnosed, Finding } from '../doctor/finding.js';
import type { Diagnosis } from '../doctor/index.js';
import type { ReportedRules } from './report.js';

/** Without what only the program itself needs. */
export function reportedFindings(findings: readonly Diagnosed[]): Finding[] {
  return findings.map(({ rule, severity, subject, message, args, fix }) => ({
    rule,
    severity,
    subject,
    message,
    args,
    ...(fix === undefined ? {} : { fix }),
  }));
}

export function reportedRules({ checked, skipped }: Diagnosis): ReportedRules {
  return {
    checked,
    skipped: skipped.map(({ rule, missing }) => ({
      rule,
      missing: [...new Set(missing.map((part) => PARTS[part]))].join('; '),
    })),
  };
}
