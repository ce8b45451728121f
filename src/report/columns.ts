/**
 * Text in columns that fit a width. Written out because cli-table3 takes about a millisecond a row, and quadratic time
 * beyond a thousand rows (48 s for 10,000), while `inspect` lists every operator of a model.
 */
import { shortened } from './format.js';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Names: shortened to what the other columns leave. At most one. */
  readonly isFlexible?: true;
  /** Left out where the width is too small, the lowest number first. */
  readonly expendable?: number;
}

export interface Cell {
  readonly text: string;
  /** Colours the padded text. */
  readonly paint?: (text: string) => string;
}

export type Row = readonly (string | Cell)[];

const GAP = '  ';
/** A name is shown with this many characters at least. */
const SHORTEST_NAME = 20;

/** One line for the titles, unless all are empty, and one for each row. No trailing blanks. */
export function columns(titles: readonly Column[], rows: readonly Row[], width: number): string[] {
  const natural = titles.map(({ title }, i) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(textOf(row[i]))), displayWidth(title)),
  );
  const shown = fitting(titles, natural, width);
  const flexible = titles.findIndex(({ isFlexible }) => isFlexible === true);
  const others = shown
    .filter((i) => i !== flexible)
    .reduce((sum, i) => sum + (natural[i] ?? 0) + GAP.length, 0);
  const longest = Math.max(SHORTEST_NAME, width - others);
  const widths = natural.map((size, i) => (i === flexible ? Math.min(size, longest) : size));
  const line = (row: Row): string =>
    shown
      .map((i) => padded(row[i] ?? '', widths[i] ?? 0, titles[i]?.align === 'right'))
      .join(GAP)
      .trimEnd();
  const heads = titles.map(({ title }) => title);
  return [...(heads.some((title) => title !== '') ? [line(heads)] : []), ...rows.map(line)];
}

/** Columns that have room, by index. */
function fitting(titles: readonly Column[], natural: readonly number[], width: number): number[] {
  let shown = [...titles.keys()];
  const needed = (): number =>
    shown.reduce((sum, i) => {
      const size = natural[i] ?? 0;
      return sum + GAP.length + (titles[i]?.isFlexible === true ? Math.min(size, SHORTEST_NAME) : size);
    }, -GAP.length);
  const expendable = shown
    .filter((i) => titles[i]?.expendable !== undefined)
    .sort((a, b) => (titles[a]?.expendable ?? 0) - (titles[b]?.expendable ?? 0));
  for (const column of expendable) {
    if (needed() <= width) break;
    shown = shown.filter((i) => i !== column);
  }
  return shown;
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
