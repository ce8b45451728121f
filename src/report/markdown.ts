/** A summary as Markdown, for the comment on a pull request and for $GITHUB_STEP_SUMMARY. */
import type { Gate, GateVerdict } from '../diff/gate/gate.js';
import type { Finding } from '../doctor/finding.js';
import { decidedAt, missingAccuracy } from './document-text.js';
import { placeOf, type JudgedReport, type MeasuredReport } from './evaluated.js';
import { quantity, tallyText, urgentFirst } from './evaluated-text.js';
import { bytes, count, decibels, plural } from './format.js';
import { driftRemarks, driftText, MOST_DRIFTS } from './gate-terminal-drift.js';
import { stripOf } from './layer-strip.js';
import { accuracyDetails, accuracySections, preprocessingLines } from './markdown-accuracy.js';
import { code, command, details, table, text } from './markdown-text.js';
import { schemeText } from './scheme-text.js';
import type { SweepReport } from './sweep-report.js';

/** GitHub refuses comments of more than 65,536 characters. */
const MOST_BYTES = 58_000;
const MOST_CHECKS = 20;
const MOST_FINDINGS = 20;
const MOST_LAYERS = 10;
const STRIP_WIDTH = 60;

export type Section = readonly string[];

export interface Shown {
  /** Rows of a table of layers. */
  readonly top?: number | undefined;
}

export function renderMarkdown(report: JudgedReport, { top = MOST_LAYERS }: Shown = {}): string {
  const sections: Section[] = [
    heading(report),
    report.gate === undefined ? [] : gateLines(report.gate),
    missingAccuracy(report.notMeasured).map((reason) => `- ${text(reason)}`),
    ...accuracySections(report),
    preprocessingLines(report),
    driftLines(report),
    findingLines(report.findings),
    layerLines(report, top),
    ...accuracyDetails(report),
    suppressedLines(report),
    basisLines(report),
  ];
  return document(sections);
}

/** Sections that fit into a comment; those without lines are left out. */
export function document(sections: readonly Section[]): string {
  return within(
    sections.filter((lines) => lines.length > 0).map((lines) => `${lines.join('\n')}\n`),
    MOST_BYTES,
  );
}

/** As many sections as fit, the first ones first. */
function within(sections: readonly string[], most: number): string {
  const encoder = new TextEncoder();
  const kept: string[] = [];
  let size = 0;
  for (const section of sections) {
    const more = encoder.encode(section).length + 1;
    if (size + more <= most) {
      kept.push(section);
      size += more;
    }
  }
  const left = sections.length - kept.length;
  return [
    ...kept,
    ...(left === 0 ? [] : [`${plural(left, 'part')} too long for a comment: see the JSON report.\n`]),
  ].join('\n');
}

const HEADLINES: Readonly<Record<GateVerdict, string>> = {
  pass: 'gate passed',
  fail: 'GATE FAILED',
  inconclusive: 'gate inconclusive',
};

function heading({ command: name, models, gate, verdict }: JudgedReport): Section {
  const { summary, cause, where } = verdict;
  return [
    `### qdbg ${name} ${subjectName(models)}: ${gate === undefined ? 'measured, no gate set' : HEADLINES[gate.verdict]}`,
    '',
    `**${text(summary)}**`,
    ...(cause === undefined
      ? []
      : ['', `Cause: ${code(cause)}${where === undefined ? '' : ` at ${code(where)}`}`]),
  ];
}

/** File of the model that a report is about, without its folders. */
export function subjectName(models: JudgedReport['models']): string {
  const subject = models.find(({ role }) => role === 'candidate') ?? models[0];
  return code((subject?.path ?? '').replaceAll('\\', '/').split('/').at(-1) ?? '');
}

function gateLines({ verdict, checks }: Gate): Section {
  const listed = urgentFirst(checks).slice(0, MOST_CHECKS);
  const left = checks.length - listed.length;
  const rows = listed.map((check) => [
    text(check.name),
    quantity(check.threshold, check.unit),
    `**${quantity(check.observed, check.unit)}**`,
    quantity(check.margin, ''),
    code(decidedAt(check) ?? ''),
    text(check.source),
    check.verdict === 'pass' ? 'pass' : `**${check.verdict}**`,
    text(check.note ?? ''),
  ]);
  return [
    `#### Gate: ${verdict}, ${tallyText(checks)}`,
    '',
    ...table(
      ['check', '>threshold', '>observed', '>margin', 'decided at', 'source', 'verdict', 'note'],
      rows,
    ),
    ...(left === 0 ? [] : ['', `and ${plural(left, 'more check')}.`]),
  ];
}

function driftLines({ drift }: JudgedReport): Section {
  if (drift === undefined) return [];
  const { source, matched, drift: layers } = drift;
  const shown = layers.slice(0, MOST_DRIFTS);
  return [
    `#### Drift against ${code(source)}: ${plural(matched, 'layer')} matched, ${count(layers.length)} changed`,
    ...(shown.length === 0
      ? []
      : [
          '',
          ...table(
            ['layer', 'op', '>cumulative, dB', '>local, dB'],
            shown.map(({ tensor, node, op, cumulative, local }) => [
              code(node === '' ? tensor : node),
              text(op),
              driftText(cumulative),
              driftText(local),
            ]),
          ),
        ]),
    ...['', ...driftRemarks(drift).map((remark) => `- ${text(remark)}`)],
  ];
}

