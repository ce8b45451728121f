/**
 * Annotations of GitHub Actions, as workflow commands on stdout:
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */
import type { GateVerdict } from '../diff/gate/gate.js';
import type { Severity } from '../doctor/finding.js';
import { besideText, missingAccuracy, safeName, safeText, safeWhole, toldCheck } from './document-text.js';
import { placeOf, type JudgedReport } from './evaluated.js';
import { metricName, metricsOf, tallyText } from './evaluated-text.js';

/** GitHub shows so many of each level for a step, and drops the others without a word. */
const MOST = 10;
/** PATH_MAX of Linux: no file of a repository lies deeper. */
const LONGEST_PATH = 4096;

type Level = 'error' | 'warning' | 'notice';

export interface Annotation {
  readonly level: Level;
  readonly title: string;
  readonly message: string;
}

const OF_SEVERITY: Readonly<Record<Severity, Level>> = { error: 'error', warning: 'warning', note: 'notice' };
const OF_VERDICT: Readonly<Record<GateVerdict, Level>> = {
  fail: 'error',
  inconclusive: 'warning',
  pass: 'notice',
};

/** The verdict first, then errors, warnings and notices. */
export function renderGithub(report: JudgedReport): string {
  const { summary } = report.verdict;
  const gate =
    report.gate === undefined ? [] : [`gate: ${report.gate.verdict}, ${tallyText(report.gate.checks)}`];
  return workflowCommands(report.models, [summary, ...gate].join('; '), annotations(report));
}

/** The verdict on a model, and what is noted beside it, as many as GitHub shows. */
export function workflowCommands(
  models: JudgedReport['models'],
  verdict: string,
  all: readonly Annotation[],
): string {
  const subject = models.find(({ role }) => role === 'candidate') ?? models[0];
  const path = safeWhole(subject?.path ?? '')
    .replaceAll('\\', '/')
    .replace(/^(?:\.\/+)+/, '');
  const file = path.length > LONGEST_PATH ? '' : path;
  const lines = (['error', 'warning', 'notice'] as const).flatMap((level) => {
    const same = all.filter((annotation) => annotation.level === level);
    // The verdict is a notice, too.
    const room = level === 'notice' ? MOST - 1 : MOST;
    if (same.length <= room) return same;
    const left = same.length - room + 1;
    const rest = { level, title: 'qdbg', message: `and ${left} more of this kind: --report json lists all` };
    return [...same.slice(0, room - 1), rest];
  });
  const first: Annotation = { level: 'notice', title: 'qdbg verdict', message: verdict };
  return [first, ...lines].map((annotation) => `${command(annotation, file)}\n`).join('');
}

function annotations(report: JudgedReport): Annotation[] {
  const checks = report.gate?.checks.filter(({ verdict }) => verdict !== 'pass') ?? [];
  return [
    ...checks.map((check): Annotation => ({
      level: OF_VERDICT[check.verdict],
      title: `qdbg gate ${check.verdict}: ${check.name}`,
      message: toldCheck(check),
    })),
    ...accuracyAnnotations(report),
    ...report.findings.map((finding): Annotation => {
      const { rule, severity, message, fix } = finding;
      const place = placeOf(finding);
      return {
        level: OF_SEVERITY[severity],
        title: place === undefined ? rule : `${rule} at ${place}`,
        message: fix === undefined ? message : `${message}. Try: ${fix.edit} (${fix.title})`,
      };
    }),
  ];
}

/** The first metric where the verdict has not told it already, then the others. */
function accuracyAnnotations(report: JudgedReport): Annotation[] {
  const [first, ...others] = metricsOf(report);
  const notice = (title: string, message: string): Annotation => ({
    level: 'notice',
    title: `qdbg ${title}`,
    message,
  });
  return [
    ...missingAccuracy(report.notMeasured).map((message) => notice('accuracy', message)),
    ...(first === undefined || report.verdict.summary.includes(first.summary)
      ? []
      : [notice(metricName(first.metric), first.summary)]),
    ...others.map((metric) => notice(metricName(metric.metric), besideText(metric))),
  ];
}

/** Names cannot begin another command: no line break is left in them, and a command begins a line. */
function command({ level, title, message }: Annotation, file: string): string {
  const place = file === '' ? '' : `file=${property(file)},`;
  return `::${level} ${place}title=${property(safeName(title))}::${data(safeText(message))}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
