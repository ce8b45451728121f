import { beforeAll, describe, expect, it } from 'vitest';
import { doctor } from '../../src/commands/doctor.js';
import { inspect } from '../../src/commands/inspect.js';
import { parseReport } from '../../src/commands/report-file.js';
import { UsageError } from '../../src/errors.js';
import type { AnyReport } from '../../src/report/any-report.js';
import { REPORTERS, type ReporterName } from '../../src/report/index.js';
import { renderJson } from '../../src/report/json.js';
import { SITUATIONS } from '../support/compared-reports.js';
import { EVALUATED, MEASURED } from '../support/evaluated-reports.js';
import { reportOf } from '../support/evaluated-runs.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { SWEPT, UNLABELLED } from '../support/swept-reports.js';

const FIXTURES = new URL('../../fixtures/', import.meta.url).pathname;
const OPTIONS = [
  { width: 110, color: false, top: undefined, quiet: false },
  { width: 72, color: true, top: 3, quiet: false },
  { width: 200, color: false, top: undefined, quiet: true },
] as const;

/** What a reporter gives for a document, or says why it gives nothing. */
async function texts(report: AnyReport): Promise<readonly string[]> {
  const rendered = (Object.keys(REPORTERS) as ReporterName[]).flatMap((name) =>
    OPTIONS.map((options) =>
      REPORTERS[name](report, options).then(
        (text) => `${name}\n${text}`,
        (error: unknown) => {
          if (!(error instanceof UsageError)) throw error;
          return error.message;
        },
      ),
    ),
  );
  return Promise.all(rendered);
}

describe('a stored document', () => {
  const runs = new Map<string, AnyReport>();

  beforeAll(async () => {
    const digits = `${FIXTURES}digits`;
    const model = `${digits}/digits.onnx`;
    const measured = ['--eval', `${digits}/eval`, '--samples', '20'];
    runs.set(
      'analyze',
      await reportOf('analyze', model, '--calib', `${digits}/calib`, ...measured, '--max-drop', '1pt'),
    );
    runs.set(
      'compare',
      await reportOf('compare', model, `${digits}/digits_rescaled.onnx`, ...measured, '--fail-on', 'error'),
    );
    const asked = { models: [model], shapes: new Map(), timestamp: false, complete: true };
    runs.set('inspect', await inspect(asked));
    runs.set('inspect of one layer', await inspect({ ...asked, node: await firstLayer(model) }));
    const nothing = {
      run: 'nothing',
      request: { model, minAligned: 0.5, shapes: new Map(), gate: UNJUDGED.gate, timestamp: true },
    } as const;
    runs.set('doctor', await doctor(nothing, UNWATCHED));
    runs.set('sweep', SWEPT);
    runs.set('sweep without labels', UNLABELLED);
    runs.set('analyze, all parts', EVALUATED);
    runs.set('analyze, few parts', MEASURED);
    for (const [name, report] of Object.entries(SITUATIONS)) runs.set(`compare, ${name}`, report);
  });

  it('is rendered by every reporter as the run itself would have been', async () => {
    expect(runs.size).toBeGreaterThan(10);
    for (const [name, report] of runs) {
      const stored = parseReport(renderJson(report), 'run.json');
      expect(await texts(stored), name).toEqual(await texts(report));
    }
  });

  it('has scales that are no numbers back as they were', async () => {
    const [row, ...rows] = MEASURED.tensors;
    const quant = {
      dtype: 'int8',
      scale: [NaN, Infinity, -Infinity, 1],
      zeroPoint: [0],
      qmin: -128,
      qmax: 127,
      source: 'file',
    };
    const report = { ...MEASURED, tensors: [{ ...row!, quant }, ...rows] };
    const stored = parseReport(renderJson(report), 'run.json');
    expect((stored as typeof report).tensors[0]!.quant!.scale).toEqual([NaN, Infinity, -Infinity, 1]);
    expect(await texts(stored)).toEqual(await texts(report));
  });
});

async function firstLayer(model: string): Promise<string> {
  const { models } = await inspect({ models: [model], shapes: new Map(), timestamp: false, complete: true });
  const node = models[0]?.layers.find(({ weight }) => weight !== undefined)?.node;
  if (node === undefined) throw new Error('no layer');
  return node;
}

const TEXT = renderJson(MEASURED);

describe('a file that is no document', () => {
  it.each([
    ['nothing', '', /it is empty/],
    ['text', 'hello', /it is not JSON/],
    ['a document that is cut off', TEXT.slice(0, 1000), /it is not JSON/],
    ['another object', '{}', /no document of qdbg/],
    ['a list', '[1]', /no document of qdbg/],
    ['null', 'null', /no document of qdbg/],
    [
      'a newer form',
      TEXT.replace('"schemaVersion": 1', '"schemaVersion": 2'),
      /schemaVersion 2, this qdbg reads 1/,
    ],
    ['another command', TEXT.replace('"analyze"', '"constructor"'), /command "constructor"/],
    ['lists in lists', '['.repeat(100_000), /not JSON|too deeply/],
    ['lists in lists, closed', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /no document of qdbg/],
  ])('is refused: %s', (_, text, message) => {
    expect(() => parseReport(text, 'run.json')).toThrow(UsageError);
    expect(() => parseReport(text, 'run.json')).toThrow(message);
  });

  it.each([
    ['tensors', undefined, 'tensors is missing'],
    ['tensors', 'x', 'tensors is "x", wanted a list'],
    ['tensors', [null], 'tensors.0 is null, wanted an object'],
    ['verdict', { summary: 7 }, 'verdict.summary is 7, wanted text'],
    ['models', [{}], 'models.0.role is missing'],
    [
      'gate',
      { verdict: 'maybe', checks: [] },
      'gate.verdict is "maybe", wanted "fail" or "inconclusive" or "pass"',
    ],
    ['weights', { length: 3 }, 'weights is an object, wanted a list'],
    [
      'findings',
      [{ rule: 'x', severity: 'fatal', subject: {}, message: '', args: {} }],
      'findings.0.severity is "fatal"',
    ],
  ])('is refused with the place: %s is %j', (key, value, place) => {
    const document = JSON.parse(TEXT) as Record<string, unknown>;
    document[key] = value;
    try {
      parseReport(JSON.stringify(document), 'run.json');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).places.join('\n')).toContain(place);
    }
  });

  it('is refused for numbers that are none, which JSON can write', () => {
    const text = TEXT.replace(/"mse": [^,]+,/, '"mse": 1e999,');
    expect(() => parseReport(text, 'run.json')).toThrow(/can be rendered/);
  });

  it('is refused when a part of free form is deeper than renderers can go', () => {
    const deep = `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
    const text = TEXT.replace(/"scheme": \{/, `"scheme": {"deep": ${deep},`);
    expect(() => parseReport(text, 'run.json')).toThrow(UsageError);
  });

  it('cannot change what objects are', () => {
    const text = TEXT.replace('{', '{"__proto__": {"polluted": true},').replace(
      /"scheme": \{/,
      '"scheme": {"__proto__": {"polluted": true},',
    );
    const document = parseReport(text, 'run.json');
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(JSON.stringify(document)).not.toContain('polluted');
  });
});
