/** The report as text for a terminal: verdict first, then where, why, and what to try. */
import { Chalk, type ChalkInstance } from 'chalk';
import { accuracySection } from './accuracy-terminal.js';
import { preprocessingSection } from './accuracy-terminal-preprocessing.js';
import { checkedInShort } from './checked-lines.js';
import { driftSection } from './gate-terminal-drift.js';
import { gateSection } from './gate-terminal.js';
import { labelled, printable } from './format.js';
import type { Report } from './report.js';
import { impliedText } from './scheme-text.js';
import { dataLines, islandLines, missingLines, modelLines, schemeLines } from './terminal-basis.js';
import { findingLines } from './terminal-findings.js';
import { channels, falls, INDENT, layers, weights, WORTHWHILE_DB } from './terminal-layers.js';
import { page, verdictLines } from './terminal-page.js';

export interface TerminalOptions {
  readonly width: number;
  readonly color: boolean;
  /** Rows per table; where undefined, each report has its own default. */
  readonly top: number | undefined;
  /** Verdict and findings only. */
  readonly quiet: boolean;
}

const DEFAULT_TOP = 10;
const OWN_REFERENCE =
  "reference: this file's own network without quantizers; what rounding its weights has cost shows only beside the float model";

export function renderTerminal(report: Report, { top = DEFAULT_TOP, ...screen }: TerminalOptions): string {
  const options = { ...screen, top };
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const sections = [
    verdictLines(report.verdict, report.data.eval ?? report.data.calib, style, options.width),
    preprocessingSection(report, style, options.width),
    accuracySection(report, style, options.width),
    gateSection(report, style, options.width),
    driftSection(report, style, options.width),
    findingLines(report.findings, style, options.width),
    ...(options.quiet
      ? []
      : [
          falls(report, style, options.width),
          layers(report, style, options),
          channels(report, style, options),
          weights(report, style, options),
          advice(report, style, options),
          checkedInShort(report.rules, report.findings, options.width),
          missingLines(report, options.width),
          basis(report, style, options.width),
        ]),
  ];
  return page(sections);
}

/** Observers that would raise a tensor's own SQNR, forecast from its histogram. */
function advice({ tensors }: Report, style: ChalkInstance, { width }: TerminalOptions): string[] {
  const gains = tensors.flatMap(({ tensor, self, forecast }) => {
    const best = Object.entries(forecast ?? {}).sort((a, b) => b[1] - a[1])[0];
    const gain = best === undefined || self?.sqnrDb === undefined ? 0 : best[1] - self.sqnrDb;
    return best !== undefined && gain > WORTHWHILE_DB ? [{ tensor, observer: best[0], gain }] : [];
  });
  const lines = gains
    .sort((a, b) => b.gain - a.gain)
    .slice(0, 5)
    .flatMap(({ tensor, observer, gain }) => {
      const flags = `--observer ${observer.replace(' ', ' --percentile ')}`;
      const text = `${flags} forecast +${gain.toFixed(1)} dB self at ${printable(tensor)}`;
      const [first = '', ...more] = labelled(INDENT, text, width);
      return [first.replace(flags, style.bold(flags)), ...more];
    });
  return lines.length === 0 ? [] : ['WHAT TO TRY', ...lines];
}

/** What all of this was measured with. */
function basis(report: Report, style: ChalkInstance, width: number): string[] {
  const blank = '         ';
  const lines = report.models.flatMap((model) => modelLines('model    ', model, width));
  lines.push(...schemeLines('scheme   ', report, width));
  if (report.scheme['name'] === 'file') {
    lines.push(...labelled(blank, OWN_REFERENCE, width));
    for (const { impliedActivations } of report.models) {
      if (impliedActivations !== undefined)
        lines.push(...labelled(blank, impliedText(impliedActivations), width));
    }
  }
  lines.push(...islandLines(blank, report.coverage, width));
  for (const [role, data] of Object.entries(report.data)) {
    if (data !== undefined) lines.push(...dataLines(role.padEnd(blank.length), data, style, width));
  }
  return lines;
}
