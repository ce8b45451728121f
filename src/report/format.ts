/** Numbers and names as people read them. */
import { displayWidth, headOf, tailOf } from './text-width.js';

export { percent } from '../doctor/wording.js';

/** dB with one decimal; "exact" or "-" where there is none. */
export function decibels(measured: { readonly sqnrDb?: number; readonly exact?: true } | undefined): string {
  if (measured?.exact === true) return 'exact';
  return measured?.sqnrDb === undefined ? '-' : measured.sqnrDb.toFixed(1);
}

/** Four significant digits, no exponent where a plain number is as short. */
export function number(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

/** 1234567 -> 1 234 567 */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

/** 1 layer, 2 layers */
export function plural(many: number, one: string): string {
  return `${count(many)} ${one}${many === 1 ? '' : 's'}`;
}

/** 1536000 -> 1.5 MB */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(value) / 3), units.length);
  return `${Number((value / 1000 ** power).toPrecision(3))} ${units[power - 1] ?? 'kB'}`;
}

/** Names come from files anybody may have made: no control, direction or invisible characters reach a terminal. */
export function printable(name: string): string {
  return name.replace(
    /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu,
    (c) => {
      const code = c.codePointAt(0) ?? 0;
      const digits = code.toString(16).padStart(4, '0');
      return code > 0xffff ? `\\u{${digits}}` : `\\u${digits}`;
    },
  );
}

/** At most `width` cells, and one at least: the middle goes first, since names differ at their ends. */
export function shortened(name: string, width: number): string {
  const text = printable(name);
  if (displayWidth(text) <= width) return text;
  const kept = Math.max(0, width - 1);
  const head = Math.floor(kept / 3);
  return `${headOf(text, head)}…${tailOf(text, kept - head)}`;
}

export function shape(dims: readonly (number | string | null)[] | undefined): string {
  if (dims === undefined) return '?';
  return dims.length === 0
    ? 'scalar'
    : dims.map((dim) => (dim === null ? '?' : printable(String(dim)))).join('x');
}

/** 1, 2, 3 and 4 more */
export function listed(items: readonly (string | number)[], most: number): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}

/** Breaks text at spaces into lines of at most `width` cells; what is longer without a space is cut. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let taken = 0;
  for (const piece of text.split(' ').flatMap((word) => pieces(word, Math.max(1, width)))) {
    const cells = displayWidth(piece);
    if (line !== '' && taken + 1 + cells > width) {
      lines.push(line);
      line = piece;
      taken = cells;
    } else {
      taken = line === '' ? cells : taken + 1 + cells;
      line = line === '' ? piece : `${line} ${piece}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, width: number): string[] {
  const cut: string[] = [];
  let rest = word;
  while (displayWidth(rest) > width) {
    // One character may be wider than a line.
    const head = headOf(rest, width) || String.fromCodePoint(rest.codePointAt(0) ?? 0);
    cut.push(head);
    rest = rest.slice(head.length);
  }
  return [...cut, rest];
}

/** Text behind a label, wrapped; all lines but the first are indented as far. `paint` colours the text of a line. */
export function labelled(
  label: string,
  text: string,
  width: number,
  paint: (line: string) => string = (line) => line,
): string[] {
  const indent = displayWidth(label);
  return wrapped(text, width - indent).map(
    (line, i) => `${i === 0 ? label : ' '.repeat(indent)}${paint(line)}`,
  );
}
