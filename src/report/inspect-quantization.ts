/** What a file says of its own quantization, as text for a terminal. */
import type { ChalkInstance } from 'chalk';
import { listed, number, percent, plural, printable, wrapped } from './format.js';
import type { InspectedModel, Port } from './inspect-report.js';
import { impliedText, schemeText } from './scheme-text.js';
import { findingLines } from './terminal-findings.js';

const INDENT = '  ';
const ISLANDS_SHOWN = 8;

export function quantizationSection(
  { quantization, impliedActivations }: InspectedModel,
  width: number,
): string[] {
  if (quantization === undefined) return [];
  const { scheme, coverage } = quantization;
  const { ops, macs, islands } = coverage;
  const share =
    macs.total === 0 ? '' : `, ${percent(macs.quantized / macs.total)} of the multiply-accumulates`;
  const lines = [
    printable(schemeText(scheme)),
    `${ops.quantized} of ${plural(ops.total, 'operator')} compute with integers${share}`,
    ...(impliedActivations === undefined ? [] : [impliedText(impliedActivations)]),
    ...islands.slice(0, ISLANDS_SHOWN).map(({ nodes, reason }) => `float: ${listed(nodes, 4)} (${reason})`),
  ];
  return [
    'QUANTIZATION',
    ...lines.flatMap((line) => wrapped(printable(line), width - INDENT.length).map((text) => INDENT + text)),
  ];
}

export function quantizationFindings(
  { quantization }: InspectedModel,
  style: ChalkInstance,
  width: number,
): string[] {
  return findingLines(quantization?.findings ?? [], style, width);
}

/** `int8, value = (code - 83) * 0.5847: -123.4 to 25.73` */
export function portContract({ quant }: Port): string | undefined {
  const [scale] = quant?.scale ?? [];
  const [zeroPoint = 0] = quant?.zeroPoint ?? [];
  if (quant === undefined || scale === undefined) return undefined;
  const point = zeroPoint === 0 ? 'code' : `(code ${zeroPoint < 0 ? '+' : '-'} ${Math.abs(zeroPoint)})`;
  const [low, high] = [quant.qmin, quant.qmax].map((code) => number((code - zeroPoint) * scale));
  return `value = ${point} * ${number(scale)}, ${low} to ${high}`;
}
