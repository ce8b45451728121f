/** Changes that were tried, all of them together, and the files that carry the decision, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { bytes, labelled, listed, plural, printable, shortened, wrapped } from './format.js';
import {
  effectDecibels,
  effectText,
  gainDecibels,
  helps,
  isFree,
  pointsCell,
  pointUnit,
  shareCell,
  type SweptMetric,
} from './sweep-effect.js';
import type { Effect, ReportedLaneFix, SweepReport } from './sweep-report.js';
import { decisionText, precision } from './sweep-verdict.js';
import { INDENT, type TableOptions } from './terminal-layers.js';
import { prose } from './terminal-page.js';

const LONGEST_FILE = 200;
const LONGEST_NAME = 60;
const MOST_NAMES = 24;
/** Of fixes that gave nothing, titles that are told. */
const MOST_FUTILE = 3;
/** Characters that a title has beside the numbers; with fewer it goes below them. */
const LEAST_TITLE = 40;
const GAP = '  ';

interface Field {
  readonly title: string;
  readonly cell: (fix: ReportedLaneFix) => string;
}

/** One line for each that helps: gains and cost in columns, then what it does, which may take several lines. */
export function fixesSection(
  { fixes, quantized, basis: { metric } }: SweepReport,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  if (fixes.length === 0) return [];
  const helping = fixes.filter((fix) => helps(fix, quantized));
  const shown = helping.slice(0, top);
  const title = `FIXES  ${helping.length} of ${plural(fixes.length, 'change')} tried help; gain over everything quantized, each by itself, best for its cost first`;
  const fields = fieldsOf(metric).filter(
    ({ cell }) => shown.length === 0 || shown.some((fix) => cell(fix) !== '-'),
  );
  const cells = shown.map((fix) => fields.map(({ cell }) => cell(fix)));
  const widths = fields.map(({ title: head }, i) =>
    Math.max(head.length, ...cells.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    INDENT + row.map((cell, i) => cell.padStart(widths[i] ?? 0) + GAP).join('');
  const left = helping.length - shown.length;
  return [
    ...wrapped(title, width),
    ...(shown.length === 0 ? [] : [line(fields.map(({ title: head }) => head)).trimEnd()]),
    ...shown.flatMap((fix, at) => {
      const label = line(cells[at] ?? []);
      const paint = painted(at, style);
      return width - label.length >= LEAST_TITLE
        ? labelled(label, prose(fix.title), width, paint)
        : [label.trimEnd(), ...labelled(INDENT + INDENT, prose(fix.title), width, paint)];
    }),
    ...(left > 0 ? [`${INDENT}and ${left} more; --top ${helping.length} lists all`] : []),
    ...futileLines(fixes, quantized, width),
  ];
}

/** The first is what is told first. */
function painted(at: number, style: ChalkInstance): (line: string) => string {
  return at === 0 ? style.bold : (line) => line;
}

function fieldsOf(metric: SweptMetric | undefined): Field[] {
  return [
    ...(metric === undefined
      ? []
      : [
          {
            title: `gain ${pointUnit(metric)}`,
            cell: ({ gain }: ReportedLaneFix) => pointsCell(gain, metric),
          },
        ]),
    { title: 'gain dB', cell: ({ gainDb, effect }) => gainDecibels(gainDb, effect) },
    { title: 'cost', cell: costText },
  ];
}

/** "none", "4.1 % MACs", "+12 kB" */
export function costText(fix: ReportedLaneFix): string {
  const { macsShare, bytes: more } = fix.cost;
  if (isFree(fix)) return 'none';
  return [
    ...(macsShare === 0 ? [] : [`${shareCell(macsShare)} MACs`]),
    ...(more === 0 ? [] : [`${more > 0 ? '+' : '-'}${bytes(Math.abs(more))}`]),
  ].join(' ');
}

function futileLines(fixes: readonly ReportedLaneFix[], quantized: Effect, width: number): string[] {
  const failed = fixes.filter(({ effect }) => effect.failure !== undefined);
  const futile = fixes.filter((fix) => fix.effect.failure === undefined && !helps(fix, quantized));
  const told = (all: readonly ReportedLaneFix[], what: string): string[] => {
    if (all.length === 0) return [];
    const more = all.length > MOST_FUTILE ? `; and ${all.length - MOST_FUTILE} more` : '';
    const titles = all.slice(0, MOST_FUTILE).map(({ title }) => title);
    return labelled(`${INDENT}${what}: `, prose(`${titles.join('; ')}${more}`), width);
  };
  return [...told(futile, 'no gain'), ...told(failed, 'could not be run')];
}

/** All that help at once. */
export function togetherSection({ together, fixes, basis, quantized }: SweepReport, width: number): string[] {
  // One is in the list above.
  if (together === undefined || together.fixes.length < 2) return [];
  const many = `${together.fixes.length} fixes`;
  const told = `${effectText(quantized, basis.metric)} -> ${wholeText(together.effect, basis.metric)}`;
  return [
    ...labelled('TOGETHER  ', prose(`${many} at once: ${told}`), width),
    ...titlesOf(together.fixes, fixes, width),
  ];
}

/** What exports carry. */
export function decisionSection(
  { decision, fixes, together, basis, search }: SweepReport,
  style: ChalkInstance,
  width: number,
): string[] {
  if (decision === undefined) return [];
  const { metric } = basis;
  const { meetsTarget, layers, to } = decision;
  const met =
    search === undefined || meetsTarget === undefined
      ? ''
      : `, ${meetsTarget ? 'within' : 'not within'} the target of ${search.target}`;
  const text = `${decisionText(decision)}: ${wholeText(decision.effect, metric)}${met}`;
  const names = layers.map((name) => shortened(name, LONGEST_NAME));
  const isTold = together?.fixes.join() === decision.fixes.join();
  return [
    ...labelled('DECISION  ', prose(text), width, style.bold),
    ...(names.length === 0
      ? []
      : labelled(`${INDENT}${precision({ to })}: `, listed(names, MOST_NAMES), width)),
    ...(isTold ? [] : titlesOf(decision.fixes, fixes, width)),
  ];
}

function titlesOf(ids: readonly string[], fixes: readonly ReportedLaneFix[], width: number): string[] {
  return ids.flatMap((id) =>
    labelled(`${INDENT}+ `, prose(fixes.find((fix) => fix.id === id)?.title ?? id), width),
  );
}

/** The metric, and dB beside it. */
function wholeText(effect: Effect, metric: SweptMetric | undefined): string {
  const noise =
    metric === undefined || effect.outputSqnrDb === undefined
      ? ''
      : `, ${effectDecibels(effect)} dB output SQNR`;
  return `${effectText(effect, metric)}${noise}`;
}

export function exportsSection({ exports }: SweepReport, style: ChalkInstance, width: number): string[] {
  if (exports.length === 0) return [];
  const kinds = exports.map(({ kind }) => kind.length);
  const label = INDENT.length + Math.max(...kinds) + GAP.length;
  return [
    'EXPORTS',
    ...exports.flatMap(({ kind, file, note, lost }) => [
      ...labelled(
        `${INDENT}${printable(kind)}`.padEnd(label),
        shortened(file, LONGEST_FILE),
        width,
        style.bold,
      ),
      ...labelled(' '.repeat(label), prose(note), width),
      ...lost.flatMap((what) => labelled(`${' '.repeat(label)}not told: `, prose(what), width)),
    ]),
  ];
}
