/** Reporters by the name that `--report` takes; each is loaded when it is used. */
import type { AnyReport } from './any-report.js';
import type { JudgedReport, MeasuredReport } from './evaluated.js';
import type { NodeNumber } from './model-explorer.js';
import { checkReporter } from './refused.js';
import type { TerminalOptions } from './terminal.js';

type Reporter = (report: AnyReport, options: TerminalOptions) => Promise<string>;

export const REPORTERS = {
  terminal: async (report, options) => (await import('./any-terminal.js')).renderForTerminal(report, options),
  json: async (report) => (await import('./json.js')).renderJson(report),
  html: async (report) => (await import('./html/index.js')).renderHtml(report),
  junit: async (report) => (await import('./junit.js')).renderJunit(judged(report, 'junit')),
  sarif: async (report) => (await import('./sarif.js')).renderSarif(judged(report, 'sarif')),
  github: async (report) =>
    report.command === 'sweep'
      ? (await import('./sweep-github.js')).renderSweepGithub(report)
      : (await import('./github.js')).renderGithub(judged(report, 'github')),
  md: async (report, options?: TerminalOptions) => {
    switch (report.command) {
      case 'sweep':
        return (await import('./sweep-markdown.js')).renderSweepMarkdown(report);
      case 'inspect':
        return (await import('./inspect-markdown.js')).renderInspectMarkdown(report, options);
      case 'analyze':
      case 'compare':
      case 'doctor':
        return (await import('./markdown.js')).renderMarkdown(report, options);
    }
  },
  csv: async (report) => {
    switch (report.command) {
      case 'sweep':
        return (await import('./sweep-csv.js')).renderSweepCsv(report);
      case 'inspect':
        return (await import('./inspect-csv.js')).renderInspectCsv(report);
      case 'doctor':
        return (await import('./doctor-csv.js')).renderDoctorCsv(report);
      case 'analyze':
      case 'compare':
        return (await import('./csv.js')).renderCsv(report);
    }
  },
  'model-explorer': async (report) => nodeData(report, report.command === 'sweep' ? 'alone' : 'local'),
  'model-explorer-self': async (report) => nodeData(report, 'self'),
  'model-explorer-cumulative': async (report) => nodeData(report, 'cumulative'),
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof REPORTERS;

/** @throws UsageError for commands that have no numbers of layers, or not this one */
async function nodeData(report: AnyReport, number: NodeNumber): Promise<string> {
  const reporter =
    number === 'self' || number === 'cumulative' ? `model-explorer-${number}` : 'model-explorer';
  const { renderModelExplorer } = await import('./model-explorer.js');
  checkReporter(report.command, reporter);
  return renderModelExplorer(report.command === 'sweep' ? report : measured(report, reporter), number);
}

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
