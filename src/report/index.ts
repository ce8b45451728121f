/** Reporters by the name that `--report` takes; each is loaded when it is used. */
import type { AnyReport } from './any-report.js';
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
} satisfies Record<string, Reporter>;

export type ReporterName = keyof typeof REPORTERS;
