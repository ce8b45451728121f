/** What a report rests on, as text for a terminal: models, quantizers, data, and what was not measured. */
import type { ChalkInstance } from 'chalk';
import { bytes, labelled, listed, percent, plural, printable } from './format.js';
import { groupBy } from './group.js';
import type { Report, ReportedData, ReportedModel } from './report.js';
import { schemeText } from './scheme-text.js';
import { INDENT } from './terminal-layers.js';
import { prose } from './terminal-page.js';

/** Reasons for nodes in float that are told: where each names a tensor, there are as many as nodes. */
const MOST_ISLANDS = 8;
/** Of what was not measured for one reason, names that are told. */
const MOST_SUBJECTS = 3;
/** Reasons that are told: where each names a tensor, there are as many as tensors. */
const MOST_REASONS = 8;

/** Labels of one report have one width; what they label is indented by it. */
export function modelLines(
  label: string,
  { path, format, opset, ops, parameters, bytes: size }: ReportedModel,
  width: number,
): string[] {
  const facts = `${format}${opset === undefined ? '' : ` opset ${opset}`}, ${plural(ops, 'op')}, ${plural(parameters, 'parameter')}, ${bytes(size)}`;
  return labelled(label, `${printable(path)}  (${facts})`, width);
}

/** How the network is quantized, and how much of it. */
export function schemeLines(
  label: string,
  { scheme, coverage: { ops, macs } }: Pick<Report, 'scheme' | 'coverage'>,
  width: number,
): string[] {
  const share =
    macs.total === 0 ? '' : `, ${percent(macs.quantized / macs.total)} of the multiply-accumulates`;
  const text = `${printable(schemeText(scheme))}; ${ops.quantized} of ${plural(ops.total, 'op')}${share}`;
  return labelled(label, text, width);
}

/** What is left in float, and why. */
export function islandLines(label: string, { islands }: Report['coverage'], width: number): string[] {
  const blank = ' '.repeat(label.length);
  const others = islands.slice(MOST_ISLANDS).reduce((sum, { nodes }) => sum + nodes.length, 0);
  return [
    ...islands
      .slice(0, MOST_ISLANDS)
      .flatMap(({ nodes, reason }) =>
        labelled(`${blank}float: `, prose(`${listed(nodes, 4)} (${reason})`), width),
      ),
    ...(others === 0 ? [] : [`${blank}float: ${plural(others, 'other node')}; --report json lists all`]),
  ];
}

/** The samples, and what was assumed of them. */
export function dataLines(label: string, data: ReportedData, style: ChalkInstance, width: number): string[] {
  const blank = ' '.repeat(label.length);
  const smoke = data.kind === 'random' ? ' - A SMOKE TEST, NOT A RESULT' : '';
  const source = `${printable(data.path)}: ${plural(data.samples, 'sample')}, ${data.kind}${smoke}`;
  const assumed = data.assumed.map(({ what, value, from }) => `${what} ${value} (${from})`).join(', ');
  return [
    ...labelled(label, source, width),
    ...labelled(blank, printable(assumed), width),
    ...data.excluded.flatMap(({ sample, reason }) => {
      const [first = '', ...more] = labelled(blank, prose(`excluded ${sample}: ${reason}`), width);
      return [first.replace('excluded', style.yellow('excluded')), ...more];
    }),
  ];
}

/** One line for each reason, the most common first. */
export function missingLines({ notMeasured }: Pick<Report, 'notMeasured'>, width: number): string[] {
  if (notMeasured.length === 0) return [];
  const byReason = [...groupBy(notMeasured, ({ reason }) => reason)].sort(
    (a, b) => b[1].length - a[1].length,
  );
  const others = byReason.slice(MOST_REASONS).reduce((sum, [, missing]) => sum + missing.length, 0);
  return [
    `NOT MEASURED  ${notMeasured.length}`,
    ...byReason.slice(0, MOST_REASONS).flatMap(([reason, missing]) => {
      const subjects = missing.map(({ subject }) => subject);
      const text = `${subjects.length} because ${reason}: ${listed(subjects, MOST_SUBJECTS)}`;
      return labelled(INDENT, prose(text), width);
    }),
    ...(others === 0 ? [] : [`${INDENT}${others} for other reasons; --report json lists all`]),
  ];
}
