/** Reporters by the name that `--report` takes. */
import { renderJson } from './json.js';
import type { Report } from './report.js';
import { renderTerminal, type TerminalOptions } from './terminal.js';

export const REPORTERS = {
  terminal: renderTerminal,
  json: renderJson,
} satisfies Record<string, (report: Report, options: TerminalOptions) => string>;

export type ReporterName = keyof typeof REPORTERS;
