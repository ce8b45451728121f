/** Which rules could speak, as text for a terminal: what was not looked at is no good news. */
import { labelled, listed, plural } from './format.js';
import type { Finding } from '../doctor/finding.js';
import { groupBy } from './group.js';
import type { ReportedRules } from './report.js';
import { prose } from './terminal-page.js';

const LABEL = 'CHECKED  ';
const BLANK = ' '.repeat(LABEL.length);
const NAMED = 4;

/** In short, where rules are not what the report is about. */
export function checkedInShort(
  { checked, skipped }: ReportedRules,
  findings: readonly Finding[],
  width: number,
): string[] {
  const lacks = [...new Set(skipped.map(({ missing }) => missing))];
  const more = skipped.length === 0 ? '' : `; ${skipped.length} more would need ${lacks.join(', or ')}`;
  return labelled(LABEL, prose(`${plural(checked.length, 'rule')}${foundText(findings)}${more}`), width);
}

function foundText(findings: readonly Finding[]): string {
  return findings.every(({ severity }) => severity === 'note') ? ': no fault found' : '';
}

export function checkedLines(
  { checked, skipped }: ReportedRules,
  findings: readonly Finding[],
  width: number,
): string[] {
  const lacking = [...groupBy(skipped, ({ missing }) => missing)].sort(([, a], [, b]) => b.length - a.length);
  return [
    ...labelled(LABEL, `${plural(checked.length, 'rule')}${foundText(findings)}`, width),
    ...lacking.flatMap(([missing, rules]) => {
      const names = listed(
        rules.map(({ rule }) => rule),
        NAMED,
      );
      return labelled(BLANK, prose(`not checked without ${missing}: ${names}`), width);
    }),
  ];
}
