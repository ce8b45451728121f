/** What a file says of its own quantization, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { count, labelled, listed, percent, plural, printable, shortened, wrapped } from './format.js';
import { groupBy } from './group.js';
import type { InspectedCoverage, InspectedIsland, InspectedModel } from './inspect-report.js';
import { impliedText, schemeText } from './scheme-text.js';
import { findingLines } from './terminal-findings.js';

const INDENT = '  ';
/** Behind 'float'. */
const TOLD = `${INDENT}       `;
const ISLANDS_SHOWN = 8;
const NAMES_SHOWN = 4;
const TENSORS_SHOWN = 2;
const NAME_WIDTH = 40;

export function quantizationSection(
  { quantization, impliedActivations }: Pick<InspectedModel, 'quantization' | 'impliedActivations'>,
  style: ChalkInstance,
  width: number,
): string[] {
  if (quantization === undefined) return [];
  const { scheme, coverage, origin, dynamic, unfolded } = quantization;
  const told = (line: string): string[] =>
    wrapped(printable(line), width - INDENT.length).map((text) => INDENT + text);
  return [
    'QUANTIZATION',
    ...told(schemeText(scheme)),
    ...told(coverageText(coverage)).map((line) => style.bold(line)),
    ...(impliedActivations === undefined ? [] : told(impliedText(impliedActivations))),
    ...(dynamic.length === 0 ? [] : told(dynamicText(dynamic))),
    ...origin.evidence.flatMap((sentence) => told(`made: ${sentence}`)),
    ...islandLines(coverage, style, width),
    ...unfolded
      .slice(0, ISLANDS_SHOWN)
      .flatMap(({ node, reason }) =>
        told(`not understood: ${shortened(node, NAME_WIDTH)}: ${reason}`).map((line) => style.yellow(line)),
      ),
    ...(unfolded.length > ISLANDS_SHOWN
      ? told(`and ${unfolded.length - ISLANDS_SHOWN} more not understood`)
      : []),
  ];
}

function dynamicText(dynamic: readonly { readonly tensor: string }[]): string {
  const names = listed([...new Set(dynamic.map(({ tensor }) => shortened(tensor, NAME_WIDTH)))], NAMES_SHOWN);
  return `dynamic: scale and zero point of ${names} come from the values at hand, each time it runs`;
}

function coverageText({ ops, macs, hybrid }: InspectedCoverage): string {
  const share = (part: number): string =>
    macs.total === 0 ? '' : `, ${percent(part / macs.total)} of the multiply-accumulates`;
  const whole = `${count(ops.quantized)} of ${plural(ops.total, 'operator')} compute with integers${share(macs.quantized)}`;
  return hybrid.ops === 0
    ? whole
    : `${whole}; ${count(hybrid.ops)} more multiply integers between floats${share(hybrid.macs)}`;
}

/** Islands with the same cause stand together; the first is shown with its borders. */
function islandLines(
  { islands, macs, ops }: InspectedCoverage,
  style: ChalkInstance,
  width: number,
): string[] {
  const kinds = [...groupBy(islands, ({ reason }) => reason).values()];
  const lines = kinds.slice(0, ISLANDS_SHOWN).flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    const own = alike.reduce((sum, island) => sum + island.macs, 0);
    const share = macs.total === 0 || own === 0 ? '' : `, ${percent(own / macs.total)} of the MACs`;
    const names = listed(
      alike.flatMap(({ nodes }) => nodes).map((node) => shortened(node, NAME_WIDTH)),
      NAMES_SHOWN,
    );
    const told = (text: string, paint?: (line: string) => string): string[] =>
      labelled(TOLD, text, width, paint);
    return [
      ...labelled(`${INDENT}float  `, `${names}${share}`, width),
      ...told(printable(first.reason), style.yellow),
      // In a network without integers every tensor is a border.
      ...(ops.quantized === 0 ? [] : told(bordersText(first, alike.length))),
    ];
  });
  const more = kinds.length - ISLANDS_SHOWN;
  return more > 0 ? [...lines, `${INDENT}and ${more} more causes (--report json=FILE has all)`] : lines;
}

function bordersText({ entries, exits }: InspectedIsland, islands: number): string {
  const named = (names: readonly string[]): string =>
    listed(
      names.map((name) => shortened(name, NAME_WIDTH)),
      TENSORS_SHOWN,
    );
  const from = entries.length === 0 ? 'from constants' : `from ${named(entries)}`;
  const to = exits.length === 0 ? '' : ` to ${named(exits)}`;
  return islands === 1 ? `${from}${to}` : `${count(islands)} islands, the first ${from}${to}`;
}

export function quantizationFindings(
  { quantization }: InspectedModel,
  style: ChalkInstance,
  width: number,
): string[] {
  return findingLines(quantization?.findings ?? [], style, width);
}
