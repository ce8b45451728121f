/** The report of any command as text for a terminal. */
import type { AnyReport } from './any-report.js';
import type { TerminalOptions } from './terminal.js';

export async function renderForTerminal(report: AnyReport, options: TerminalOptions): Promise<string> {
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
}
