/** How two networks were laid beside each other, as text for a terminal: what is in one only, the ends, and what told the rest. */
import type { ChalkInstance } from 'chalk';
import type { Ground } from '../diff/alignment/alignment.js';
import { columns, type Column, type Row } from './columns.js';
import type { ReportedAlignment, UnmatchedNode } from './compare-report.js';
import { NAME_IN_TEXT } from './compare-layers.js';
import { labelled, listed, percent, plural, printable, shortened, wrapped } from './format.js';
import { groupBy } from './group.js';
import { INDENT, SHORTEST_NAME, type TableOptions } from './terminal-layers.js';
import { prose } from './terminal-page.js';

const OP_WIDTH = 24;
const MOST_OPS = 8;

const GROUNDS: Readonly<Record<Ground, string>> = {
  input: 'inputs',
  name: 'name',
  weights: 'weights',
  structure: 'structure',
  behaviour: 'behaviour on samples',
};

export function alignmentSection(
  { operators, tensors, grounds }: ReportedAlignment,
  width: number,
): string[] {
  const share = operators.total === 0 ? '' : ` (${percent(operators.matched / operators.total)})`;
  const told = Object.entries(grounds)
    .filter(([, tensorCount]) => tensorCount > 0)
    .map(([ground, tensorCount]) => `${GROUNDS[ground as Ground] ?? printable(ground)} ${tensorCount}`);
  const text =
    `${operators.matched} of ${plural(operators.total, 'compute operator')} of the candidate${share} and ${tensors.matched} of ` +
    `${plural(tensors.total, 'tensor')} have a counterpart in the reference` +
    (told.length === 0 ? '' : `, told by ${told.join(', ')}`);
  return labelled('ALIGNMENT  ', text, width);
}

/** An operation that one network lacks is often the answer. */
export function unmatchedSection(
  { unmatched }: ReportedAlignment,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  const { reference, candidate } = unmatched;
  if (reference.length + candidate.length === 0) return [];
  const title = `IN ONE NETWORK ONLY  ${plural(reference.length, 'node')} of the reference, ${candidate.length} of the candidate`;
  const row =
    (network: string) =>
    ({ node, op, tensor }: UnmatchedNode): Row => [
      `${INDENT}${network}`,
      { text: shortened(op, OP_WIDTH), paint: style.bold },
      printable(node),
      node === tensor ? '' : `writes ${printable(tensor)}`,
    ];
  const rows = [
    ...reference.slice(0, top).map(row('reference')),
    ...candidate.slice(0, top).map(row('candidate')),
  ];
  const plain: Column = { title: '' };
  const name: Column = { title: '', least: SHORTEST_NAME };
  return [
    ...wrapped(title, width),
    ...columns([plain, { title: '', least: SHORTEST_NAME }, name, { ...name, expendable: 1 }], rows, width),
    ...moreNodes('reference', reference.slice(top), width),
    ...moreNodes('candidate', candidate.slice(top), width),
  ];
}

function moreNodes(network: string, nodes: readonly UnmatchedNode[], width: number): string[] {
  if (nodes.length === 0) return [];
  const byOp = [...groupBy(nodes, ({ op }) => op)].sort((a, b) => b[1].length - a[1].length);
  const kinds = byOp.map(([op, same]) => `${same.length} ${shortened(op, OP_WIDTH)}`);
  return labelled(INDENT, `and ${nodes.length} more of the ${network}: ${listed(kinds, MOST_OPS)}`, width);
}

/** In the order of the candidate: which output of the reference each is, and how to read it. */
export function outputsSection(
  { outputs }: ReportedAlignment,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  if (outputs.length === 0) return [];
  const isMoved = outputs.some(
    ({ position, referencePosition }) => referencePosition !== undefined && referencePosition !== position,
  );
  return [
    ...wrapped(
      `OUTPUTS of the candidate${isMoved ? ', in another order than those of the reference' : ''}`,
      width,
    ),
    ...outputs.slice(0, top).flatMap((output) => {
      const { candidate, position, referencePosition } = output;
      const text = `${shortened(candidate, NAME_IN_TEXT)} ${counterpart(output)}; ${readAs(output)}`;
      const isOdd = referencePosition !== position;
      return labelled(`${INDENT}#${position}  `, text, width, isOdd ? style.bold : undefined);
    }),
    ...moreOf(outputs, top),
  ];
}

function counterpart({ reference, referencePosition }: ReportedAlignment['outputs'][number]): string {
  if (reference === undefined) return 'has no counterpart in the reference';
  const name = shortened(reference, NAME_IN_TEXT);
  return referencePosition === undefined
    ? `is ${name} of the reference, which is none of its outputs`
    : `is #${referencePosition} ${name} of the reference`;
}

/** Type and formula, and the order of axes where it differs. */
function readAs({ type, layout }: { readonly type?: string; readonly layout?: string }): string {
  return [type, layout]
    .filter((part) => part !== undefined)
    .map(prose)
    .join('; ');
}

/** Inputs that differ in more than their name. */
export function inputsSection({ inputs }: ReportedAlignment, { width, top }: TableOptions): string[] {
  const others = inputs.filter(({ layout, type }) => layout !== undefined || type !== undefined);
  if (others.length === 0) return [];
  return [
    ...wrapped('INPUTS of the candidate that are not as in the reference', width),
    ...others.slice(0, top).flatMap((input) => {
      const names = `${shortened(input.candidate, NAME_IN_TEXT)} is ${shortened(input.reference, NAME_IN_TEXT)} of the reference`;
      return labelled(INDENT, `${names}; ${readAs(input)}`, width);
    }),
    ...moreOf(others, top),
  ];
}

function moreOf(ports: readonly unknown[], top: number): string[] {
  return ports.length <= top ? [] : [`${INDENT}and ${ports.length - top} more; --report json lists all`];
}
