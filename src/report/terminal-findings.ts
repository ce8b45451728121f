/** Findings as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import type { Finding, Fix } from '../doctor/finding.js';
import { isFutile, measuredText } from './fix-text.js';
import { labelled, listed, shortened } from './format.js';
import { groupBy } from './group.js';
import { INDENT } from './terminal-layers.js';
import { prose } from './terminal-page.js';
import { displayWidth } from './text-width.js';

const TOLD_PER_RULE = 3;
const MORE_PLACES = 8;
/** Indent of what is told of a finding. */
const TOLD = '           ';
const TRY = `${TOLD}try: `;

/** Findings of one rule stand together; the first few are told in full, the places of the others in one line. */
export function findingLines(all: readonly Finding[], style: ChalkInstance, width: number): string[] {
  if (all.length === 0) return [];
  const mark = { error: style.red('error  '), warning: style.yellow('warning'), note: 'note   ' };
  const byRule = groupBy(all, ({ rule, severity }) => `${severity} ${rule}`);
  const lines = [...byRule.values()].flatMap((same) => {
    const told = same.slice(0, TOLD_PER_RULE).flatMap(({ rule, severity, subject, message, fix }, i) => {
      // Exporters that name a node after its weight would have it twice.
      const names = new Set([subject.node, subject.tensor].filter((name) => name !== undefined));
      const place = [...names].join(' > ');
      const placed =
        place === ''
          ? ''
          : `  ${style.bold(shortened(place, Math.max(width - TOLD.length - rule.length - 2, 1)))}`;
      const next = same[i + 1]?.fix?.edit;
      return [
        `${INDENT}${mark[severity]}  ${rule}${placed}`,
        ...labelled(TOLD, prose(message), width),
        ...(fix === undefined || (next === fix.edit && fix.measured === undefined && i + 1 < TOLD_PER_RULE)
          ? []
          : tried(fix, style, width)),
      ];
    });
    const rest = same.slice(TOLD_PER_RULE).map(({ subject }) => prose(subject.node ?? subject.tensor ?? ''));
    return rest.length === 0
      ? told
      : [...told, ...labelled(TOLD, `and ${rest.length} more: ${listed(rest, MORE_PLACES)}`, width)];
  });
  return [`FINDINGS  ${all.length}, worst first`, ...lines];
}

function tried(fix: Fix, style: ChalkInstance, width: number): string[] {
  const { title, edit, measured } = fix;
  const gained =
    measured === undefined
      ? []
      : labelled(
          TOLD,
          prose(`${isFutile(fix) ? 'tried, no gain by itself:' : 'gives'} ${measuredText(measured)}`),
          width,
        );
  const text = prose(edit);
  const lines = labelled(TRY, text, width, style.bold);
  const told = prose(title);
  const fits = displayWidth(`${TRY}${text}  (${told})`) <= width;
  return [
    ...(fits ? lines.map((line) => `${line}  (${told})`) : [...lines, ...labelled(TOLD, `(${told})`, width)]),
    ...gained,
  ];
}
