/** Values of a report as a page carries them: no digits that nobody reads, no text without end. */
import { createHash } from 'node:crypto';

/** More than any number on the page shows; the report itself has them all. */
const DIGITS = 6;

/**
 * A number that is not whole stays so: 99.9999999 % of the values is not all of them, and 19.9999999 dB is below a gate at 20.
 * Rounding keeps the order of numbers, so no smallest value passes the largest.
 */
export function rounded(value: number): number {
  if (Number.isInteger(value)) return value;
  const short = Number(value.toPrecision(DIGITS));
  return Number.isInteger(short) ? value : short;
}

/** Pictures are addresses of data: half of one shows nothing. */
const DATA = /^data:image\//;
/** Longest texts that are kept whole, in characters, and what all of them may take together. */
const LONGEST_TEXTS = [10_000, 2000, 400, 100];
const MOST_TEXT = 16_000_000;

/** Longest text that this report's page keeps whole, in characters: shorter where there is much of it. */
export function longestText(document: unknown): number {
  const lengths: number[] = [];
  collect(document, lengths);
  return (
    LONGEST_TEXTS.find(
      (longest) => lengths.reduce((sum, length) => sum + Math.min(length, longest), 0) <= MOST_TEXT,
    ) ?? 100
  );
}

function collect(value: unknown, lengths: number[]): void {
  if (typeof value === 'string') {
    if (!DATA.test(value)) lengths.push(value.length);
  } else if (Array.isArray(value)) {
    // Counts and scales are long, and no text is among them.
    if (typeof value[0] !== 'number') for (const item of value) collect(item, lengths);
  } else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) collect(item, lengths);
  }
}

/** The text, or its beginning and its end; texts that differ still do, since names find what belongs together. */
export function cutText(text: string, longest: number): string {
  if (text.length <= longest || DATA.test(text)) return text;
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const note = `…[${text.length} characters, sha256 ${digest}]…`;
  const kept = Math.max(0, longest - note.length);
  const head = Math.floor(kept / 2);
  return `${text.slice(0, head)}${note}${text.slice(text.length - (kept - head))}`;
}
