/**
 * Text in columns that fit a width. Written out because cli-table3 takes about a millisecond a row, and quadratic time
 * beyond a thousand rows (48 s for 10,000), while `inspect` lists every operator of a model.
 */
import { shortened } from './format.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Names: shortened where the width is too small, down to this many characters. */
  readonly least?: number;
  /** Left out where that is not enough, the lowest number first. */
  readonly expendable?: number;
}

export interface Cell {
  readonly text: string;
  /** Colours the padded text. */
  readonly paint?: (text: string) => string;
}

export type Row = readonly (string | Cell)[];

const GAP = '  ';

/** One line for the titles, unless all are empty, and one for each row. No trailing blanks. */
export function columns(titles: readonly Column[], rows: readonly Row[], width: number): string[] {
  const natural = naturalWidths(titles, rows);
  const least = leastWidths(titles, natural);
  const shown = fitting(titles, least, width);
  const widths = shrunk(shown, natural, least, width);
  const line = (row: Row): string =>
    shown
      .map((i) => padded(row[i] ?? '', widths[i] ?? 0, titles[i]?.align === 'right'))
      .join(GAP)
      .trimEnd();
  const heads = titles.map(({ title }) => title);
  return [...(heads.some((title) => title !== '') ? [line(heads)] : []), ...rows.map(line)];
}

/** Which columns `columns` shows, by index: a legend need not tell of others. */
export function shownColumns(
  titles: readonly Column[],
  rows: readonly Row[],
  width: number,
): readonly number[] {
  return fitting(titles, leastWidths(titles, naturalWidths(titles, rows)), width);
}

function leastWidths(titles: readonly Column[], natural: readonly number[]): number[] {
  return natural.map((size, i) => Math.min(size, titles[i]?.least ?? size));
}

/** Of a table that something is to stand beside: which columns fit, and the characters that they then take. */
export function columnsWithin(
  titles: readonly Column[],
  rows: readonly Row[],
  width: number,
): { readonly shown: readonly number[]; readonly width: number } {
  const natural = naturalWidths(titles, rows);
  const shown = fitting(titles, natural, width);
  return { shown, width: lineWidth(shown, natural) };
}

function naturalWidths(titles: readonly Column[], rows: readonly Row[]): number[] {
  return titles.map(({ title }, i) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(textOf(row[i]))), displayWidth(title)),
  );
}

function lineWidth(shown: readonly number[], widths: readonly number[]): number {
  return shown.reduce((sum, i) => sum + (widths[i] ?? 0) + GAP.length, -GAP.length);
}

/** Columns that have room when all have these widths, by index. */
function fitting(titles: readonly Column[], least: readonly number[], width: number): number[] {
  let shown = [...titles.keys()];
  const expendable = shown
    .filter((i) => titles[i]?.expendable !== undefined)
    .sort((a, b) => (titles[a]?.expendable ?? 0) - (titles[b]?.expendable ?? 0));
  for (const column of expendable) {
    if (lineWidth(shown, least) <= width) break;
    shown = shown.filter((i) => i !== column);
  }
  return shown;
}

/** Widths that fit: the columns with most to spare give way first. */
function shrunk(
  shown: readonly number[],
  natural: readonly number[],
  least: readonly number[],
  width: number,
): number[] {
  const widths = [...natural];
  const spare = (i: number): number => (widths[i] ?? 0) - (least[i] ?? 0);
  for (let excess = lineWidth(shown, widths) - width; excess > 0; excess--) {
    const widest = shown.reduce((most, i) => (spare(i) > spare(most) ? i : most), shown[0] ?? 0);
    if (spare(widest) <= 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function padded(cell: string | Cell, width: number, right: boolean): string {
  const full = textOf(cell);
  const text = displayWidth(full) > width ? shortened(full, width) : full;
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  const whole = right ? blanks + text : text + blanks;
  return typeof cell === 'string' || cell.paint === undefined ? whole : cell.paint(whole);
}

function textOf(cell: string | Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}

const PLAIN = /^[\u0020-\u007e]*$/;
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const GRAPHEMES = new Intl.Segmenter();

/** Terminal cells of a text without control characters: East Asian wide characters and emoji take two. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}
