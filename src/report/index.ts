/** Reporters by the name that `--report` takes. */
import type { AnyReport } from './any-report.js';
import { renderInspect } from './inspect-terminal.js';
import { renderJson } from './json.js';
import { renderTerminal, type TerminalOptions } from './terminal.js';

export const REPORTERS = {
  terminal: (report, options) =>
    report.command === 'inspect' ? renderInspect(report, options) : renderTerminal(report, options),
  json: renderJson,
} satisfies Record<string, (report: AnyReport, options: TerminalOptions) => string>;

export type ReporterName = keyof typeof REPORTERS;
