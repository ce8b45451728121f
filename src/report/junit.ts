/**
 * The gate and the findings as JUnit XML, as CI servers read it (schema: junit-10.xsd of Jenkins' xUnit plugin).
 *
 * A check that fails is a failure; an inconclusive one is skipped, with what is missing: nothing broke (an error), and nothing
 * was shown to hold (passed) either. The exit code of qdbg, not this file, stops a job there. No time, no host: the same run
 * gives the same bytes.
 */
import junit from 'junit-report-builder';
import type { Builder, TestCase, TestSuite } from 'junit-report-builder';
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import type { GateCheck } from '../diff/gate/gate.js';
import type { Finding } from '../doctor/finding.js';
import { besideText, missingAccuracy, safeName, safeText, toldCheck } from './document-text.js';
import { failingSeverities, placeOf, type JudgedReport } from './evaluated.js';
import {
  change,
  changeExtent,
  checkText,
  metricName,
  metricsOf,
  metricValue,
  probability,
} from './evaluated-text.js';

/** The package's types say that the builder is under `default`; what Node.js imports is the builder. */
const ROOT = junit as unknown as Builder;

export function renderJunit(report: JudgedReport): string {
  const builder = ROOT.newBuilder().name(`qdbg ${report.command}`);
  gateSuite(builder.testSuite(), report);
  findingSuite(() => builder.testSuite(), report);
  // The schema has no `skipped` on the root, and Jenkins refuses what its schema does not have.
  return `${builder.build().replace(/(<testsuites [^>]*?) skipped="\d+"/, '$1')}\n`;
}

function gateSuite(suite: TestSuite, report: JudgedReport): void {
  suite.name('qdbg.gate');
  if (report.createdAt !== undefined) suite.timestamp(report.createdAt);
  for (const [name, value] of properties(report)) suite.property(safeName(name), safeText(value));
  const { gate } = report;
  if (gate === undefined || gate.checks.length === 0) {
    const open = suite.testCase().className('qdbg.gate').name('measured');
    printed(open, `no gate was set: measured only. ${report.verdict.summary}`);
    return;
  }
  const names = namesOf(gate.checks);
  gate.checks.forEach((check, i) => {
    const test = suite
      .testCase()
      .className('qdbg.gate')
      .name(safeName(names[i] ?? check.name));
    const text = safeText(toldCheck(check));
    if (check.verdict === 'fail') test.failure(text, safeName(check.name));
    else if (check.verdict === 'inconclusive') skippedWith(test, text);
    else printed(test, text);
  });
  layerCases(suite, gate.checks);
}

/** A check of layers is told by its worst; every other layer that fails has a case of its own. */
function layerCases(suite: TestSuite, checks: readonly GateCheck[]): void {
  const failing = checks.flatMap((check) =>
    (check.layers ?? [])
      .filter(({ verdict, tensor }) => verdict === 'fail' && tensor !== check.where)
      .map((layer) => ({ check, layer })),
  );
  const names = distinct(failing.map(({ check, layer }) => `${check.name} at ${layer.tensor}`));
  failing.forEach(({ check, layer }, i) => {
    const { tensor, observed, margin, note } = layer;
    const text = checkText({
      ...{ name: check.name, source: check.source, threshold: check.threshold, unit: check.unit },
      ...(observed === undefined ? {} : { observed }),
      ...(margin === undefined ? {} : { margin }),
      ...(note === undefined ? {} : { note }),
      where: tensor,
      verdict: 'fail',
    });
    suite
      .testCase()
      .className('qdbg.gate')
      .name(safeName(names[i] ?? tensor))
      .failure(safeText(text), safeName(check.name));
  });
}

/** Of several checks of one name each is told by its place; CI servers follow a test by its name. */
function namesOf(checks: readonly GateCheck[]): string[] {
  const many = new Map<string, number>();
  for (const { name } of checks) many.set(name, (many.get(name) ?? 0) + 1);
  return distinct(
    checks.map(({ name, where }) =>
      where === undefined || many.get(name) === 1 ? name : `${name} at ${where}`,
    ),
  );
}

