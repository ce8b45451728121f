/** A run of the candidate elsewhere, beside its simulation, as text for a terminal: the runtime's own integers, a device's dump. */
import type { ChalkInstance } from 'chalk';
import { columns, type Column, type Row } from './columns.js';
import { NAME_IN_TEXT } from './compare-layers.js';
import type { OtherRun, OtherTensor } from './compare-report.js';
import {
  count,
  decibels,
  labelled,
  listed,
  number,
  percent,
  plural,
  printable,
  shortened,
} from './format.js';
import { groupBy } from './group.js';
import { INDENT, legend, right, SHORTEST_NAME, type TableOptions } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Codes that rounding explains; and of float tensors, the SQNR. */
const ROUNDING_CODES = 1;
const ROUNDING_DB = 60;
const OP_WIDTH = 14;
const MOST_REASONS = 8;
const MOST_SUBJECTS = 3;

const LEGEND =
  'differ: values whose codes are not those of the simulation. codes: largest difference in codes. beside sim.: SQNR beside the ' +
  'simulation of the same file. beside ref.: SQNR beside the float reference. dB, higher is better.';

/** Whether a tensor is off by more than rounding. */
export function departs({ differing, maxCodes, simulated }: OtherTensor): boolean {
  if (differing === 0 || simulated.exact === true) return false;
  return maxCodes === undefined ? (simulated.sqnrDb ?? 0) < ROUNDING_DB : maxCodes > ROUNDING_CODES;
}

/** `name` is the title of the section. */
export function otherRunSection(
  name: string,
  { source, samples, tensors, skipped }: OtherRun,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const differing = tensors.filter((tensor) => tensor.differing > 0);
  const first = tensors.find(departs);
  const told = `${source}, beside the simulation, ${plural(samples, 'sample')}: ${found(tensors, differing.length, first)}`;
  return [
    ...labelled(`${name}  `, prose(told), width),
    ...(first === undefined ? [] : labelled(INDENT, firstText(first), width, style.bold)),
    ...table(differing, style, width, top),
    ...skippedLines(skipped, width),
  ];
}

function found(tensors: readonly OtherTensor[], differing: number, first: OtherTensor | undefined): string {
  if (tensors.length === 0) return 'no tensor was compared';
  if (differing === 0) return `${plural(tensors.length, 'tensor')} compared, none differs`;
  return `${differing} of ${plural(tensors.length, 'tensor')} differ${first === undefined ? ' by rounding only' : ''}`;
}

function firstText({ tensor, op, values, differing, maxCodes, simulated }: OtherTensor): string {
  const most = maxCodes === undefined ? '' : `, by ${plural(maxCodes, 'code')} at most`;
  return (
    `first that departs: ${shortened(tensor, NAME_IN_TEXT)} (${shortened(op, OP_WIDTH)}): ` +
    `${count(differing)} of ${plural(values, 'value')} differ${most}; SQNR beside the simulation ${decibels(simulated)} dB`
  );
}

/** In graph order: what follows the first may only have inherited. */
function table(
  differing: readonly OtherTensor[],
  style: ChalkInstance,
  width: number,
  top: number,
): string[] {
  if (differing.length === 0) return [];
  // From the first that departs on; before it, rounding.
  const start = Math.max(0, differing.findIndex(departs));
  const shown = differing.slice(start, start + top);
  const isRead = shown.some(({ read }) => read !== undefined);
  const titles: Column[] = [
    { title: `${INDENT}tensor`, least: SHORTEST_NAME },
    { title: 'op', expendable: 2 },
    right('differ'),
    right('codes'),
    right('beside sim.'),
    right('beside ref.'),
    ...(isRead ? [{ title: 'read as', least: SHORTEST_NAME, expendable: 1 }] : []),
  ];
  const rows = shown.map((other): Row => [
    `${INDENT}${printable(other.tensor)}`,
    shortened(other.op, OP_WIDTH),
    percent(other.differing / other.values),
    other.maxCodes === undefined ? '-' : number(other.maxCodes),
    { text: decibels(other.simulated), paint: style.bold },
    decibels(other.reference),
    printable(other.read ?? ''),
  ]);
  const before = start === 0 ? [] : [`${start} before it by rounding only`];
  const after = differing.length - start - shown.length;
  const rest = [...before, ...(after === 0 ? [] : [`${after} behind these`])];
  return [
    ...columns(titles, rows, width),
    ...(rest.length === 0 ? [] : labelled(INDENT, `not listed: ${rest.join(', ')}`, width)),
    ...legend(LEGEND, width),
  ];
}

function skippedLines(skipped: OtherRun['skipped'], width: number): string[] {
  const byReason = [...groupBy(skipped, ({ reason }) => reason)];
  const lines = byReason.slice(0, MOST_REASONS).flatMap(([reason, same]) => {
    const subjects = same.map(({ subject }) => subject);
    const text = `skipped ${subjects.length} because ${reason}: ${listed(subjects, MOST_SUBJECTS)}`;
    return labelled(INDENT, prose(text), width);
  });
  const others = byReason.slice(MOST_REASONS).reduce((sum, [, same]) => sum + same.length, 0);
  return others === 0
    ? lines
    : [...lines, `${INDENT}skipped ${others} for other reasons; --report json lists all`];
}
