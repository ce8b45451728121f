/** Evidence -> findings, and which rules could speak. */
import { CATALOGUE } from './catalogue.js';
import type { Evidence } from './evidence.js';
import { isOfAll, worstFirst, type Diagnosed } from './finding.js';
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
  return { findings: ranked(evidence, overshadowed(withoutExplained(merged(told)))), checked, skipped };
}

/** Findings that leave the word to another one of the same tensor or node, or of the whole network, hand over their severity, and what they explain. */
function merged(findings: readonly Diagnosed[]): Diagnosed[] {
  const better = new Map<Diagnosed, Diagnosed[]>();
  const left = findings.filter((finding) => {
    const { yieldsTo = [] } = finding;
    const other = findings.find(
      (one) => yieldsTo.includes(one.rule) && one.severity !== 'note' && covers(one, finding),
    );
    if (other === undefined) return true;
    better.set(other, [...(better.get(other) ?? []), finding]);
    return false;
  });
  return left.map((finding) => {
    const merging = better.get(finding);
    if (merging === undefined) return finding;
    const [worst] = worstFirst([finding, ...merging]);
    const explains = [finding, ...merging].flatMap((one) => one.explains ?? []);
    return {
      ...finding,
      severity: worst?.severity ?? finding.severity,
      ...(explains.length === 0 ? {} : { explains }),
    };
  });
}

/** Whether both are said of one place, or the first of the whole network. */
function covers(one: Diagnosed, { subject: { tensor, node } }: Diagnosed): boolean {
  const { subject } = one;
  return (
    isOfAll(one) ||
    (tensor !== undefined && subject.tensor === tensor) ||
    (node !== undefined && subject.node === node)
  );
}

/** What follows from an error elsewhere is worth knowing, and no fault of its own: its fix would mend nothing. */
function overshadowed(findings: readonly Diagnosed[]): Diagnosed[] {
  const followers = new Set(
    findings.flatMap(({ severity, overshadows = [] }) => (severity === 'error' ? overshadows : [])),
  );
  return findings.map((finding) => {
    if (!followers.has(finding.rule)) return finding;
    const { rule, subject, message, args, explains } = finding;
    return {
      ...{ rule, severity: 'note', subject, message, args },
      ...(explains === undefined ? {} : { explains }),
    };
  });
}

/** Without findings on what follows from another one. */
function withoutExplained(findings: readonly Diagnosed[]): Diagnosed[] {
  const explained = new Set(findings.flatMap(({ explains = [] }) => explains));
  return findings.filter(
    ({ subject: { tensor = '', node = '' }, explains }) =>
      explains !== undefined || !(explained.has(tensor) || explained.has(node)),
  );
}
