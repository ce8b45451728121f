import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import { renderSarif } from '../../src/report/sarif.js';
import { ruleText } from '../../src/report/sarif-rules.js';
import { EVALUATED, FINDING, HOSTILE, MEASURED, named } from '../support/evaluated-reports.js';
import { AGREEMENT } from './markdown-accuracies.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly [
    {
      readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
      readonly logicalLocations?: readonly { readonly name: string }[];
    },
  ];
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly suppressions?: readonly { readonly justification: string }[];
}

interface Log {
  readonly runs: readonly [
    {
      readonly results: readonly Result[];
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    },
  ];
}

let faultsOf: (text: string) => readonly string[];
beforeAll(() => {
  // The schema is of draft 4, whose only differences that it uses are `id` and the name of the draft.
  const schema = JSON.parse(readFileSync(path('fixtures/report/sarif-schema-2.1.0.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  delete schema['id'];
  delete schema['$schema'];
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (to: Ajv) => void)(ajv);
  const validate = ajv.compile(schema);
  faultsOf = (text) => {
    validate(JSON.parse(text));
    return (validate.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
  };
});

const resultsOf = (report: MeasuredReport): readonly Result[] =>
  (JSON.parse(renderSarif(report)) as Log).runs[0].results;

const uriOf = (file: string): string =>
  resultsOf({ ...MEASURED, models: MEASURED.models.map((model) => ({ ...model, path: file })) })[0]!
    .locations[0].physicalLocation.artifactLocation.uri;

describe('the SARIF report', () => {
  it('fits the schema of OASIS, which knows what is wrong', () => {
    for (const report of [MEASURED, EVALUATED, { ...MEASURED, findings: [] }]) {
      expect(faultsOf(renderSarif(report))).toEqual([]);
    }
    expect(faultsOf(renderSarif(MEASURED).replace('"level": "error"', '"level": "fatal"'))).not.toEqual([]);
  });

  it('fits it whatever the names are, those that its builder takes for mistakes too', () => {
    for (const name of [HOSTILE, 'x'.repeat(10_000), '\ud83e', '', 'SARIF_BUILDER_INVALID']) {
      expect(faultsOf(renderSarif(named(name)))).toEqual([]);
    }
  });

  it('has findings with their rule, level, place and what to try', () => {
    const [first, second] = resultsOf(MEASURED);
    expect(first).toMatchObject({ ruleId: 'w.per-tensor-spread', level: 'error' });
    expect(first!.message.text).toBe(
      'one scale serves all 16 channels. Try: --per-axis (give every output channel its own scale).',
    );
    expect(first!.locations[0].logicalLocations!.map(({ name }) => name)).toEqual([
      'block1/depthwise',
      'block1/depthwise.weight',
    ]);
    expect(second).toMatchObject({ ruleId: 'act.wide-range', level: 'note' });
  });

  it('has failed and inconclusive checks and every layer that fails, and no checks that pass', () => {
    const checks = resultsOf(EVALUATED).filter(({ ruleId }) => ruleId.startsWith('gate.'));
    expect(checks.map(({ ruleId, level }) => [ruleId, level])).toEqual([
      ['gate.min-sqnr', 'error'],
      ['gate.min-sqnr', 'error'],
      ['gate.min-samples', 'warning'],
      ['gate.fail-on', 'error'],
    ]);
    expect(checks[1]!.locations[0].logicalLocations!.map(({ name }) => name)).toEqual([
      'block1/pool',
      'block1/pool:out',
    ]);
  });

  it('has suppressed findings with the reason', () => {
    const suppressed = resultsOf(EVALUATED).filter(({ suppressions }) => suppressions !== undefined);
    expect(suppressed.map(({ suppressions }) => suppressions![0]!.justification)).toEqual([
      'known since 2025 (until 2027-01-31)',
    ]);
  });

  it('lists every rule once, and points at it', () => {
    const { results, tool } = (JSON.parse(renderSarif(EVALUATED)) as Log).runs[0];
    const ids = tool.driver.rules.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { ruleId, ruleIndex } of results) expect(ids[ruleIndex]).toBe(ruleId);
  });

  it('keeps relative paths relative, and encodes them', () => {
    expect(uriOf('./models/net one#1%.onnx')).toBe('models/net%20one%231%25.onnx');
    expect(uriOf('models\\net.onnx')).toBe('models/net.onnx');
    expect(uriOf('/data/a b.onnx')).toBe('file:///data/a%20b.onnx');
    expect(uriOf('C:\\data\\net.onnx')).toBe('file:///C:/data/net.onnx');
  });

  it('places results in the candidate where there are two models', () => {
    const models = [
      { ...MEASURED.models[0]!, role: 'reference' as const, path: 'float.onnx' },
      { ...MEASURED.models[0]!, role: 'candidate' as const, path: 'int8.onnx' },
    ];
    const [first] = resultsOf({ ...MEASURED, models });
    expect(first!.locations[0].physicalLocation.artifactLocation.uri).toBe('int8.onnx');
  });

  it('knows a result again by its rule and place, not by its numbers', () => {
    const prints = (report: MeasuredReport): string[] =>
      resultsOf(report).map(({ partialFingerprints }) => partialFingerprints['primaryLocationLineHash']!);
    const other = { ...FINDING, message: 'one scale serves all 17 channels' };
    expect(prints({ ...MEASURED, findings: [other] })).toEqual(prints({ ...MEASURED, findings: [FINDING] }));
    const all = prints({ ...EVALUATED, findings: [FINDING, FINDING] });
    expect(new Set(all).size).toBe(all.length);
    // FNV-1a of the rule, a line break and the place: computed in Python.
    expect(prints({ ...MEASURED, findings: [{ ...FINDING, rule: 'a', subject: {} }] })).toEqual([
      '089bdc07b544e7b2:1',
    ]);
  });

  it('describes every rule of the doctor', () => {
    const rules = readdirSync(path('src/doctor'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => [
        ...readFileSync(join(path('src/doctor'), name), 'utf8').matchAll(
          /'((?:act|base|cpu|io|op|q|rt|w)\.[a-z0-9-]+)'/g,
        ),
      ])
      .map(([, id]) => id!);
    expect(rules.length).toBeGreaterThan(20);
    expect([...new Set(rules)].filter((id) => ruleText(id) === id)).toEqual([]);
    expect(ruleText('constructor')).toBe('constructor');
  });

  it('is the same each time, and holds no time of its own', () => {
    expect(renderSarif(EVALUATED)).toBe(renderSarif(EVALUATED));
    expect(renderSarif(EVALUATED)).not.toMatch(/Utc/);
    const dated = renderSarif({ ...EVALUATED, createdAt: '2026-01-02T03:04:05.000Z' });
    expect(dated).toContain('"endTimeUtc": "2026-01-02T03:04:05.000Z"');
    expect(faultsOf(dated)).toEqual([]);
  });

  it('has the metric as readers know it, and agreement beside labels as its number alone', () => {
    const properties = (report: MeasuredReport): Record<string, string> =>
      (JSON.parse(renderSarif(report)) as { runs: { properties: Record<string, string> }[] }).runs[0]!
        .properties;
    const beside = properties({ ...EVALUATED, agreement: AGREEMENT });
    expect(beside['accuracy']).toMatch(/^top-1: 87\.22 % -> 86\.94 %/);
    expect(beside['agreement']).toBe(
      'agreement of the candidate with the reference: 98.20 % (95 % 96.7 to 99.0)',
    );
    expect(properties({ ...MEASURED, agreement: AGREEMENT })['agreement']).toBe(AGREEMENT.summary);
  });
});
