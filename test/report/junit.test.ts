import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { validateXML } from 'xmllint-wasm';
import type { Report } from '../../src/report/report.js';
import type { Evaluated } from '../../src/report/evaluated.js';
import { renderJunit } from '../../src/report/junit.js';
import { EVALUATED, FINDING, GATE, HOSTILE, MEASURED, miou, named } from '../support/evaluated-reports.js';
import { AGREEMENT } from './markdown-accuracies.js';

const SCHEMA = readFileSync(
  fileURLToPath(new URL('../../fixtures/report/junit-10.xsd', import.meta.url)),
  'utf8',
);

async function errorsOf(xml: string): Promise<readonly string[]> {
  const { errors } = await validateXML({ xml: { fileName: 'report.xml', contents: xml }, schema: SCHEMA });
  return errors.map(({ message }) => message);
}

/** Text of one test case of the document. */
function testcase(xml: string, name: string): string {
  const start = xml.indexOf(`name="${name}"`);
  const end = xml.indexOf('<testcase', start);
  return start < 0 ? '' : xml.slice(start, end < 0 ? undefined : end);
}

describe('the JUnit report', () => {
  it("fits the schema of Jenkins' xUnit plugin, which knows what is wrong", async () => {
    for (const report of [MEASURED, EVALUATED]) expect(await errorsOf(renderJunit(report))).toEqual([]);
    expect(await errorsOf('<testsuites skipped="1"/>')).not.toEqual([]);
  });

  it('stays valid XML 1.0 whatever the names are', async () => {
    for (const name of [HOSTILE, 'x<&"\u0000]]>'.repeat(2000), '\ud83e', '']) {
      expect(await errorsOf(renderJunit(named(name)))).toEqual([]);
    }
    const xml = renderJunit(named(HOSTILE));
    expect(xml).not.toMatch(/[\u0000\u001b\u202e]/);
    expect(xml.replaceAll(/<!\[CDATA\[.*?\]\]>/gs, '')).not.toContain('<script');
  });

  it('has a failure for what failed, a skipped case with its reason for what is inconclusive, and a passed one for what passed', () => {
    const xml = renderJunit(EVALUATED);
    expect(testcase(xml, 'min-sqnr block1/*')).toContain(
      '<failure message="min-sqnr block1/*: -0.7 dB observed (block1/pointwise:out), threshold 20 dB (qdbg.config.json), missed by 20.7 dB',
    );
    expect(testcase(xml, 'min-samples')).toContain('<skipped message="min-samples: 720 samples observed');
    expect(testcase(xml, 'min-samples')).not.toMatch(/<failure|<error/);
    expect(testcase(xml, 'max-drop')).toContain('0.72 pt to spare');
    expect(testcase(xml, 'max-drop')).not.toMatch(/<failure|<skipped/);
    expect(xml).toContain('<testsuite name="qdbg.gate" tests="5" failures="3" errors="0" skipped="1">');
  });

  it('has a case for every further layer that fails a check', () => {
    const xml = renderJunit(EVALUATED);
    expect(testcase(xml, 'min-sqnr block1/* at block1/pool:out')).toContain('1.1 dB observed');
    expect(xml).not.toContain('block1/depthwise:out');
  });

  it('has one passed case where no gate was set', () => {
    const xml = renderJunit({ ...MEASURED, findings: [] });
    expect(xml).toContain('tests="1" failures="0" errors="0"');
    expect(xml).toContain('no gate was set: measured only');
  });

  it('fails a finding only when the gate asks for it', () => {
    const failures = (gate: Partial<Report & Evaluated>): string =>
      /<testsuite name="qdbg.findings" tests="\d" failures="(\d)"/.exec(
        renderJunit({ ...MEASURED, ...gate }),
      )![1]!;
    const warning = { ...FINDING, severity: 'warning' as const };
    const asking = (name: string): Partial<Report & Evaluated> => ({
      findings: [FINDING, warning],
      gate: { verdict: 'fail', checks: [{ ...GATE.checks[3]!, name }] },
    });
    expect(failures({ findings: [FINDING, warning] })).toBe('0');
    expect(failures(asking('fail-on error'))).toBe('1');
    expect(failures(asking('fail-on warning'))).toBe('2');
  });

  it('numbers findings of the same rule at the same place, since servers know cases by their names', () => {
    const xml = renderJunit({ ...MEASURED, findings: [FINDING, FINDING] });
    const names = [...xml.matchAll(/<testcase [^>]*name="([^"]*)"/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('holds no time unless the report does, and is the same each time', () => {
    expect(renderJunit(EVALUATED)).toBe(renderJunit(EVALUATED));
    expect(renderJunit(EVALUATED)).not.toMatch(/timestamp|hostname|\btime=/);
    expect(renderJunit({ ...EVALUATED, createdAt: '2026-01-02T03:04:05.000Z' })).toContain(
      'timestamp="2026-01-02T03:04:05.000Z"',
    );
  });

  it('has the accuracy as one set of properties, and a property for each metric beside it', () => {
    const xml = renderJunit({ ...EVALUATED, agreement: AGREEMENT, otherMetrics: [miou(3)] });
    const properties = [...xml.matchAll(/<property name="([^"]*)" value="([^"]*)"/g)].map(
      ([, ...pair]) => pair,
    );
    expect(properties.slice(properties.findIndex(([name]) => name === 'verdict') + 1)).toEqual([
      ['accuracy metric', 'top-1'],
      ['accuracy reference', '87.22 %'],
      ['accuracy candidate', '86.94 %'],
      ['accuracy delta', '-0.28 pt'],
      ['accuracy delta 95 %', '-0.9 to +0.4'],
      ['accuracy p', '0.69'],
      ['accuracy n', '720'],
      ['mIoU', '55.00 % -> 37.00 %, -18.00 pt (95 % -19.1 to -16.8, n 100): a real loss'],
      ['agreement', 'agreement of the candidate with the reference: 98.20 % (95 % 96.7 to 99.0)'],
    ]);
    expect(testcase(xml, 'max-drop')).toContain('0.28 pt observed (top-1)');
  });

  it('has agreement as its sentence where there are no labels, and why accuracy is missing', () => {
    const notMeasured = [{ subject: 'accuracy', reason: 'no image for 3 labels' }];
    const xml = renderJunit({ ...MEASURED, agreement: AGREEMENT, notMeasured });
    expect(xml).toContain(`<property name="agreement" value="${AGREEMENT.summary}"/>`);
    expect(xml).toContain(
      '<property name="accuracy" value="accuracy not evaluated: no image for 3 labels"/>',
    );
    expect(xml).not.toContain('name="accuracy n"');
  });
});
