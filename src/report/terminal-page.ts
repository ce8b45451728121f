/** The frame of a report on a terminal: what it starts with, and what separates its sections. */
import { stripVTControlCharacters } from 'node:util';
import type { ChalkInstance } from 'chalk';
import { inAscii } from './ascii.js';
import { measuredText } from './fix-text.js';
import { labelled, printable, shortened } from './format.js';
import type { Report, ReportedData } from './report.js';
import { displayWidth } from './text-width.js';

const VERDICT = 'VERDICT  ';
const BLANK = ' '.repeat(VERDICT.length);

/** A name in a sentence may be as long as TFLite's lists of fused operators are; what is longer says nothing. */
const LONGEST_WORD = 400;
const LONGEST_PLACE = 120;

/** What is said of a network, whose names may be of any length. */
export function prose(text: string): string {
  return printable(text)
    .split(' ')
    .map((word) => shortened(word, LONGEST_WORD))
    .join(' ');
}

/** Sections with an empty line between them; those without lines are left out. No line is wider than the screen. */
export function page(
  sections: readonly (readonly string[])[],
  { width, unicode = true }: { readonly width: number; readonly unicode?: boolean },
): string {
  const text = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.flatMap((line) => within(line, width)).join('\n'))
    .join('\n\n');
  return `${unicode ? text : inAscii(text)}\n`;
}

/** A line that is too wide goes on under itself, without its colours. */
function within(line: string, width: number): string[] {
  const plain = stripVTControlCharacters(line);
  if (displayWidth(plain) <= width) return [line];
  const indent = /^ */.exec(plain)?.[0] ?? '';
  return labelled(indent.length < width / 2 ? indent : '', plain.trimStart(), width);
}

/** The one-sentence answer, its cause and place, and the guess about the data that decides all values. */
export function verdictLines(
  { summary, cause, where, fix }: Report['verdict'],
  data: ReportedData | undefined,
  style: ChalkInstance,
  width: number,
): string[] {
  const lines = labelled(VERDICT, prose(summary), width, style.bold);
  if (cause !== undefined) {
    const place = where === undefined ? '' : ` at ${shortened(where, LONGEST_PLACE)}`;
    const [first = '', ...more] = labelled(BLANK, `cause ${cause}${place}`, width);
    lines.push(first.replace(cause, style.bold(cause)), ...more);
  }
  if (fix !== undefined) {
    const gain = fix.measured === undefined ? '' : `: ${measuredText(fix.measured)}`;
    const [first = '', ...more] = labelled(BLANK, prose(`fix ${fix.edit}${gain}`), width);
    lines.push(first.replace(fix.edit, style.bold(fix.edit)), ...more);
  }
  if (data?.guessed !== undefined) {
    const text = `images are taken as ${data.guessed.value}, which is a guess: --preset says what the model wants`;
    lines.push(...labelled(BLANK, printable(text), width));
  }
  return lines;
}
