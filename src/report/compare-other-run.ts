/** A run of the candidate elsewhere, beside its simulation, as text for a terminal: the runtime's own integers, a device's dump. */
import type { ChalkInstance } from 'chalk';
import { departs } from '../diff/other-departure.js';
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

const OP_WIDTH = 14;
const MOST_REASONS = 8;
const MOST_SUBJECTS = 3;

const LEGEND =
  'differ: values whose codes are not those of the simulation. > 2: more than two codes apart. codes: largest difference. inputs: whether ' +
  'what the operator reads agrees, so that the difference is its own. sim., ref.: SQNR in dB beside the simulation of the same ' +
  'file, and beside the float reference; higher is better.';

/** The first that departs by itself; where none does, that departs. */
function firstDeparture(tensors: readonly OtherTensor[]): OtherTensor | undefined {
  return tensors.find((tensor) => tensor.inputsDiffer !== true && departs(tensor)) ?? tensors.find(departs);
}

/** `name` is the title of the section. */
export function otherRunSection(
  name: string,
  { source, samples, tensors, skipped }: OtherRun,
  style: ChalkInstance,
  options: TableOptions,
): string[] {
  const { width } = options;
  const differing = tensors.filter((tensor) => tensor.differing > 0);
  const first = firstDeparture(tensors);
  const told = `${source}, beside the simulation, ${plural(samples, 'sample')}: ${found(tensors, differing, first)}`;
  return [
    ...labelled(`${name}  `, prose(told), width),
    ...(first === undefined
      ? []
      : [
          ...labelled(INDENT, firstText(first), width, style.bold),
          ...table(differing, differing.indexOf(first), style, options),
        ]),
    ...skippedLines(skipped, width),
  ];
}

function found(
  tensors: readonly OtherTensor[],
  differing: readonly OtherTensor[],
  first: OtherTensor | undefined,
): string {
  if (tensors.length === 0) return 'no tensor was compared';
  if (differing.length === 0) return `${plural(tensors.length, 'tensor')} compared, none differs`;
  const told = `${differing.length} of ${plural(tensors.length, 'tensor')} ${differing.length === 1 ? 'differs' : 'differ'}`;
  if (first !== undefined) return told;
  const most = differing.reduce((codes, { maxCodes = 0 }) => Math.max(codes, maxCodes), 0);
  return `${told} by rounding only${most === 0 ? '' : `, ${plural(most, 'code')} at most`}`;
}

function firstText(first: OtherTensor): string {
  const { tensor, op, values, differing, maxCodes, inputsDiffer, nonFinite, simulated } = first;
  return [
    `first that departs: ${shortened(tensor, NAME_IN_TEXT)} (${shortened(op, OP_WIDTH)})`,
    `: ${count(differing)} of ${plural(values, 'value')} differ`,
    maxCodes === undefined || maxCodes === 0 ? '' : `, by ${plural(maxCodes, 'code')} at most`,
    nonFinite === undefined ? '' : `, ${count(nonFinite)} of them by not being finite`,
    simulated.sqnrDb === undefined ? '' : `; SQNR beside the simulation ${decibels(simulated)} dB`,
    inputsDiffer === undefined ? '' : `; what it reads ${inputsDiffer ? 'differs too' : 'agrees'}`,
  ].join('');
}

/** In graph order, from the first that departs on: before it is rounding, what follows may only have inherited. */
function table(
  differing: readonly OtherTensor[],
  start: number,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const shown = differing.slice(start, start + top);
  const isRead = shown.some(({ read }) => read !== undefined);
  const titles: Column[] = [
    { title: `${INDENT}tensor`, least: SHORTEST_NAME },
    { title: 'op', expendable: 2 },
    right('differ'),
    { ...right('> 2'), expendable: 4 },
    right('codes'),
    { title: 'inputs', expendable: 3 },
    right('sim.'),
    right('ref.'),
    ...(isRead ? [{ title: 'read as', least: SHORTEST_NAME, expendable: 1 }] : []),
  ];
  const rows = shown.map((other): Row => [
    `${INDENT}${printable(other.tensor)}`,
    shortened(other.op, OP_WIDTH),
    percent(other.differing / other.values),
    other.beyondTwoCodes === undefined ? '-' : percent(other.beyondTwoCodes / other.values),
    other.maxCodes === undefined ? '-' : number(other.maxCodes),
    other.inputsDiffer === undefined ? '-' : other.inputsDiffer ? 'differ' : 'agree',
    { text: decibels(other.simulated), paint: style.bold },
    decibels(other.reference),
    printable(other.read ?? ''),
  ]);
  const after = differing.length - start - shown.length;
  const rest = [
    ...(start === 0 ? [] : [`${start} before these`]),
    ...(after === 0 ? [] : [`${after} behind these`]),
  ];
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
