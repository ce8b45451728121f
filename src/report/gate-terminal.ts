/** Whether what was asked for holds, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import type { GateCheck, GateVerdict } from '../diff/gate/gate.js';
import { columns, type Column, type Row } from './columns.js';
import type { Evaluated, Suppressed } from './evaluated.js';
import { quantity, tallyText, urgentFirst } from './evaluated-text.js';
import { decidedAt } from './document-text.js';
import { labelled, plural, printable } from './format.js';
import { INDENT, right, SHORTEST_NAME, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Checks that are listed; layers have one each. */
const MOST_CHECKS = 20;
const MOST_SUPPRESSED = 8;

/** Nothing where no gate was set and nothing was accepted. */
export function gateSection(
  { gate, suppressed = [] }: Evaluated,
  style: ChalkInstance,
  { width, top = MOST_CHECKS }: Room,
): string[] {
  if (gate === undefined) {
    return suppressed.length === 0
      ? []
      : [`SUPPRESSED  ${suppressed.length}`, ...suppressedLines(suppressed, width)];
  }
  const { verdict, checks } = gate;
  const [first = '', ...more] = labelled('GATE  ', `${WORDS[verdict]}  ${tallyText(checks)}`, width);
  const failed = checks.filter((check) => check.verdict === 'fail').length;
  // What failed is never left out for what the user wants to see less of, up to the usual number.
  const listed = urgentFirst(checks).slice(0, Math.max(top, Math.min(failed, MOST_CHECKS)));
  const left = checks.length - listed.length;
  return [
    first.replace(WORDS[verdict], paint(verdict, style)(WORDS[verdict])),
    ...more,
    ...table(listed, style, width),
    ...(left === 0 ? [] : [`${INDENT}and ${plural(left, 'more check')}; --report json lists all`]),
    ...listed.flatMap(({ name, note }) =>
      note === undefined ? [] : labelled(INDENT, prose(`${name}: ${note}`), width),
    ),
    ...suppressedLines(suppressed, width),
  ];
}

const WORDS: Readonly<Record<GateVerdict, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
};

function paint(verdict: GateVerdict, style: ChalkInstance): (text: string) => string {
  return { pass: style.green, fail: style.red.bold, inconclusive: style.yellow.bold }[verdict];
}

function table(checks: readonly GateCheck[], style: ChalkInstance, width: number): string[] {
  if (checks.length === 0) return [];
  const hasPlace = checks.some(({ where }) => where !== undefined);
  const titles: Column[] = [
    { title: `${INDENT}check`, least: SHORTEST_NAME },
    right('threshold'),
    right('observed'),
    { ...right('margin'), expendable: 2 },
    ...(hasPlace ? [{ title: 'decided at', least: SHORTEST_NAME, expendable: 3 }] : []),
    { title: 'source', least: 12, expendable: 1 },
    { title: 'verdict' },
  ];
  const rows = checks.map(({ name, threshold, observed, margin, unit, where, source, verdict }): Row => [
    `${INDENT}${printable(name)}`,
    quantity(threshold, unit),
    { text: quantity(observed, unit), paint: style.bold },
    quantity(margin, ''),
    ...(hasPlace ? [printable((where === undefined ? undefined : decidedAt({ name, where })) ?? '')] : []),
    printable(source),
    { text: WORDS[verdict], paint: paint(verdict, style) },
  ]);
  return columns(titles, rows, width);
}

/** What is accepted is said all the same. */
function suppressedLines(suppressed: readonly Suppressed[], width: number): string[] {
  const lines = suppressed.slice(0, MOST_SUPPRESSED).flatMap(({ finding, reason, expires }) => {
    const place = finding.subject.node ?? finding.subject.tensor;
    const at = place === undefined ? '' : ` at ${place}`;
    const until = expires === undefined ? '' : ` (until ${expires})`;
    return labelled(INDENT, prose(`suppressed: ${finding.rule}${at}: ${reason}${until}`), width);
  });
  const left = suppressed.length - MOST_SUPPRESSED;
  return left > 0 ? [...lines, `${INDENT}and ${left} more suppressed`] : lines;
}
