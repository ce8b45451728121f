/** Reporters by the name that `--report` takes; each is loaded when it is used. */
import { UsageError } from '../errors.js';
import type { AnyReport } from './any-report.js';
import type { MeasuredReport } from './evaluated.js';
import type { TerminalOptions } from './terminal.js';

type Reporter = (report: AnyReport, options: TerminalOptions) => Promise<string>;

export const REPORTERS = {
  terminal: async (report, options) => {
    switch (report.command) {
      case 'inspect':
        return (await import('./inspect-terminal.js')).renderInspect(report, options);
      case 'compare':
        return (await import('./compare-terminal.js')).renderCompare(report, options);
      case 'analyze':
        return (await import('./terminal.js')).renderTerminal(report, options);
    }
  },
  json: async (report) => (await import('./json.js')).renderJson(report),
  junit: async (report) => (await import('./junit.js')).renderJunit(measured(report, 'junit')),
  sarif: async (report) => (await import('./sarif.js')).renderSarif(measured(report, 'sarif')),
  github: async (report) => (await import('./github.js')).renderGithub(measured(report, 'github')),
  md: async (report) => (await import('./markdown.js')).renderMarkdown(measured(report, 'md')),
  csv: async (report) => (await import('./csv.js')).renderCsv(measured(report, 'csv')),
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof REPORTERS;

/** @throws UsageError for `inspect`, which measures nothing */
function measured(report: AnyReport, reporter: string): MeasuredReport {
  if (report.command !== 'inspect') return report;
  throw new UsageError(`--report ${reporter}: qdbg inspect measures nothing and has terminal and json only`, {
    hint: '--report json=FILE',
  });
}
