/** The report as text for a terminal: verdict first, then where, why, and what to try. */
import { Chalk, type ChalkInstance } from 'chalk';
import { accuracyInShort, accuracySection } from './accuracy-terminal.js';
import { preprocessingSection } from './accuracy-terminal-preprocessing.js';
import { checkedInShort } from './checked-lines.js';
import { driftSection } from './gate-terminal-drift.js';
import { gateSection } from './gate-terminal.js';
import { labelled, printable, shortened } from './format.js';
import { stripSection } from './layer-strip.js';
import type { Report } from './report.js';
import { impliedText } from './scheme-text.js';
import { dataLines, islandLines, missingLines, modelLines, schemeLines } from './terminal-basis.js';
import { findingLines } from './terminal-findings.js';
import {
  channels,
  falls,
  INDENT,
  layers,
  weights,
  worstLayers,
  WORTHWHILE_DB,
  type TableOptions,
} from './terminal-layers.js';
import { page, verdictLines } from './terminal-page.js';
import { valuesSection } from './value-histograms.js';
import { channelPlots } from './weight-plots.js';

export interface TerminalOptions {
  readonly width: number;
  readonly color: boolean;
  /** Whether bars and plots may be drawn with characters beyond ASCII; they are where this is not said. */
  readonly unicode?: boolean;
  /** Rows per table; where undefined, each report has its own default. */
  readonly top: number | undefined;
  /** Verdict, gate and findings only. */
  readonly quiet: boolean;
}

const DEFAULT_TOP = 10;
const DEFAULT_HISTOGRAMS = 5;
const DEFAULT_PLOTS = 8;
const DEFAULT_ADVICE = 5;
const NAME = 60;
const OWN_REFERENCE =
  "reference: this file's own network without quantizers; what rounding its weights has cost shows only beside the float model";

export function renderTerminal(report: Report, options: TerminalOptions): string {
  const { width, top, quiet } = options;
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const rows = (usual: number): TableOptions => ({ width, top: top ?? usual });
  const verdict = verdictLines(report.verdict, report.data.eval ?? report.data.calib, style, width);
  const gate = gateSection(report, style, options);
  const findings = findingLines(report.findings, style, width);
  if (quiet) return page([verdict, accuracyInShort(report, style, width), gate, findings], options);
  const sections = [
    verdict,
    preprocessingSection(report, style, options),
    accuracySection(report, style, options),
    gate,
    driftSection(report, style, options),
    stripSection(report, style, width),
    findings,
    falls(report, style, options),
    layers(report, style, rows(DEFAULT_TOP)),
    valuesSection(worstLayers(report), rows(DEFAULT_HISTOGRAMS)),
    channels(report, style, rows(DEFAULT_TOP)),
    blamedWeight(report, style, rows(DEFAULT_PLOTS)),
    weights(report, style, rows(DEFAULT_TOP)),
    advice(report, style, rows(DEFAULT_ADVICE)),
    checkedInShort(report.rules, report.findings, width),
    missingLines(report, width),
    basis(report, style, width),
  ];
  return page(sections, options);
}

/** The channels of the weight that the verdict is about. */
function blamedWeight(
  { verdict: { cause, where }, weights: all }: Report,
  style: ChalkInstance,
  options: TableOptions,
): string[] {
  if (cause?.startsWith('w.') !== true) return [];
  const weight = all.find(({ tensor }) => tensor === where) ?? all.find(({ node }) => node === where);
  return weight === undefined
    ? []
    : channelPlots(weight, style, options, ` of ${shortened(weight.tensor, NAME)}`);
}

/** Observers that would raise a tensor's own SQNR, forecast from its histogram. */
function advice({ tensors }: Report, style: ChalkInstance, { width, top }: TableOptions): string[] {
  const gains = tensors.flatMap(({ tensor, self, forecast }) => {
    const best = Object.entries(forecast ?? {}).sort((a, b) => b[1] - a[1])[0];
    const gain = best === undefined || self?.sqnrDb === undefined ? 0 : best[1] - self.sqnrDb;
    return best !== undefined && gain > WORTHWHILE_DB ? [{ tensor, observer: best[0], gain }] : [];
  });
  const lines = gains
    .sort((a, b) => b.gain - a.gain)
    .slice(0, top)
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
