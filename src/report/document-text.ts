/** Names and sentences of untrusted files in documents that other programs read. */
import { printable, shortened } from './format.js';
import { prose } from './terminal-page.js';

/** Longer, nothing is a name any more; TFLite's lists of fused operators come near. */
const LONGEST_NAME = 400;
const LONGEST_TEXT = 4000;

/** Half a surrogate pair, and the two code points that no document may hold. */
const NO_CHARACTERS =
  /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\ufffe\uffff]/g;

/** Unicode that can be encoded: what is none becomes U+FFFD, as in decoders. */
export function wellFormed(text: string): string {
  return text.replace(NO_CHARACTERS, '\ufffd');
}

/** One line of at most 400 characters without control, direction or invisible characters. */
export function safeName(name: string): string {
  return wellFormed(shortened(name, LONGEST_NAME));
}

/** The same of a sentence, of at most 4000 characters. */
export function safeText(text: string): string {
  const told = prose(text);
  return wellFormed(told.length <= LONGEST_TEXT ? told : `${told.slice(0, LONGEST_TEXT - 1)}…`);
}

/** The same of any length, where no character may be lost. */
export function safeWhole(text: string): string {
  return wellFormed(printable(text));
}
