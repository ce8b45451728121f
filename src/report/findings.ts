/** What the doctor found, as reports have it. */
import { sourcesOf } from '../doctor/evidence.js';
import type { Lack } from '../doctor/rule.js';
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
    skipped: skipped.map(({ rule, lack }) => ({ rule, missing: lackText(lack) })),
  };
}

/** "a reference and data", "--runtime or --actual". */
export function lackText({ needs, oneOf }: Lack): string {
  const all = sourcesOf(needs);
  // What is needed anyway brings the other with it.
  const either = sourcesOf(oneOf).some((source) => all.includes(source)) ? [] : sourcesOf(oneOf);
  return [all.join(' and '), either.join(' or ')].filter((text) => text !== '').join(' and ');
}