function layerLines(report: JudgedReport, top: number): Section {
  const { tensors } = report;
  const measured = tensors.flatMap((row) => {
    const db = row.local?.sqnrDb ?? row.self?.sqnrDb;
    return row.cumulative === undefined || db === undefined ? [] : [{ row, db }];
  });
  const worst = measured.sort((a, b) => a.db - b.db).slice(0, top);
  if (worst.length === 0) return [];
  return [
    `#### Worst layers: ${worst.length} of ${measured.length}, by local SQNR in dB, higher is better`,
    '',
    ...table(
      ['layer', 'op', '>self', '>local', '>cumulative'],
      worst.map(({ row: { role, node, tensor, op, self, local, cumulative } }) => [
        code(role === 'input' || node === '' ? tensor : node),
        text(op),
        decibels(self),
        `**${decibels(local)}**`,
        decibels(cumulative),
      ]),
    ),
    ...stripLines(report),
  ];
}

/** All layers in graph order, a bar each. */
function stripLines(report: JudgedReport): string[] {
  const strip = report.command === 'doctor' ? undefined : stripOf(report, STRIP_WIDTH);
  return strip === undefined
    ? []
    : [
        '',
        ...strip.series.map(
          ({ label, bars, lowest, highest }) =>
            `- ${label} <code>${bars.trimEnd()}</code> ${lowest} to ${highest} dB`,
        ),
        '',
        `SQNR of ${text(strip.title)}; ${text(strip.scale)}.`,
      ];
}

export function findingLines(findings: readonly Finding[]): Section {
  if (findings.length === 0) return [];
  const lines = findings.slice(0, MOST_FINDINGS).flatMap((finding) => {
    const { rule, severity, message, fix } = finding;
    const place = placeOf(finding);
    return [
      `- **${severity}** ${code(rule)}${place === undefined ? '' : ` at ${code(place)}`}: ${text(message)}`,
      ...(fix === undefined ? [] : [`  - try ${command(fix.edit)} (${text(fix.title)})`]),
    ];
  });
  const left = findings.length - MOST_FINDINGS;
  return [
    `#### Findings: ${findings.length}, worst first`,
    '',
    ...lines,
    ...(left > 0 ? [`- and ${left} more`] : []),
  ];
}

function suppressedLines({ suppressed = [] }: JudgedReport): Section {
  if (suppressed.length === 0) return [];
  const lines = suppressed.slice(0, MOST_FINDINGS).map(({ finding, reason, expires }) => {
    const place = placeOf(finding);
    const until = expires === undefined ? '' : ` (until ${text(expires)})`;
    return `- ${code(finding.rule)}${place === undefined ? '' : ` at ${code(place)}`}: ${text(reason)}${until}`;
  });
  const left = suppressed.length - MOST_FINDINGS;
  return [`#### Suppressed: ${suppressed.length}`, '', ...lines, ...(left > 0 ? [`- and ${left} more`] : [])];
}

/** @param more lines on what was measured */
export function basisLines(report: JudgedReport | SweepReport, more: readonly string[] = []): Section {
  const { tool, models, data, notMeasured } = report;
  return details('Measured with', [
    ...models.map(
      ({ role, path, format, bytes: size, sha256 }) =>
        `- ${role} ${code(path)}, ${format}, ${bytes(size)}, sha256 ${code(sha256.slice(0, 12))}`,
    ),
    ...(report.command === 'doctor' ? [] : [schemeLine(report)]),
    ...more,
    ...Object.entries(data).flatMap(([role, source]) =>
      source === undefined ? [] : [`- ${role} ${dataText(source)}`],
    ),
    ...(notMeasured.length === 0
      ? []
      : [`- not measured: ${count(notMeasured.length)}, listed in the JSON report`]),
    `- qdbg ${text(tool.version)}${tool.runtime === undefined ? '' : `, ${text(tool.runtime)}`}`,
  ]);
}

function schemeLine({ scheme, coverage: { ops } }: Pick<MeasuredReport, 'scheme' | 'coverage'>): string {
  return `- scheme ${text(schemeText(scheme))}; ${ops.quantized} of ${plural(ops.total, 'op')} quantized`;
}

function dataText({
  path,
  samples,
  kind,
  sha256,
  guessed,
  excluded,
}: NonNullable<JudgedReport['data']['calib']>): string {
  return [
    `${code(path)}: ${plural(samples, 'sample')}, ${text(kind)}, sha256 ${code(sha256.slice(0, 12))}`,
    ...(kind === 'random' ? ['**a smoke test, not a result**'] : []),
    ...(guessed === undefined ? [] : [`${text(guessed.what)} is a guess: ${text(guessed.value)}`]),
    ...(excluded.length === 0 ? [] : [`${count(excluded.length)} excluded`]),
  ].join('; ');
}
