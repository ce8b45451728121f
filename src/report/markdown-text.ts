/** Untrusted text in GitHub's Markdown: https://github.github.com/gfm/ */
import { safeText } from './document-text.js';
import { shortened } from './format.js';

const LONGEST_NAME = 100;
const LONGEST_SENTENCE = 600;

/** Every character that begins something in Markdown or HTML, as a character reference: it is text then, wherever it stands. */
const SPECIAL = /[&<>|`*_[\]\\~"'$!:#{}]/g;

/**
 * A sentence, not at the start of a line. Nothing in it is markup, a link, a mention or the reference of an issue; a table stays a
 * table. Mentions and issues are looked for in what Markdown has made of the text: a space of no width keeps them apart.
 */
export function text(sentence: string): string {
  const plain = safeText(shortened(sentence, LONGEST_SENTENCE));
  return escaped(plain)
    .replaceAll('@', '@&#8203;')
    .replace(/&#35;(?=\d)/g, '&#35;&#8203;');
}

/** A name, set as code, where nothing is mentioned. */
export function code(name: string): string {
  return name === '' ? '' : `<code>${escaped(safeText(shortened(name, LONGEST_NAME)))}</code>`;
}

function escaped(plain: string): string {
  return plain
    .replace(SPECIAL, (character) => `&#${character.charCodeAt(0)};`)
    .replace(/\bwww\./gi, (start) => `${start.slice(0, -1)}&#46;`);
}

/** A command to copy: its characters as they are, in a fence longer than any inside. */
export function command(edit: string): string {
  const plain = safeText(edit);
  const longest = Math.max(0, ...(plain.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  const gap = plain.startsWith('`') || plain.endsWith('`') ? ' ' : '';
  return `${fence}${gap}${plain}${gap}${fence}`;
}

/** Lines that a click shows. @param title Markdown is not read in it */
export function details(title: string, lines: readonly string[]): string[] {
  return lines.length === 0
    ? []
    : [`<details><summary>${escaped(title)}</summary>`, '', ...lines, '', '</details>'];
}

/** Cells are Markdown already. Columns whose titles begin with `>` are right-aligned. */
export function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(titles.map((title) => title.replace(/^>/, ''))),
    line(titles.map((title) => (title.startsWith('>') ? '---:' : '---'))),
    ...rows.map(line),
  ];
}
