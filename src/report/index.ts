/** Reporters by the name that `--report` takes; each is loaded when it is used. */
import type { AnyReport } from './any-report.js';
import type { JudgedReport, MeasuredReport } from './evaluated.js';
import { checkReporter } from './refused.js';
import type { TerminalOptions } from './terminal.js';

type Reporter = (report: AnyReport, options: TerminalOptions) => Promise<string>;

export const REPORTERS = {
  terminal: async (report, options) => {
    switch (report.command) {
      case 'inspect':
        return (await import('./inspect-terminal.js')).renderInspect(report, options);
      case 'compare':
        return (await import('./compare-terminal.js')).renderCompare(report, options);
      case 'doctor':
        return (await import('./doctor-terminal.js')).renderDoctor(report, options);
      case 'sweep':
        return (await import('./sweep-terminal.js')).renderSweep(report, options);
      case 'analyze':
        return (await import('./terminal.js')).renderTerminal(report, options);
    }
  },
  json: async (report) => (await import('./json.js')).renderJson(report),
  junit: async (report) => (await import('./junit.js')).renderJunit(judged(report, 'junit')),
  sarif: async (report) => (await import('./sarif.js')).renderSarif(judged(report, 'sarif')),
  github: async (report) =>
    report.command === 'sweep'
      ? (await import('./sweep-github.js')).renderSweepGithub(report)
      : (await import('./github.js')).renderGithub(judged(report, 'github')),
  md: async (report) =>
    report.command === 'sweep'
      ? (await import('./sweep-markdown.js')).renderSweepMarkdown(report)
      : (await import('./markdown.js')).renderMarkdown(judged(report, 'md')),
  csv: async (report) =>
    report.command === 'sweep'
      ? (await import('./sweep-csv.js')).renderSweepCsv(report)
      : (await import('./csv.js')).renderCsv(measured(report, 'csv')),
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof REPORTERS;

/** @throws UsageError for `doctor`, which lists findings */
function measured(report: AnyReport, reporter: string): MeasuredReport {
  const known = judged(report, reporter);
  if (known.command === 'doctor') throw new RangeError(`no ${reporter} of doctor`);
  return known;
}

/** @throws UsageError for `inspect`, which measures nothing, and for `sweep`, which judges nothing */
function judged(report: AnyReport, reporter: string): JudgedReport {
  checkReporter(report.command, reporter);
  const { command } = report;
  if (report.command === 'inspect' || report.command === 'sweep')
    throw new RangeError(`no ${reporter} of ${command}`);
  return report;
}
