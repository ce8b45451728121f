/** The report as text for a terminal: verdict first, then where, why, and what to try. */
import { Chalk, type ChalkInstance } from 'chalk';
import { columns, type Row } from './columns.js';
import { bytes, labelled, listed, percent, plural, printable, wrapped } from './format.js';
import type { Report } from './report.js';
import { groupBy } from './group.js';
import { findingLines } from './terminal-findings.js';
import { impliedText, schemeText } from './scheme-text.js';
import { channels, INDENT, layers, weights, WORTHWHILE_DB } from './terminal-layers.js';

export interface TerminalOptions {
  readonly width: number;
  readonly color: boolean;
  /** Rows per table; where undefined, each report has its own default. */
  readonly top: number | undefined;
  /** Verdict and findings only. */
  readonly quiet: boolean;
}

const DEFAULT_TOP = 10;
const SHORTEST_NAME = 12;
const OWN_REFERENCE =
  "reference: this file's own network without quantizers; what rounding its weights has cost shows only beside the float model";
/** Reasons for nodes in float that are told: where each names a tensor, there are as many as nodes. */
const MOST_ISLANDS = 8;

export function renderTerminal(report: Report, { top = DEFAULT_TOP, ...screen }: TerminalOptions): string {
  const options = { ...screen, top };
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const sections = [
    verdict(report, style, options.width),
    findingLines(report.findings, style, options.width),
    ...(options.quiet
      ? []
      : [
          falls(report, style, options),
          layers(report, style, options),
          channels(report, style, options),
          weights(report, style, options),
          advice(report, style, options),
          basis(report, style, options.width),
        ]),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function verdict(
  { verdict: { summary, cause, where }, data }: Report,
  style: ChalkInstance,
  width: number,
): string[] {
  const lines = labelled('VERDICT  ', printable(summary), width, style.bold);
  if (cause !== undefined) {
    const place = where === undefined ? '' : ` at ${printable(where)}`;
    const [first = '', ...more] = labelled('         ', `cause ${cause}${place}`, width);
    lines.push(first.replace(cause, style.bold(cause)), ...more);
  }
  const { guessed } = data.eval ?? data.calib ?? {};
  if (guessed !== undefined) {
    const text = `images are taken as ${guessed.value}, which is a guess: --preset says what the model wants`;
    lines.push(...labelled('         ', printable(text), width));
  }
  return lines;
}

function falls({ jumps }: Report, style: ChalkInstance, { width }: TerminalOptions): string[] {
  if (jumps.length === 0) return [];
  const title = 'LARGEST FALLS of cumulative SQNR, dB, from the worst input of a layer to its output';
  const rows = jumps
    .slice(0, 3)
    .map(({ node, op, from, fromDb, toDb }): Row => [
      `${INDENT}${printable(node)} (${printable(op)})`,
      fromDb === undefined ? 'exact' : fromDb.toFixed(1),
      '->',
      { text: toDb.toFixed(1), paint: style.bold },
      `from ${printable(from)}`,
    ]);
  const plain = { title: '' };
  const right = { title: '', align: 'right' as const };
  const name = { title: '', least: SHORTEST_NAME };
  return [...wrapped(title, width), ...columns([name, right, plain, right, name], rows, width)];
}

/** Observers that would raise a tensor's own SQNR, forecast from its histogram. */
function advice(
  { tensors, notMeasured }: Report,
  style: ChalkInstance,
  { width }: TerminalOptions,
): string[] {
  const gains = tensors.flatMap(({ tensor, self, forecast }) => {
    const best = Object.entries(forecast ?? {}).sort((a, b) => b[1] - a[1])[0];
    const gain = best === undefined || self?.sqnrDb === undefined ? 0 : best[1] - self.sqnrDb;
    return best !== undefined && gain > WORTHWHILE_DB ? [{ tensor, observer: best[0], gain }] : [];
  });
  const lines = gains
    .sort((a, b) => b.gain - a.gain)
    .slice(0, 5)
    .flatMap(({ tensor, observer, gain }) => {
      const flags = `--observer ${observer.replace(' ', ' --percentile ')}`;
      const text = `${flags} forecast +${gain.toFixed(1)} dB self at ${printable(tensor)}`;
      const [first = '', ...more] = labelled(INDENT, text, width);
      return [first.replace(flags, style.bold(flags)), ...more];
    });
  const missing =
    notMeasured.length === 0
      ? []
      : ['', `NOT MEASURED  ${notMeasured.length}`, ...groupedReasons(notMeasured, width)];
  return [
    ...(lines.length === 0 ? [] : ['WHAT TO TRY', ...lines]),
    ...(lines.length === 0 ? missing.slice(1) : missing),
  ];
}

function groupedReasons(notMeasured: Report['notMeasured'], width: number): string[] {
  const byReason = groupBy(notMeasured, ({ reason }) => reason);
  return [...byReason].flatMap(([reason, missing]) => {
    const subjects = missing.map(({ subject }) => printable(subject));
    return labelled(INDENT, `${subjects.length} because ${printable(reason)}: ${listed(subjects, 3)}`, width);
  });
}

/** What all of this was measured with. */
function basis(report: Report, style: ChalkInstance, width: number): string[] {
  const blank = '         ';
  const lines = report.models.flatMap(({ path, format, opset, ops, parameters, bytes: size }) => {
    const facts = `${format}${opset === undefined ? '' : ` opset ${opset}`}, ${plural(ops, 'op')}, ${plural(parameters, 'parameter')}, ${bytes(size)}`;
    return labelled('model    ', `${printable(path)}  (${facts})`, width);
  });
  const { ops, macs, islands } = report.coverage;
  const share =
    macs.total === 0 ? '' : `, ${percent(macs.quantized / macs.total)} of the multiply-accumulates`;
  const scheme = `${printable(schemeText(report.scheme))}; ${ops.quantized} of ${plural(ops.total, 'op')}${share}`;
  lines.push(...labelled('scheme   ', scheme, width));
  if (report.scheme['name'] === 'file') {
    lines.push(...labelled(blank, OWN_REFERENCE, width));
    for (const { impliedActivations } of report.models) {
      if (impliedActivations !== undefined)
        lines.push(...labelled(blank, impliedText(impliedActivations), width));
    }
  }
  for (const { nodes, reason } of islands.slice(0, MOST_ISLANDS))
    lines.push(...labelled(`${blank}float: `, printable(`${listed(nodes, 4)} (${reason})`), width));
  const others = islands.slice(MOST_ISLANDS).reduce((sum, { nodes }) => sum + nodes.length, 0);
  if (others > 0) lines.push(`${blank}float: ${plural(others, 'other node')}; --report json lists all`);
  for (const [role, data] of Object.entries(report.data)) {
    if (data === undefined) continue;
    const smoke = data.kind === 'random' ? ' - A SMOKE TEST, NOT A RESULT' : '';
    const source = `${printable(data.path)}: ${plural(data.samples, 'sample')}, ${data.kind}${smoke}`;
    lines.push(...labelled(role.padEnd(blank.length), source, width));
    const assumed = data.assumed.map(({ what, value, from }) => `${what} ${value} (${from})`).join(', ');
    lines.push(...labelled(blank, printable(assumed), width));
    for (const { sample, reason } of data.excluded) {
      const [first = '', ...more] = labelled(blank, printable(`excluded ${sample}: ${reason}`), width);
      lines.push(first.replace('excluded', style.yellow('excluded')), ...more);
    }
  }
  return lines;
}
