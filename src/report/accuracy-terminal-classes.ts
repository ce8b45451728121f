/** Classes beside each other: which one has lost what. */
import type { ChalkInstance } from 'chalk';
import type { Accuracy, ScoredNetwork } from '../diff/accuracy/accuracy.js';
import { columns, type Column, type Row } from './columns.js';
import { cellValue, change, className, lostClasses, metricName, metricValue } from './evaluated-text.js';
import { count, labelled, printable, shortened } from './format.js';
import { INDENT, right, SHORTEST_NAME, type Room } from './terminal-layers.js';

/** All classes are listed up to this many; of more, the worst. */
const ALL_CLASSES = 12;
const WORST_CLASSES = 10;
/** Of one candidate, in a line. */
const TOLD_CLASSES = 5;
/** Characters of a network's title. */
const LONGEST_TITLE = 24;
/** Networks whose titles have room. */
const MOST_TITLES = 3;
/** Enough for its values. */
const SHORTEST_TITLE = 10;
const NAME = 40;

/** Rows of the table: classes, with what each network scores; networks in their order. */
export interface ClassRow {
  readonly label: number;
  readonly name?: string;
  readonly support: number;
  readonly values: readonly (number | undefined)[];
}

export interface ClassTable {
  readonly networks: readonly ScoredNetwork[];
  readonly rows: readonly ClassRow[];
  /** Classes that the networks have values of, shown or not. */
  readonly classes: number;
}

/** Undefined where no network has values by class. @param top classes at most, the worst; where undefined, all of a few */
export function classTable({ networks, better }: Accuracy, top?: number): ClassTable | undefined {
  const scored = networks.filter(({ perClass = [] }) => perClass.length > 0);
  const [reference] = scored;
  if (reference === undefined) return undefined;
  const byLabel = scored.map(({ perClass = [] }) => new Map(perClass.map((entry) => [entry.label, entry])));
  const rows = (reference.perClass ?? []).map(({ label, support, name }): ClassRow => ({
    label,
    support,
    ...(name === undefined ? {} : { name }),
    values: byLabel.map((classes) => classes.get(label)?.value),
  }));
  if (rows.length <= (top ?? ALL_CLASSES)) return { networks: scored, rows, classes: rows.length };
  const told = scored.findIndex(({ network }) => network === 'candidate');
  const last = told < 0 ? scored.length - 1 : told;
  const gain = ({ values }: ClassRow): number => {
    const [from, to] = [values[0], values[last]];
    return from === undefined || to === undefined ? Infinity : better === 'higher' ? to - from : from - to;
  };
  const ranked = rows.map((row) => ({ row, gain: gain(row) }));
  // Infinity - Infinity is no order.
  ranked.sort((a, b) => (a.gain < b.gain ? -1 : a.gain > b.gain ? 1 : a.row.label - b.row.label));
  const worst = ranked.slice(0, top ?? WORST_CLASSES).map(({ row }) => row);
  return { networks: scored, rows: worst, classes: rows.length };
}

export function classLines(accuracy: Accuracy, style: ChalkInstance, { width, top }: Room): string[] {
  const shown = classTable(accuracy, top);
  if (shown === undefined) return [];
  return isTable(accuracy, shown)
    ? table(accuracy, shown, style, width)
    : worstLine(accuracy, { width, top });
}

/** Intersections over union are read class by class; so are several networks. */
function isTable({ metric }: Accuracy, { networks }: ClassTable): boolean {
  return networks.length > 2 || /iou/i.test(metric);
}

/** "10 of 21 classes, those that lost most" */
export function classesText({ metric }: Accuracy, { rows, classes }: ClassTable): string {
  const name = metricName(metric);
  return rows.length === classes
    ? `${name} by class`
    : `${name} by class, the ${rows.length} of ${classes} that lost most`;
}

function table(accuracy: Accuracy, shown: ClassTable, style: ChalkInstance, width: number): string[] {
  const { networks, rows } = shown;
  const { unit } = accuracy;
  const value = (score: number | undefined): string => cellValue(score, unit);
  const titles: Column[] = [
    { title: `${INDENT}class`, least: SHORTEST_NAME },
    ...networks.map(({ network, title }) => ({
      // Many titles have no room beside each other; the table above says what each is.
      ...right(networks.length > MOST_TITLES ? network : shortened(title, LONGEST_TITLE)),
      least: SHORTEST_TITLE,
    })),
    { ...right('in labels'), expendable: 1 },
  ];
  const mean: Row = [
    `${INDENT}all`,
    ...networks.map((network) => ({ text: value(network.value), paint: style.bold })),
    '',
  ];
  const lines = rows.map((row): Row => [
    `${INDENT}${printable(className(row))}`,
    ...row.values.map(value),
    count(row.support),
  ]);
  const title = `${classesText(accuracy, shown)}${unit === '' ? '' : `, ${unit}`}`;
  return ['', ...labelled(INDENT, title, width), ...columns(titles, [mean, ...lines], width), ''];
}

function worstLine(accuracy: Accuracy, { width, top = TOLD_CLASSES }: Room): string[] {
  const { networks, deltaUnit, unit } = accuracy;
  const before = new Map((networks[0]?.perClass ?? []).map(({ label, value }) => [label, value]));
  const lost = lostClasses(accuracy);
  if (lost.length === 0) return [];
  const told = lost.slice(0, top).map((entry) => {
    const from = metricValue(before.get(entry.label), unit);
    const to = metricValue(entry.value, unit);
    return `${shortened(className(entry), NAME)} ${from} -> ${to} (${change(entry.delta, deltaUnit)}, n ${count(entry.support)})`;
  });
  const more = lost.length > top ? `, and ${lost.length - top} more` : '';
  return labelled(INDENT, `classes that lost: ${told.join(', ')}${more}`, width);
}
