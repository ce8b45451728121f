/** A float network that scores far too little was fed otherwise than it was trained: what it scores with the common preprocessings. */
import type { ChalkInstance } from 'chalk';
import { bestPreprocessing, type TriedPreprocessing } from '../diff/accuracy/preprocessing-search.js';
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import { columns, type Column, type Row } from './columns.js';
import type { Evaluated } from './evaluated.js';
import { extent, metricName, metricValue } from './evaluated-text.js';
import { labelled, printable } from './format.js';
import { INDENT, right, SHORTEST_NAME, type Room } from './terminal-layers.js';
import { prose } from './terminal-page.js';

const NOT_QUANTIZATION =
  'the float reference itself scores that little: this is not a quantization problem. Tried on it, on 100 of the samples at most:';

export interface TriedTable {
  readonly accuracy: Accuracy;
  /** The sentence above. */
  readonly lead: string;
  /** The present one first. */
  readonly tried: readonly TriedPreprocessing[];
  readonly best: TriedPreprocessing | undefined;
  /** What it comes to. */
  readonly text: string;
}

/** Undefined where nothing was tried. */
export function triedTable({ accuracy, preprocessings = [] }: Evaluated): TriedTable | undefined {
  if (accuracy === undefined || preprocessings.length === 0) return undefined;
  const { reference, referenceInterval } = accuracy;
  const current: TriedPreprocessing = {
    title: 'as it is now',
    flags: [],
    ...(reference === undefined ? {} : { value: reference }),
    ...(referenceInterval === undefined ? {} : { interval: referenceInterval }),
  };
  const { best, text } = bestPreprocessing(preprocessings, current, accuracy);
  return { accuracy, lead: NOT_QUANTIZATION, tried: [current, ...preprocessings], best, text };
}

export function preprocessingSection(
  report: Evaluated,
  style: ChalkInstance,
  { width, top = Infinity }: Room,
): string[] {
  const table = triedTable(report);
  if (table === undefined) return [];
  const { accuracy, lead, tried, best, text } = table;
  const titles: Column[] = [
    { title: `${INDENT}preprocessing`, least: SHORTEST_NAME },
    right(metricName(accuracy.metric)),
    { ...right('95 %'), expendable: 1 },
    { title: 'flags', least: SHORTEST_NAME },
  ];
  const shown = tried.filter((entry, i) => i < top || entry === best);
  const rows = shown.map((entry): Row => {
    const value = metricValue(entry.value, accuracy.unit);
    return [
      `${INDENT}${printable(entry.title)}`,
      entry === best ? { text: value, paint: style.bold } : value,
      extent(entry.interval, accuracy.unit),
      printable(entry.flags.join(' ')),
    ];
  });
  return [
    ...labelled('PREPROCESSING  ', prose(lead), width),
    ...columns(titles, rows, width),
    ...(shown.length === tried.length ? [] : [`${INDENT}and ${tried.length - shown.length} more (--top N)`]),
    ...labelled(INDENT, prose(text), width, style.bold),
  ];
}
