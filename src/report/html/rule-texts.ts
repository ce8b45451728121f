/** What `qdbg explain` says of the rules that a report's findings are of: a reader of the page may not have qdbg. */
import { ruleNamed } from '../../doctor/catalogue.js';
import type { Finding } from '../../doctor/finding.js';
import type { PageReport, PageRule } from './page-document.js';

/** Rules that are not known, as of a report of another version, are left out. */
export function ruleTexts(report: PageReport): Readonly<Record<string, PageRule>> {
  const ids = [...new Set(findingsOf(report).map(({ rule }) => rule))].sort();
  return Object.fromEntries(
    ids.flatMap((id): [string, PageRule][] => {
      const rule = ruleNamed(id);
      if (rule === undefined) return [];
      const { what, why, instead } = rule.text;
      return [[id, { title: rule.title, what, why, instead }]];
    }),
  );
}

function findingsOf(report: PageReport): readonly Finding[] {
  switch (report.command) {
    case 'inspect':
      return report.models.flatMap(({ quantization }) => quantization?.findings ?? []);
    case 'sweep':
      return [];
    case 'analyze':
    case 'compare':
    case 'doctor':
      return report.findings;
  }
}
