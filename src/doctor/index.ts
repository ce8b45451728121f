/** Evidence -> findings, and which rules could speak. */
import { CATALOGUE } from './catalogue.js';
import type { Evidence } from './evidence.js';
import type { Diagnosed } from './finding.js';
import { ranked } from './ranking.js';
import { lackOf, type Lack } from './rule.js';

export interface Diagnosis {
  /** Worst first. */
  readonly findings: readonly Diagnosed[];
  /** Ids of the rules that had what they need. */
  readonly checked: readonly string[];
  readonly skipped: readonly { readonly rule: string; readonly lack: Lack }[];
}

export function diagnose(evidence: Evidence): Diagnosis {
  const told: Diagnosed[] = [];
  const checked: string[] = [];
  const skipped: { rule: string; lack: Lack }[] = [];
  for (const rule of CATALOGUE) {
    const lack = lackOf(evidence, rule);
    if (lack !== undefined) {
      skipped.push({ rule: rule.id, lack });
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
