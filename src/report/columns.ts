/**
 * Text in columns that fit a width. Written out because cli-table3 takes about a millisecond a row, and quadratic time
 * beyond a thousand rows (48 s for 10,000), while `inspect` lists every operator of a model.
 */
import { labelled, shortened } from './format.js';
import { displayWidth } from './text-width.js';

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
  /** Colours the text. */
  readonly paint?: (text: string) => string;
}

export type Row = readonly (string | Cell)[];

const GAP = '  ';

/**
 * One line for the titles, unless all are empty, and one for each row. No trailing blanks. Where not even the shortest columns fit
 * beside each other, each row takes several lines: what it is called, and below it its cells behind their titles.
 */
export function columns(titles: readonly Column[], rows: readonly Row[], width: number): string[] {
  const { head, lines } = tableLines(titles, rows, width);
  return [...head, ...lines.flat()];
}

/** The same in parts, where something is to stand between rows. */
export function tableLines(
  titles: readonly Column[],
  rows: readonly Row[],
  width: number,
): {
  /** Empty where there are no titles, or where they stand in the rows. */
  readonly head: readonly string[];
  /** Of each row. */
  readonly lines: readonly (readonly string[])[];
} {
  const natural = naturalWidths(titles, rows);
  const least = leastWidths(titles, natural);
  const shown = fitting(titles, least, width);
  if (lineWidth(shown, least) > width)
    return { head: [], lines: rows.map((row) => stacked(titles, shown, row, natural, width)) };
  const widths = shrunk(shown, natural, least, width);
  const line = (row: Row): string =>
    shown
      .map((i) => padded(row[i] ?? '', widths[i] ?? 0, titles[i]?.align === 'right'))
      .join(GAP)
      .trimEnd();
  const heads = titles.map(({ title }) => title);
  return {
    head: heads.some((title) => title !== '') ? [line(heads)] : [],
    lines: rows.map((row) => [line(row)]),
  };
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

/** A row whose cells stand below each other; the first one names it. */
function stacked(
  titles: readonly Column[],
  shown: readonly number[],
  row: Row,
  natural: readonly number[],
  width: number,
): string[] {
  const [first = 0, ...others] = shown;
  const facts = others.flatMap((i) => {
    const text = textOf(row[i]).trim();
    return text === '' ? [] : [`${titles[i]?.title ?? ''} ${text}`.trim()];
  });
  const indent = /^ */.exec(titles[first]?.title ?? '')?.[0] ?? '';
  const name = padded(row[first] ?? '', Math.min(natural[first] ?? 0, width), false).trimEnd();
  return [...(name === '' ? [] : [name]), ...labelled(`${indent}  `, facts.join(', '), width)];
}

function padded(cell: string | Cell, width: number, right: boolean): string {
  const full = textOf(cell);
  const text = displayWidth(full) > width ? shortened(full, width) : full;
  const inked = text.trimEnd();
  const paint = typeof cell === 'string' ? undefined : cell.paint;
  const shown = paint === undefined ? text : paint(inked) + text.slice(inked.length);
  // Blanks have no colour: at the end of a line they go.
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? blanks + shown : shown + blanks;
}

function textOf(cell: string | Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}
