/** What `qdbg sweep` found as text for a terminal: the answer first, then what each part of the network costs, then what helps. */
import { Chalk, type ChalkInstance } from 'chalk';
import { missingAccuracy } from './document-text.js';
import { measuredText, remarksOf } from './evaluated-text.js';
import { labelled, listed, plural, shortened } from './format.js';
import { experimentsSection } from './sweep-experiments.js';
import { decisionSection, exportsSection, fixesSection, togetherSection } from './sweep-fixes.js';
import type { SweepReport } from './sweep-report.js';
import { searchSection } from './sweep-search.js';
import { groupsSection, layersSection } from './sweep-units.js';
import { dataLines, islandLines, missingLines, modelLines, schemeLines } from './terminal-basis.js';
import { page, prose, verdictLines } from './terminal-page.js';
import type { TerminalOptions } from './terminal.js';

const DEFAULT_TOP = 10;
const LABEL = 'outputs  ';
const MOST_OUTPUTS = 4;
const NAME = 60;

export function renderSweep(report: SweepReport, options: TerminalOptions): string {
  const { width, quiet } = options;
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const table = { width, top: options.top ?? DEFAULT_TOP };
  const answer = searchSection(report, style, options);
  const fixes = fixesSection(report, style, table);
  const head = [
    verdictLines(report.verdict, report.data.eval ?? report.data.calib, style, width),
    missingAccuracy(report.notMeasured).flatMap((reason) => labelled('', prose(reason), width)),
  ];
  if (quiet) return page([...head, answer, fixes], options);
  const sections = [
    ...head,
    layersSection(report, style, table),
    groupsSection(report, style, table),
    experimentsSection(report, style, table),
    answer,
    fixes,
    togetherSection(report, width),
    decisionSection(report, style, width),
    exportsSection(report, style, width),
    missingLines(report, width),
    basis(report, style, width),
  ];
  return page(sections, options);
}

/** "32 of the 400 samples of eval, evenly spread" */
function noiseSamples({ basis: { samples }, data }: SweepReport): string {
  const [name, all] = data.eval === undefined ? ['calib', data.calib] : ['eval', data.eval];
  return all === undefined || all.samples <= samples
    ? plural(samples, 'sample')
    : `${samples} of the ${plural(all.samples, 'sample')} of ${name}, evenly spread`;
}

/** What all of this was measured with. */
function basis(report: SweepReport, style: ChalkInstance, width: number): string[] {
  const { accuracy, basis: of } = report;
  const blank = ' '.repeat(LABEL.length);
  const outputs = listed(
    of.outputs.map((name) => shortened(name, NAME)),
    MOST_OUTPUTS,
  );
  return [
    ...report.models.flatMap((model) => modelLines('model'.padEnd(LABEL.length), model, width)),
    ...schemeLines('scheme'.padEnd(LABEL.length), report, width),
    ...islandLines(blank, report.coverage, width),
    ...labelled(LABEL, `${outputs}: SQNR over ${noiseSamples(report)}`, width),
    ...(accuracy === undefined
      ? []
      : [measuredText(accuracy), ...remarksOf(accuracy)].flatMap((text, i) =>
          labelled(i === 0 ? 'metric'.padEnd(LABEL.length) : blank, prose(text), width),
        )),
    ...Object.entries(report.data).flatMap(([role, data]) =>
      data === undefined ? [] : dataLines(role.padEnd(LABEL.length), data, style, width),
    ),
  ];
}