/** The second of a name is numbered. */
function distinct(names: readonly string[]): string[] {
  const met = new Map<string, number>();
  return names.map((name) => {
    const before = met.get(name) ?? 0;
    met.set(name, before + 1);
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

function* properties(report: JudgedReport): Generator<[name: string, value: string]> {
  yield ['qdbg', report.tool.version];
  for (const { role, path, sha256 } of report.models) yield [role, `${path} sha256:${sha256}`];
  for (const [role, data] of Object.entries(report.data)) {
    if (data !== undefined)
      yield [`data ${role}`, `${data.path}, ${data.samples} samples, sha256:${data.sha256}`];
  }
  yield ['verdict', report.verdict.summary];
  for (const told of missingAccuracy(report.notMeasured)) yield ['accuracy', told];
  const [first, ...others] = metricsOf(report);
  if (first === undefined) return;
  if (first.labels === undefined) yield [metricName(first.metric), first.summary];
  else yield* accuracyProperties(first);
  for (const metric of others) yield [metricName(metric.metric), besideText(metric)];
}

/** The numbers of the summary, each to read by itself; what there is none of has no property. */
function* accuracyProperties(accuracy: Accuracy): Generator<[name: string, value: string]> {
  const { metric, reference, candidate, delta, interval, pValue, samples, unit, deltaUnit } = accuracy;
  const values: Readonly<Record<string, string>> = {
    metric: metricName(metric),
    reference: reference === undefined ? '' : metricValue(reference, unit),
    candidate: candidate === undefined ? '' : metricValue(candidate, unit),
    delta: change(delta, deltaUnit),
    'delta 95 %': changeExtent(interval, deltaUnit),
    p: probability(pValue),
    n: String(samples),
  };
  for (const [name, value] of Object.entries(values)) {
    if (value !== '') yield [`accuracy ${name}`, value];
  }
}

/** No suite where there is nothing to tell: some servers take an empty one for a crash. */
function findingSuite(suiteOf: () => TestSuite, report: JudgedReport): void {
  const { findings, suppressed = [] } = report;
  const all: readonly { readonly finding: Finding; readonly accepted?: string }[] = [
    ...findings.map((finding) => ({ finding })),
    ...suppressed.map(({ finding, reason, expires }) => ({
      finding,
      accepted: `${reason}${expires === undefined ? '' : ` (until ${expires})`}`,
    })),
  ];
  if (all.length === 0) return;
  const suite = suiteOf().name('qdbg.findings');
  const failing = failingSeverities(report);
  const names = distinct(all.map(({ finding }) => [finding.rule, placeOf(finding)].join(' ').trim()));
  all.forEach(({ finding, accepted }, i) => {
    const { rule, severity, message, fix } = finding;
    const test = suite
      .testCase()
      .className(`qdbg.${safeName(rule)}`)
      .name(safeName(names[i] ?? rule));
    const told = safeText(message);
    if (accepted !== undefined) skippedWith(test, safeText(`suppressed: ${accepted}. ${message}`));
    else if (failing.has(severity)) test.failure(told, severity);
    const tried = fix === undefined ? '' : `. Try: ${fix.edit} (${fix.title})`;
    printed(test, `${severity}: ${message}${tried}`);
  });
}

/** The builder writes `]]>` apart only once. */
function printed(test: TestCase, text: string): void {
  test.standardOutput(safeText(text).replaceAll(']]>', ']] >'));
}

/** A skipped case that says why, which the builder's own cannot. */
function skippedWith(test: TestCase, message: string): void {
  const build = test.build.bind(test);
  test.build = (parent) => {
    const element = build(parent);
    element.ele('skipped', { message });
    return element;
  };
  test.getSkippedCount = () => 1;
}
