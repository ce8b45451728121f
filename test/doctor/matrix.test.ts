/** Rules by fixtures: each rule speaks on its own fixture, no other raises an error there that has nothing to do with it, and near misses stay clean. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doctorRequest } from '../../src/cli/requests.js';
import { doctor } from '../../src/commands/doctor.js';
import { CATALOGUE } from '../../src/doctor/catalogue.js';
import type { Severity } from '../../src/doctor/finding.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import { parsed } from '../cli/parsed.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { TYPED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';

interface Case {
  /** Of `qdbg doctor`, in the folder of the case. */
  readonly args: readonly string[];
  readonly expect?: { readonly severity: Severity; readonly subject?: string };
  /** Other rules that rightly raise an error on the same fault. */
  readonly related?: readonly string[];
  /** Of a near miss: rules that must not speak. */
  readonly silent?: readonly string[];
}

const ROOT = projectPath('fixtures/doctor');

function casesIn(folder: string): { name: string; planted: Case }[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'case.json')))
    .sort()
    .map((name) => ({
      name,
      planted: JSON.parse(readFileSync(join(folder, name, 'case.json'), 'utf8')) as Case,
    }));
}

async function examined(folder: string, { args }: Case): Promise<DoctorReport> {
  const inFolder = (text: string): string => {
    const at = text.indexOf('=') + 1;
    const path = join(folder, text.slice(at));
    return !text.startsWith('-') && existsSync(path) ? text.slice(0, at) + path : text;
  };
  const { positional, options } = await parsed(['doctor', ...args.map(inFolder)]);
  const request = await doctorRequest(positional[0] ?? '', options, TYPED);
  return doctor(request, UNWATCHED);
}

const placed = (report: DoctorReport): string[] =>
  report.findings.map(({ rule, severity, subject: { node = '', tensor = '' } }) =>
    [severity, rule, node, tensor].filter((part) => part !== '').join(' '),
  );

describe('the fixture of a rule', () => {
  const cases = casesIn(ROOT);

  it('is there for every rule of the catalogue', () => {
    const rules = CATALOGUE.map(({ id }) => id).sort();
    expect(cases.map(({ name }) => name)).toEqual(rules);
  });

  it.each(cases)('$name makes its rule speak, and no other raise an error', async ({ name, planted }) => {
    const report = await examined(join(ROOT, name), planted);
    const told = placed(report);
    const { severity = 'error', subject } = planted.expect ?? {};
    const own = report.findings.filter(({ rule }) => rule === name);
    expect(
      own.map((finding) => finding.severity),
      told.join('\n'),
    ).toContain(severity);
    if (subject !== undefined) {
      const places = own.flatMap(({ subject: { node, tensor } }) => [node, tensor]);
      expect(places, told.join('\n')).toContain(subject);
    }
    const others = report.findings.filter(
      (finding) =>
        finding.severity === 'error' &&
        finding.rule !== name &&
        planted.related?.includes(finding.rule) !== true,
    );
    expect(others.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  });
});

describe('a near miss', () => {
  it.each(casesIn(join(ROOT, 'clean')))('$name raises no error', async ({ name, planted }) => {
    const report = await examined(join(ROOT, 'clean', name), planted);
    const errors = report.findings.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
    const spoken = report.findings.map(({ rule }) => rule);
    expect(spoken.filter((rule) => planted.silent?.includes(rule) === true)).toEqual([]);
  });
});
