/** Names and sentences of untrusted files in documents that other programs read. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { GateCheck } from '../diff/gate/gate.js';
import { checkText, extent, metricName, metricValue } from './evaluated-text.js';
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

/**
 * A metric beside the first, in a line: its summary where it has labels, otherwise "agreement of the candidate with the reference:
 * 98.20 % (95 % 96.7 to 99.0)" and no word on who is right, which the first metric says.
 */
export function besideText(metric: Accuracy): string {
  const { labels, candidate, candidateInterval, unit, summary } = metric;
  if (labels !== undefined) return summary;
  const sure = candidateInterval === undefined ? '' : ` (95 % ${extent(candidateInterval, unit)})`;
  const against = metric.metric === 'agreement' ? 'with' : 'against';
  const told = candidate === undefined ? 'no value' : metricValue(candidate, unit);
  return `${metricName(metric.metric)} of the candidate ${against} the reference: ${told}${sure}`;
}

/** Decided at a metric; all others are at a tensor, which may be called as any metric. */
const OF_METRICS: ReadonlySet<string> = new Set(['max-drop', 'baseline accuracy']);

/** Where a check was decided, as the reader calls it. */
export function decidedAt({ name, where }: Pick<GateCheck, 'name' | 'where'>): string | undefined {
  return where !== undefined && OF_METRICS.has(name) ? metricName(where) : where;
}

/** A check in a sentence. */
export function toldCheck(check: GateCheck): string {
  const where = decidedAt(check);
  return checkText(where === undefined ? check : { ...check, where });
}

/** Why accuracy that nobody insisted on is missing, of all networks or of one: "accuracy not evaluated: ..." */
export function missingAccuracy(
  notMeasured: readonly { readonly subject: string; readonly reason: string }[],
): string[] {
  return notMeasured
    .filter(({ subject }) => subject === 'accuracy' || subject === 'accuracy of the runtime')
    .map(({ subject, reason }) => `${subject} not evaluated: ${reason}`);
}
