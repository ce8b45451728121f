/** Inputs and outputs as text for a terminal: shape and type, and for quantized ones the formulas that people copy. */
import type { ChalkInstance } from 'chalk';
import { tableLines, type Column } from './columns.js';
import { labelled, number, printable, shape, shortened } from './format.js';
import type { Port } from './inspect-report.js';
import type { PortContract } from './port-contract.js';
import { shortFormula, type InputPreprocessing } from './port-preprocessing.js';

const INDENT = '  ';
/** Of what is told of a port. */
const TOLD = '    ';
const LABEL = 12;
const ALTERNATIVES_SHOWN = 2;

export function portsSection(
  title: 'INPUTS' | 'OUTPUTS',
  ports: readonly Port[],
  style: ChalkInstance,
  width: number,
): string[] {
  if (ports.length === 0) return [`${title}  none`];
  const rows = ports.map((port) => [
    INDENT + printable(port.name),
    typeOf(port),
    shortened(shape(port.shape), 60),
  ]);
  const layout: Column[] = [{ title: '', least: 16 }, { title: '' }, { title: '', least: 12 }];
  const { lines } = tableLines(layout, rows, width);
  return [
    title,
    ...ports.flatMap((port, i) => [
      ...(lines[i] ?? []),
      ...(port.contract === undefined ? [] : contractLines(port.contract, title === 'INPUTS', style, width)),
    ]),
  ];
}

/** What an application hands over. */
function typeOf({ contract, dtype }: Port): string {
  return contract?.form === 'codes' ? (contract.codes ?? dtype ?? '?') : (dtype ?? '?');
}

function contractLines(
  contract: PortContract,
  isInput: boolean,
  style: ChalkInstance,
  width: number,
): string[] {
  const { form, codes, quantize, dequantize, numpy, min, max, step, preprocessing, meaning, remarks } =
    contract;
  const told = (label: string, text: string, paint?: (line: string) => string): string[] =>
    labelled(TOLD + label.padEnd(LABEL), printable(text), width, paint);
  const lines: string[] = [];
  if (form === 'inside') {
    const where = isInput ? 'floats, quantized inside' : 'floats, already dequantized';
    lines.push(...told(isInput ? 'takes' : 'gives', `${where} (${codes ?? '?'} codes)`));
  }
  const isWanted = form === 'codes' || isInput;
  if (isInput && quantize !== undefined)
    lines.push(...told(form === 'codes' ? 'quantize' : 'inside', quantize, style.bold));
  if (dequantize !== undefined && isWanted)
    lines.push(...told(isInput ? 'back' : 'dequantize', dequantize, isInput ? undefined : style.bold));
  if (numpy !== undefined && form === 'codes')
    lines.push(...told('numpy', isInput ? numpy.quantize : numpy.dequantize));
  if (min !== undefined && max !== undefined && step !== undefined)
    lines.push(...told('range', `${number(min)} to ${number(max)} in steps of ${number(step)}`));
  if (meaning !== undefined) lines.push(...told('values', meaning));
  if (preprocessing !== undefined) lines.push(...preprocessingLines(preprocessing, contract, told));
  for (const remark of [...remarks, ...(preprocessing?.remarks ?? [])])
    lines.push(...told('note', remark, style.yellow));
  return lines;
}

function preprocessingLines(
  { implied, isUnknown, pixelShift, inside, metadata }: InputPreprocessing,
  { form, codes }: PortContract,
  told: (label: string, text: string) => string[],
): string[] {
  const lines: string[] = [];
  if (implied !== undefined) {
    const others = implied.alternatives.slice(0, ALTERNATIVES_SHOWN).map(shortFormula);
    const how = implied.isExact
      ? 'fits within rounding'
      : `near: off by ${(100 * implied.distance).toFixed(1)} %`;
    const or = others.length === 0 ? '' : `; so does ${others.join(', and ')}`;
    lines.push(...told('implies', `${familyText(implied)} (${how}${or})`));
  }
  if (isUnknown === true) {
    lines.push(...told('implies', 'none of the known preparations of images has this range'));
  }
  if (metadata !== undefined) {
    const agrees =
      metadata.agrees === undefined ? '' : metadata.agrees ? ', which agrees' : ', which does not agree';
    lines.push(...told('metadata', `${metadata.formula}${agrees}`));
  }
  if (inside !== undefined) {
    const { range, quantizer } = inside;
    const arrives = range === undefined ? '' : `, which makes ${number(range.min)} to ${number(range.max)}`;
    const held =
      quantizer === undefined
        ? ''
        : `; the quantizer behind holds ${number(quantizer.min)} to ${number(quantizer.max)}`;
    lines.push(
      ...told('normalizes', `inside, ${inside.formula}${arrives}${held} (${inside.nodes.join(', ')})`),
    );
  }
  if (pixelShift !== undefined && form === 'codes') {
    const plus = pixelShift === 0 ? '' : ` ${pixelShift < 0 ? '-' : '+'} ${Math.abs(pixelShift)}`;
    const fed = plus === '' ? `feed 8-bit pixels as they are` : `feed pixel${plus} as ${codes ?? 'codes'}`;
    lines.push(
      ...told('pixels', `${fed}: preparing and quantizing a pixel gives the same code, or the next`),
    );
  }
  return lines;
}

function familyText({ family, formula }: NonNullable<InputPreprocessing['implied']>): string {
  return family === 'raw' ? 'pixels of 0 to 255, not normalized' : `${formula} for 8-bit images`;
}
