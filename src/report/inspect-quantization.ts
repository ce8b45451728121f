/** What a file says of its own quantization, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { count, listed, percent, plural, printable, shortened, wrapped } from './format.js';
import type { InspectedCoverage, InspectedIsland, InspectedModel } from './inspect-report.js';
import { impliedText, schemeText } from './scheme-text.js';
import { findingLines } from './terminal-findings.js';

const INDENT = '  ';
const ISLANDS_SHOWN = 8;
const NAMES_SHOWN = 4;
const TENSORS_SHOWN = 2;
const NAME_WIDTH = 40;

export function quantizationSection(
  { quantization, impliedActivations }: InspectedModel,
  style: ChalkInstance,
  width: number,
): string[] {
  if (quantization === undefined) return [];
  const { scheme, coverage, origin, unfolded } = quantization;
  const told = (line: string): string[] =>
    wrapped(printable(line), width - INDENT.length).map((text) => INDENT + text);
  return [
    'QUANTIZATION',
    ...told(schemeText(scheme)),
    ...told(coverageText(coverage)).map((line) => style.bold(line)),
    ...(impliedActivations === undefined ? [] : told(impliedText(impliedActivations))),
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

function coverageText({ ops, macs, hybrid }: InspectedCoverage): string {
  const share = (part: number): string =>
    macs.total === 0 ? '' : `, ${percent(part / macs.total)} of the multiply-accumulates`;
  const whole = `${count(ops.quantized)} of ${plural(ops.total, 'operator')} compute with integers${share(macs.quantized)}`;
  return hybrid.ops === 0
    ? whole
    : `${whole}; ${count(hybrid.ops)} more multiply integers between floats${share(hybrid.macs)}`;
}

function islandLines(
  { islands, macs, ops }: InspectedCoverage,
  style: ChalkInstance,
  width: number,
): string[] {
  const lines = islands.slice(0, ISLANDS_SHOWN).flatMap((island) => {
    const share =
      macs.total === 0 || island.macs === 0 ? '' : `, ${percent(island.macs / macs.total)} of the MACs`;
    const names = listed(
      island.nodes.map((node) => shortened(node, NAME_WIDTH)),
      NAMES_SHOWN,
    );
    return [
      ...wrapped(`float: ${names}${share}`, width - INDENT.length).map((text) => INDENT + text),
      ...wrapped(printable(island.reason), width - 2 * INDENT.length - 7).map((text) =>
        style.yellow(`${INDENT}       ${text}`),
      ),
      // In a network without integers every tensor is a border.
      ...(ops.quantized === 0 ? [] : borderLines(island, width)),
    ];
  });
  const more = islands.length - ISLANDS_SHOWN;
  return more > 0 ? [...lines, `${INDENT}and ${more} more islands (--report json=FILE has all)`] : lines;
}

function borderLines({ entries, exits }: InspectedIsland, width: number): string[] {
  const named = (names: readonly string[]): string =>
    listed(
      names.map((name) => shortened(name, NAME_WIDTH)),
      TENSORS_SHOWN,
    );
  if (entries.length === 0 && exits.length === 0) return [];
  const from = entries.length === 0 ? '' : `from ${named(entries)}`;
  const to = exits.length === 0 ? '' : `to ${named(exits)}`;
  const text = [from, to].filter((part) => part !== '').join(' ');
  return wrapped(text, width - INDENT.length - 7).map((line) => `${INDENT}       ${line}`);
}

export function quantizationFindings(
  { quantization }: InspectedModel,
  style: ChalkInstance,
  width: number,
): string[] {
  return findingLines(quantization?.findings ?? [], style, width);
}
