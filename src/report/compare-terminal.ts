/** What `qdbg compare` found as text for a terminal: verdict and causes first, then the evidence, then what it rests on. */
import { Chalk, type ChalkInstance } from 'chalk';
import { departs } from '../diff/other-departure.js';
import { accuracyInShort, accuracySection } from './accuracy-terminal.js';
import { preprocessingSection } from './accuracy-terminal-preprocessing.js';
import { checkedInShort } from './checked-lines.js';
import { alignmentSection, inputsSection, outputsSection, unmatchedSection } from './compare-alignment.js';
import { constantsSection } from './compare-constants.js';
import { comparedLayers, layersInShort, rankedLayers } from './compare-layers.js';
import { isClose, wholeRung } from './compare-ladder.js';
import { ladderSection } from './compare-ladder-table.js';
import { otherRunSection } from './compare-other-run.js';
import type { CompareReport } from './compare-report.js';
import { impliedText } from './scheme-text.js';
import { labelled } from './format.js';
import { driftSection } from './gate-terminal-drift.js';
import { gateSection } from './gate-terminal.js';
import { stripSection } from './layer-strip.js';
import { dataLines, islandLines, missingLines, modelLines, schemeLines } from './terminal-basis.js';
import { findingLines } from './terminal-findings.js';
import { channels, type TableOptions } from './terminal-layers.js';
import { page, prose, verdictLines } from './terminal-page.js';
import type { TerminalOptions } from './terminal.js';
import { valuesSection } from './value-histograms.js';

const DEFAULT_TOP = 10;
const DEFAULT_HISTOGRAMS = 5;
/** Share of the compute operators from which on an alignment counts as whole. */
const WHOLE = 0.95;
const LABEL = 'candidate  ';

export function renderCompare(report: CompareReport, options: TerminalOptions): string {
  const { width, top } = options;
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const isShort = isHealthy(report) && top === undefined;
  const table = { width, top: top ?? DEFAULT_TOP, askedTop: top };
  const verdict = verdictLines(report.verdict, report.data.data, style, width);
  const gate = gateSection(report, style, options);
  const findings = findingLines(report.findings, style, width);
  if (options.quiet) return page([verdict, accuracyInShort(report, style, width), gate, findings], options);
  const sections = [
    verdict,
    preprocessingSection(report, style, options),
    accuracySection(report, style, options),
    gate,
    driftSection(report, style, options),
    isShort ? [] : stripSection(report, style, width),
    findings,
    ladderSection(report, style, options),
    isShort ? layersInShort(report.tensors, width) : comparedLayers(report, style, table),
    isShort
      ? []
      : valuesSection(
          rankedLayers(report.tensors),
          { width, top: top ?? DEFAULT_HISTOGRAMS },
          report.histogramSamples,
        ),
    channels(report, style, table),
    constantsSection(report, style, table),
    unmatchedSection(report.alignment, style, table),
    outputsSection(report.alignment, style, table),
    inputsSection(report.alignment, table),
    alignmentSection(report.alignment, width),
    runSection('RUNTIME', report.runtime, style, table),
    runSection('OPTIMIZED', report.optimized, style, table),
    runSection('ACTUAL', report.actual, style, table),
    checkedInShort(report.rules, report.findings, width),
    missingLines(report, width),
    basis(report, style, width),
  ];
  return page(sections, options);
}

function runSection(
  name: string,
  run: CompareReport['runtime'],
  style: ChalkInstance,
  options: TableOptions,
): string[] {
  if (run === undefined) return [];
  return 'notRun' in run
    ? labelled(`${name}  `, prose(`not run: ${run.notRun}`), options.width)
    : otherRunSection(name, run, style, options);
}

/** Nothing accused, nothing lost, nothing left out: then the report is short. */
function isHealthy({ verdict, findings, ladder, alignment, ...other }: CompareReport): boolean {
  const { operators, outputs } = alignment;
  // Of the steps between, some need the quantizers that they leave out: their ranges stand for activation functions.
  const ends = [...wholeRung(ladder), ...ladder.filter(({ rung }) => rung === 'runtime')];
  const { runtime, optimized, actual } = other;
  const runs = [runtime, optimized, actual].flatMap((run) =>
    run === undefined || 'notRun' in run ? [] : [run],
  );
  return (
    verdict.cause === undefined &&
    findings.every(({ severity }) => severity === 'note') &&
    ends.length > 0 &&
    ends.every(isClose) &&
    operators.matched >= WHOLE * operators.total &&
    outputs.every(({ position, referencePosition }) => position === referencePosition) &&
    runs.every(({ tensors }) => !tensors.some(departs))
  );
}

function isFloat({ scheme }: CompareReport): boolean {
  return scheme['activations'] === 'float' && scheme['weights'] === 'float';
}

/** What all of this was measured with. */
function basis(report: CompareReport, style: ChalkInstance, width: number): string[] {
  const blank = ' '.repeat(LABEL.length);
  return [
    ...report.models.flatMap((model) => [
      ...modelLines(model.role.padEnd(LABEL.length), model, width),
      ...(model.impliedActivations === undefined
        ? []
        : labelled(blank, impliedText(model.impliedActivations), width)),
    ]),
    ...(isFloat(report)
      ? [`${'scheme'.padEnd(LABEL.length)}none: the candidate has no quantizers`]
      : [
          ...schemeLines('scheme'.padEnd(LABEL.length), report, width),
          ...islandLines(blank, report.coverage, width),
        ]),
    ...(report.processor === undefined
      ? []
      : labelled('processor'.padEnd(LABEL.length), prose(report.processor), width)),
    ...Object.entries(report.data).flatMap(([role, data]) =>
      data === undefined ? [] : dataLines(role.padEnd(LABEL.length), data, style, width),
    ),
  ];
}
