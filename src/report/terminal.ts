/** The report as text for a terminal: verdict first, then where, why, and what to try. */
import { Chalk, type ChalkInstance } from 'chalk';
import { bytes, count, listed, percent, printable, shortened, wrapped } from './format.js';
import type { Report } from './report.js';
import { groupBy } from './group.js';
import { table } from './table.js';
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
const TOLD_PER_RULE = 3;
const MORE_PLACES = 8;

export function renderTerminal(report: Report, { top = DEFAULT_TOP, ...screen }: TerminalOptions): string {
  const options = { ...screen, top };
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const sections = [
    verdict(report, style, options.width),
    findings(report, style, options.width),
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
  { verdict: { summary, cause, where } }: Report,
  style: ChalkInstance,
  width: number,
): string[] {
  const lines = wrapped(printable(summary), width - 9).map(
    (line, i) => `${i === 0 ? 'VERDICT  ' : '         '}${style.bold(line)}`,
  );
  if (cause !== undefined)
    lines.push(`         cause ${style.bold(cause)}${where === undefined ? '' : ` at ${printable(where)}`}`);
  return lines;
}

/** Findings of one rule stand together; the first few are told in full, the places of the others in one line. */
function findings({ findings: all }: Report, style: ChalkInstance, width: number): string[] {
  if (all.length === 0) return [];
  const mark = { error: style.red('error  '), warning: style.yellow('warning'), note: 'note   ' };
  const byRule = groupBy(all, ({ rule, severity }) => `${severity} ${rule}`);
  const lines = [...byRule.values()].flatMap((same) => {
    const told = same.slice(0, TOLD_PER_RULE).flatMap(({ rule, severity, subject, message, fix }, i) => {
      const place = [subject.node, subject.tensor].filter((name) => name !== undefined).map(printable);
      const next = same[i + 1]?.fix?.edit;
      return [
        `${INDENT}${mark[severity]}  ${rule}  ${style.bold(place.join(' > '))}`,
        ...wrapped(printable(message), width - 11).map((line) => `           ${line}`),
        ...(fix === undefined || (next === fix.edit && i + 1 < TOLD_PER_RULE)
          ? []
          : [`           try: ${style.bold(fix.edit)}  (${fix.title})`]),
      ];
    });
    const rest = same
      .slice(TOLD_PER_RULE)
      .map(({ subject }) => printable(subject.node ?? subject.tensor ?? ''));
    return rest.length === 0
      ? told
      : [
          ...told,
          ...wrapped(`and ${rest.length} more: ${listed(rest, MORE_PLACES)}`, width - 11).map(
            (line) => `           ${line}`,
          ),
        ];
  });
  return [`FINDINGS  ${all.length}, worst first`, ...lines];
}

function falls({ jumps }: Report, style: ChalkInstance, { width }: TerminalOptions): string[] {
  if (jumps.length === 0) return [];
  const name = Math.floor((width - 40) / 2);
  const rows = jumps
    .slice(0, 3)
    .map(({ node, op, from, fromDb, toDb }) => [
      `${INDENT}${shortened(node, name)} (${op})`,
      fromDb === undefined ? 'exact' : fromDb.toFixed(1),
      '->',
      style.bold(toDb.toFixed(1)),
      `from ${shortened(from, name)}`,
    ]);
  return [
    'LARGEST FALLS of cumulative SQNR, dB, from the worst input of a layer to its output',
    ...table(
      [
        { title: '' },
        { title: '', align: 'right' },
        { title: '' },
        { title: '', align: 'right' },
        { title: '' },
      ],
      rows,
    ).filter((line) => line !== ''),
  ];
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
    .map(
      ({ tensor, observer, gain }) =>
        `${INDENT}${style.bold(`--observer ${observer.replace(' ', ' --percentile ')}`)} forecast +${gain.toFixed(1)} dB self at ${shortened(tensor, width - 56)}`,
    );
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
  return [...byReason].map(([reason, missing]) => {
    const subjects = missing.map(({ subject }) => subject);
    return `${INDENT}${subjects.length} because ${reason}: ${shortened(listed(subjects, 3), Math.max(20, width - reason.length - 20))}`;
  });
}

/** What all of this was measured with. */
function basis(report: Report, style: ChalkInstance, width: number): string[] {
  const lines = report.models.map(
    ({ path, format, opset, ops, parameters, bytes: size }) =>
      `model    ${printable(path)}  (${format}${opset === undefined ? '' : ` opset ${opset}`}, ${count(ops)} ops, ${count(parameters)} parameters, ${bytes(size)})`,
  );
  const { ops, macs, islands } = report.coverage;
  const share =
    macs.total === 0 ? '' : `, ${percent(macs.quantized / macs.total)} of the multiply-accumulates`;
  const scheme = `${schemeText(report.scheme)}; ${ops.quantized} of ${ops.total} ops${share}`;
  lines.push(...wrapped(scheme, width - 9).map((line, i) => `${i === 0 ? 'scheme   ' : '         '}${line}`));
  lines.push(
    ...islands.map(
      ({ nodes, reason }) =>
        `         float: ${shortened(listed(nodes, 4), width - reason.length - 22)} (${reason})`,
    ),
  );
  for (const [role, data] of Object.entries(report.data)) {
    if (data === undefined) continue;
    lines.push(
      `${role.padEnd(9)}${printable(data.path)}: ${count(data.samples)} samples, ${data.kind}${data.kind === 'random' ? ' - A SMOKE TEST, NOT A RESULT' : ''}`,
    );
    const assumed = data.assumed.map(({ what, value, from }) => `${what} ${value} (${from})`).join(', ');
    if (assumed !== '')
      lines.push(...wrapped(printable(assumed), width - 9).map((line) => `         ${line}`));
    lines.push(
      ...data.excluded.map(
        ({ sample, reason }) =>
          `         ${style.yellow('excluded')} ${printable(sample)}: ${printable(reason)}`,
      ),
    );
  }
  return lines;
}

function schemeText(scheme: Report['scheme']): string {
  const part = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return String(value);
    const { dtype, symmetric, granularity, observer } = value as {
      dtype: string;
      symmetric: boolean;
      granularity: string;
      observer: { kind: string };
    };
    return `${dtype} ${symmetric ? 'symmetric' : 'asymmetric'} ${granularity} ${observer.kind}`;
  };
  return `${String(scheme['name'])}: activations ${part(scheme['activations'])}, weights ${part(scheme['weights'])}, bias ${String(scheme['bias'])}`;
}
