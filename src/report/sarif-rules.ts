/** What rules and checks of the gate are about, for programs that list findings by rule. */
import { ruleNamed } from '../doctor/catalogue.js';
import type { RuleText } from '../doctor/rule.js';

const CHECKS: Readonly<Record<string, string>> = {
  'gate.max-drop': 'The candidate loses more than is allowed.',
  'gate.min-sqnr': 'An SQNR is lower than is asked for.',
  'gate.min-samples': 'Fewer samples were evaluated than are asked for.',
  'gate.fail-on': 'Findings of a severity that fails the gate.',
  'gate.baseline': 'The run is worse than its baseline.',
};

/** In one line; of one that is not known, its id. */
export function ruleText(id: string): string {
  const rule = ruleNamed(id);
  if (rule !== undefined) return `${rule.title}.`;
  return Object.hasOwn(CHECKS, id) ? (CHECKS[id] ?? id) : id;
}

/** What `qdbg explain` says of a rule; undefined for a check of the gate. */
export function ruleHelp(id: string): RuleText | undefined {
  return ruleNamed(id)?.text;
}
