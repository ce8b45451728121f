/** Weights and biases of a candidate that are not those of its reference, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { columns, type Column, type Row } from './columns.js';
import { isClose, wholeRung } from './compare-ladder.js';
import { NAME_IN_TEXT, SHORTEST_TENSOR } from './compare-layers.js';
import type { ComparedConstant, CompareReport } from './compare-report.js';
import { decibels, labelled, number, percent, printable, shortened, wrapped } from './format.js';
import { INDENT, legend, right, SHORTEST_NAME, type TableOptions } from './terminal-layers.js';

/** Below these, rounding to 8 bits does not explain the difference. */
const ALIKE_CORRELATION = 0.95;
const ALIKE_DB = 15;

const LEGEND =
  "correlation: of the two sets of values; 1 when they differ by a factor only, -1 when the sign is flipped, near 0 for another layer's " +
  "or a wrong order. relative error: RMS of the difference over RMS of the reference's values. worst ch.: channel with the lowest SQNR.";

export function constantsSection(
  { constants, findings, ladder }: Pick<CompareReport, 'constants' | 'findings' | 'ladder'>,
  style: ChalkInstance,
  { width, top }: TableOptions,
): string[] {
  if (constants.length === 0) return [];
  const accused = new Set(findings.map(({ subject }) => subject.tensor));
  const ranked = [...constants].sort((a, b) => dbOf(a) - dbOf(b));
  const others = ranked.filter((constant) => isOther(constant) || accused.has(constant.tensor));
  if (others.length === 0)
    return labelled(
      'CONSTANTS  ',
      `${allAlike(ranked)}${wholeRung(ladder).every(isClose) ? '' : worstChannel(ranked)}`,
      width,
    );
  const shown = others.slice(0, top);
  const isRenamed = shown.some(({ tensor, reference }) => tensor !== reference);
  const titles: Column[] = [
    { title: `${INDENT}constant`, least: SHORTEST_TENSOR },
    { title: 'role', expendable: 3 },
    right('correlation'),
    right('SQNR'),
    right('relative error'),
    { ...right('worst ch.'), expendable: 4 },
    { title: 'node', least: SHORTEST_NAME, expendable: 2 },
    ...(isRenamed ? [{ title: 'in the reference', least: SHORTEST_TENSOR, expendable: 1 }] : []),
  ];
  const rows = shown.map((constant): Row => {
    const { tensor, reference, node, role, correlation, error } = constant;
    const worst = error?.worstChannel;
    return [
      `${INDENT}${printable(tensor)}`,
      role,
      { text: correlation === undefined ? '-' : correlation.toFixed(3), paint: style.bold },
      decibels(error),
      relativeError(constant) ?? '-',
      worst === undefined ? '-' : `${worst.sqnrDb.toFixed(1)} #${worst.channel}`,
      printable(node),
      printable(reference),
    ];
  });
  const few = shown.length < others.length ? `, the worst ${shown.length}` : '';
  const title = `CONSTANTS  ${others.length} of ${constants.length} ${others.length === 1 ? 'is' : 'are'} not the reference's${few}; SQNR in dB, higher is better`;
  return [...wrapped(title, width), ...columns(titles, rows, width), ...legend(LEGEND, width)];
}

/** SQNR in dB; Infinity where exact or without a value. */
function dbOf({ error }: ComparedConstant): number {
  return error?.sqnrDb ?? Infinity;
}

function isOther(constant: ComparedConstant): boolean {
  return (constant.correlation ?? 1) < ALIKE_CORRELATION || dbOf(constant) < ALIKE_DB;
}

function relativeError({ error }: ComparedConstant): string | undefined {
  if (error?.exact === true) return '0';
  if (error?.sqnrDb === undefined) return undefined;
  const share = 10 ** (-error.sqnrDb / 20);
  return share < 10 ? percent(share) : `${number(share)} times`;
}

function allAlike(ranked: readonly ComparedConstant[]): string {
  const all = `all ${ranked.length} aligned weights and biases are the reference's`;
  const [worst] = ranked;
  const error = worst === undefined ? undefined : relativeError(worst);
  if (worst?.error?.sqnrDb === undefined || error === undefined)
    return ranked.every(({ error: own }) => own?.exact === true) ? `${all}, exactly` : all;
  return `${all}; the least alike is ${shortened(worst.tensor, NAME_IN_TEXT)}, SQNR ${decibels(worst.error)} dB (relative error ${error})`;
}

/** Pooled energies hide a channel behind louder ones. Of a bias, a channel is one number, which may well be near 0. */
function worstChannel(constants: readonly ComparedConstant[]): string {
  const [worst] = constants
    .flatMap(({ tensor, role, error }) =>
      role === 'bias' || error?.worstChannel === undefined ? [] : [{ tensor, ...error.worstChannel }],
    )
    .sort((a, b) => a.sqnrDb - b.sqnrDb);
  if (worst === undefined) return '';
  return `; the least alike channel is #${worst.channel} of ${shortened(worst.tensor, NAME_IN_TEXT)}, ${worst.sqnrDb.toFixed(1)} dB`;
}
