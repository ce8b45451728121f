/** Reporters by the name that `--report` takes; each is loaded when it is used. */
import { UsageError } from '../errors.js';
import type { AnyReport } from './any-report.js';
import type { JudgedReport, MeasuredReport } from './evaluated.js';
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
      case 'analyze':
        return (await import('./terminal.js')).renderTerminal(report, options);
    }
  },
  json: async (report) => (await import('./json.js')).renderJson(report),
  junit: async (report) => (await import('./junit.js')).renderJunit(judged(report, 'junit')),
  sarif: async (report) => (await import('./sarif.js')).renderSarif(judged(report, 'sarif')),
  github: async (report) => (await import('./github.js')).renderGithub(judged(report, 'github')),
  md: async (report) => (await import('./markdown.js')).renderMarkdown(judged(report, 'md')),
  csv: async (report) => (await import('./csv.js')).renderCsv(measured(report, 'csv')),
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof REPORTERS;

/** @throws UsageError for `doctor`, which lists findings */
function measured(report: AnyReport, reporter: string): MeasuredReport {
  const known = judged(report, reporter);
  if (known.command !== 'doctor') return known;
  throw new UsageError(`--report ${reporter}: it is a table of tensors, and qdbg doctor lists findings`, {
    hint: `qdbg analyze or qdbg compare with --report ${reporter}=FILE`,
  });
}

/** @throws UsageError for `inspect`, which measures nothing */
function judged(report: AnyReport, reporter: string): JudgedReport {
  if (report.command !== 'inspect') return report;
  throw new UsageError(`--report ${reporter}: qdbg inspect measures nothing and has terminal and json only`, {
    hint: '--report json=FILE',
  });
}
