/** Evidence -> findings, and which rules could speak. */
import { CATALOGUE } from './catalogue.js';
import type { Evidence, Part } from './evidence.js';
import type { Diagnosed } from './finding.js';
import { ranked } from './ranking.js';
import { missingParts } from './rule.js';

export interface Diagnosis {
  /** Worst first. */
  readonly findings: readonly Diagnosed[];
  /** Ids of the rules that had what they need. */
  readonly checked: readonly string[];
  readonly skipped: readonly { readonly rule: string; readonly missing: readonly Part[] }[];
}

export function diagnose(evidence: Evidence): Diagnosis {
  const told: Diagnosed[] = [];
  const checked: string[] = [];
  const skipped: { rule: string; missing: Part[] }[] = [];
  for (const rule of CATALOGUE) {
    const missing = missingParts(evidence, rule);
    if (missing.length > 0) {
      skipped.push({ rule: rule.id, missing });
      continue;
    }
    checked.push(rule.id);
    told.push(...rule.check(evidence, told));
  }
  return { findings: ranked(evidence, withoutExplained(told)), checked, skipped };
}

/** Without findings on what follows from another one. */
function withoutExplained(findings: readonly Diagnosed[]): Diagnosed[] {
  const explained = new Set(findings.flatMap(({ explains = [] }) => explains));
  return findings.filter(
    ({ subject: { tensor = '', node = '' }, explains }) =>
      explains !== undefined || !(explained.has(tensor) || explained.has(node)),
  );
}
