/** What `qdbg doctor` found as text for a terminal: verdict and findings first, then what the file says of itself. */
import { Chalk } from 'chalk';
import { accuracyInShort, accuracySection } from './accuracy-terminal.js';
import { preprocessingSection } from './accuracy-terminal-preprocessing.js';
import { checkedLines } from './checked-lines.js';
import type { DoctorReport } from './doctor-report.js';
import { gateSection } from './gate-terminal.js';
import { quantizationSection } from './inspect-quantization.js';
import { portsSection } from './inspect-ports.js';
import { dataLines, missingLines, modelLines } from './terminal-basis.js';
import { findingLines } from './terminal-findings.js';
import { page, verdictLines } from './terminal-page.js';
import type { TerminalOptions } from './terminal.js';

export function renderDoctor(report: DoctorReport, options: TerminalOptions): string {
  const { width, quiet } = options;
  const style = new Chalk({ level: options.color ? 1 : 0 });
  const { inspected, data } = report;
  const verdict = verdictLines(report.verdict, data.eval ?? data.data ?? data.calib, style, width);
  const gate = gateSection(report, style, options);
  const findings = findingLines(report.findings, style, width);
  if (quiet) return page([verdict, accuracyInShort(report, style, width), gate, findings], options);
  const sections = [
    verdict,
    preprocessingSection(report, style, options),
    accuracySection(report, style, options),
    gate,
    findings,
    checkedLines(report.rules, report.findings, width),
    portsSection('INPUTS', inspected.inputs, style, width),
    portsSection('OUTPUTS', inspected.outputs, style, width),
    quantizationSection(inspected, style, width),
    missingLines(report, width),
    [
      ...report.models.flatMap((model) => modelLines(model.role.padEnd(11), model, width)),
      ...Object.entries(data).flatMap(([role, set]) =>
        set === undefined ? [] : dataLines(role.padEnd(11), set, style, width),
      ),
    ],
  ];
  return page(sections, options);
}
