/** What `qdbg doctor` found as text for a terminal: verdict and findings first, then what the file says of itself. */
import { Chalk } from 'chalk';
import { accuracySection } from './accuracy-terminal.js';
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

export function renderDoctor(report: DoctorReport, { width, color, quiet }: TerminalOptions): string {
  const style = new Chalk({ level: color ? 1 : 0 });
  const { inspected, data } = report;
  return page([
    verdictLines(report.verdict, data.eval ?? data.data ?? data.calib, style, width),
    preprocessingSection(report, style, width),
    accuracySection(report, style, width),
    gateSection(report, style, width),
    findingLines(report.findings, style, width),
    checkedLines(report.rules, report.findings, width),
    ...(quiet
      ? []
      : [
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
        ]),
  ]);
}
