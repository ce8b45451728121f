import { describe, expect, it } from 'vitest';
import { gateOf, type GateFinding, type GateInput } from '../../../src/diff/gate/checks.js';
import type { GateCheck } from '../../../src/diff/gate/gate.js';
import { parseThresholds, type GateTexts, type Written } from '../../../src/diff/gate/thresholds.js';
import { UsageError } from '../../../src/errors.js';
import { accuracy, changed } from './accuracies.js';

const typed = (text: string): Written => ({ text, source: 'command line' });
const finding = (rule: string, severity: GateFinding['severity'], tensor: string): GateFinding => ({
  rule,
  severity,
  subject: { tensor },
});
const LAYER = { tensor: 'logits', node: 'fc', op: 'Gemm', cumulative: { sqnrDb: 25 } };

const gate = (texts: GateTexts, rest: Partial<GateInput> = {}) =>
  gateOf({
    thresholds: parseThresholds(texts),
    isMetricChosen: false,
    samples: 100,
    tensors: [LAYER],
    outputs: [{ tensor: 'logits', sqnrDb: 25 }],
    findings: [],
    ...rest,
  });

const DRIFT: GateCheck = {
  name: 'baseline layers',
  source: 'default',
  threshold: 3,
  unit: 'dB',
  verdict: 'fail',
};

describe('the gate', () => {
  it('is none when nothing is asked for', () => {
    expect(gate({})).toBeUndefined();
    expect(gate({ failOn: typed('never'), inconclusive: typed('pass') })).toBeUndefined();
  });

  it('has its checks in one order, whatever the order of the flags', () => {
    const all = gate(
      {
        failOn: typed('error'),
        minSqnr: [typed('20'), typed('*=20')],
        minSamples: typed('10'),
        maxDrop: typed('1pt'),
      },
      { accuracy: accuracy(), baseline: [{ ...DRIFT, verdict: 'pass' }] },
    );
    expect(all?.verdict).toBe('pass');
    expect(all?.checks.map(({ name }) => name)).toEqual([
      'max-drop',
      'min-samples',
      'min-sqnr',
      'min-sqnr *',
      'fail-on error',
      'baseline layers',
    ]);
  });

  it('is as bad as its worst check: fail before inconclusive before pass', () => {
    const few = { minSamples: typed('101'), minSqnr: [typed('20')] };
    expect(gate(few)?.verdict).toBe('inconclusive');
    expect(gate({ ...few, minSqnr: [typed('26')] })?.verdict).toBe('fail');
    expect(gate(few, { baseline: [DRIFT] })?.verdict).toBe('fail');
    expect(gate({ minSqnr: [typed('25')] })?.verdict).toBe('pass');
  });

  it('tells everything that cannot be observed at once', () => {
    let refused: unknown;
    try {
      gate({ maxDrop: typed('1pt'), minSqnr: [typed('convv=3')] });
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(UsageError);
    expect(refused).toMatchObject({
      message: '2 gates cannot be evaluated',
      places: [
        '--max-drop 1pt: nothing to gate, no accuracy was measured',
        'a pattern of --min-sqnr names nothing that was measured',
        "  'convv'",
      ],
      hint: '--labels FILE, or images in a folder for each class (two at least)',
    });
  });
});

describe('--min-samples', () => {
  it('is inconclusive below, by how many, and passes exactly at it', () => {
    expect(gate({ minSamples: typed('100') })?.checks).toEqual([
      {
        name: 'min-samples',
        source: 'command line',
        threshold: 100,
        observed: 100,
        margin: 0,
        unit: 'samples',
        verdict: 'pass',
      },
    ]);
    expect(gate({ minSamples: typed('1100') })?.checks).toMatchObject([
      { verdict: 'inconclusive', margin: -1000, note: '1,000 samples too few' },
    ]);
  });

  it('counts the samples of the accuracy where there is one', () => {
    const scored = { accuracy: accuracy({ samples: 99 }) };
    expect(gate({ minSamples: typed('100') }, scored)).toMatchObject({ verdict: 'inconclusive' });
  });
});

describe('--inconclusive', () => {
  const spanning = { accuracy: changed(90, 89.3, 0.9) };

  it.each(['pass', 'fail'] as const)('makes every inconclusive check a %s and says so', (verdict) => {
    const all = gate(
      { maxDrop: typed('1pt'), minSamples: typed('2000'), inconclusive: typed(verdict) },
      spanning,
    );
    expect(all?.verdict).toBe(verdict);
    expect(all?.checks.map((check) => check.verdict)).toEqual([verdict, verdict]);
    expect(all?.checks[0]?.note).toMatch(new RegExp(`would decide; inconclusive counts as ${verdict}$`));
    expect(all?.checks[1]?.note).toBe(`1,000 samples too few; inconclusive counts as ${verdict}`);
  });

  it('leaves decided checks alone', () => {
    expect(gate({ maxDrop: typed('5pt'), inconclusive: typed('fail') }, spanning)?.checks[0]).toMatchObject({
      verdict: 'pass',
      note: '95 % interval -0.2 to +1.6 pt',
    });
    expect(
      gate({ maxDrop: typed('0.1pt'), inconclusive: typed('pass') }, { accuracy: changed(90, 80, 1) }),
    ).toMatchObject({
      verdict: 'fail',
    });
  });
});

describe('--fail-on', () => {
  const found = {
    findings: [
      finding('act.clip', 'error', 'conv1'),
      finding('w.axis', 'warning', 'conv2'),
      finding('n', 'note', 'x'),
    ],
  };

  it('fails on findings as severe, with the worst and where it is', () => {
    expect(gate({ failOn: typed('error') }, found)?.checks).toEqual([
      {
        name: 'fail-on error',
        source: 'command line',
        threshold: 0,
        observed: 1,
        margin: -1,
        unit: 'findings',
        verdict: 'fail',
        where: 'conv1',
        note: 'act.clip',
      },
    ]);
    expect(gate({ failOn: typed('warning') }, found)?.checks).toMatchObject([
      { observed: 2, verdict: 'fail', where: 'conv1', note: 'act.clip and 1 more' },
    ]);
  });

  it('passes where there are none as severe', () => {
    const mild = { findings: found.findings.slice(1) };
    const [check] = gate({ failOn: typed('error') }, mild)?.checks ?? [];
    expect(check).toMatchObject({ verdict: 'pass', observed: 0, margin: 0 });
    expect(Object.is(check?.margin, -0)).toBe(false);
    expect(gate({ failOn: typed('warning') }, { findings: found.findings.slice(2) })?.verdict).toBe('pass');
  });

  it('names the node where the finding has no tensor', () => {
    const findings = [{ rule: 'op', severity: 'error', subject: { node: 'Conv#3' } } as const];
    expect(gate({ failOn: typed('error') }, { findings })?.checks[0]?.where).toBe('Conv#3');
  });
});
