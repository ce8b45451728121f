/** Which rules could speak, as text for a terminal: what was not looked at is no good news. */
import { labelled, listed, plural } from './format.js';
import type { Finding } from '../doctor/finding.js';
import { groupBy } from './group.js';
import type { ReportedRules } from './report.js';

const LABEL = 'CHECKED  ';
const BLANK = ' '.repeat(LABEL.length);
const NAMED = 4;

export function checkedLines(
  { checked, skipped }: ReportedRules,
  findings: readonly Finding[],
  width: number,
): string[] {
  const serious = findings.filter(({ severity }) => severity !== 'note');
  const found = serious.length === 0 ? ': no fault found' : '';
  const lacking = [...groupBy(skipped, ({ missing }) => missing)].sort(([, a], [, b]) => b.length - a.length);
  return [
    ...labelled(LABEL, `${plural(checked.length, 'rule')}${found}`, width),
    ...lacking.flatMap(([missing, rules]) => {
      const names = listed(
        rules.map(({ rule }) => rule),
        NAMED,
      );
      return labelled(BLANK, `not checked without ${missing}: ${names}`, width);
    }),
  ];
}
