/** The table of quantized tensors, odd ones first. */
import type { ChalkInstance } from 'chalk';
import { tableLines, type Column, type Row } from './columns.js';
import { count, labelled, number, plural, printable, wrapped } from './format.js';
import type { Extremes, InspectedModel, InspectedTensor, TensorMark } from './inspect-report.js';
import type { TerminalOptions } from './terminal.js';

const INDENT = '  ';
/** In front of what is odd about the tensor above. */
const MARK = '    ^ ';
/** Rows where the user does not say how many; all that are odd are shown up to this many too. */
const ROWS = 12;

const right = (title: string, expendable?: number): Column => ({
  title,
  align: 'right',
  ...(expendable === undefined ? {} : { expendable }),
});

const COLUMNS: readonly Column[] = [
  { title: `${INDENT}tensor`, least: 16 },
  { title: 'role', expendable: 3 },
  { title: 'type' },
  { title: 'scales', expendable: 2 },
  right('scale'),
  right('zero'),
  right('lowest', 4),
  right('highest'),
];

export function tensorsSection(
  { quantization }: InspectedModel,
  style: ChalkInstance,
  { width, top = ROWS }: TerminalOptions,
): string[] {
  const tensors = quantization?.tensors ?? [];
  if (tensors.length === 0) return [];
  // The scale of a bias follows from those of its input and weight.
  const listed = tensors.filter(({ role, marks }) => role !== 'bias' || marks.length > 0);
  const shown = listed.slice(0, top);
  const odd = tensors.filter(({ marks }) => marks.length > 0).length;
  const more = listed.length - shown.length;
  const order = odd === 0 ? 'in graph order' : `${odd === 1 ? 'an odd one' : `${count(odd)} odd ones`} first`;
  const { head, lines } = tableLines(COLUMNS, shown.map(rowOf), width);
  return [
    ...wrapped(`QUANTIZED TENSORS  ${rolesText(tensors)}; ${order}`, width),
    ...head,
    ...lines.flatMap((row, i) => [...row, ...markLines(shown[i]?.marks ?? [], style, width)]),
    ...(more === 0
      ? []
      : [`${INDENT}and ${count(more)} more (--top N; --report json=FILE has all, and the biases)`]),
  ];
}

function markLines(marks: readonly TensorMark[], style: ChalkInstance, width: number): string[] {
  return marks.flatMap(({ kind, text }) =>
    labelled(MARK, printable(text), width, kind === 'illegal' ? style.red : style.yellow),
  );
}

function rolesText(tensors: readonly InspectedTensor[]): string {
  const weights = tensors.filter(({ role }) => role === 'weight').length;
  const biases = tensors.filter(({ role }) => role === 'bias').length;
  const parts = [
    [tensors.length - weights - biases, 'activation'],
    [weights, 'weight'],
  ] as const;
  const texts = parts.flatMap(([many, what]) => (many === 0 ? [] : [plural(many, what)]));
  return [...texts, ...(biases === 0 ? [] : [biases === 1 ? '1 bias' : `${count(biases)} biases`])].join(
    ', ',
  );
}

function rowOf(tensor: InspectedTensor): Row {
  const { scales, zeroPoints, represents } = tensor;
  return [
    INDENT + printable(tensor.tensor + (tensor.onlyInput === undefined ? '' : ` > ${tensor.node}`)),
    tensor.role,
    tensor.dtype,
    scalesText(tensor),
    between(scales, number),
    between(zeroPoints, String),
    represents === undefined ? '-' : number(represents.min),
    represents === undefined ? '-' : number(represents.max),
  ];
}

function scalesText({ scales, axis, blockSize }: InspectedTensor): string {
  if (axis === undefined) return '1';
  const along = `${count(scales.count)} on axis ${axis}`;
  return blockSize === undefined ? along : `${along} by ${blockSize}`;
}

function between({ min, max }: Partial<Extremes>, text: (value: number) => string): string {
  if (min === undefined || max === undefined) return '-';
  return min === max ? text(min) : `${text(min)}..${text(max)}`;
}
