import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import type { ErrorMeasurement } from '../../src/diff/measurement.js';
import type { ReportedJump, ReportedTensor, TensorRole } from '../../src/report/report.js';
import { verdictOf } from '../../src/report/verdict.js';
import { errorOf, NO_ERROR } from '../support/evidence.js';

function tensor(
  name: string,
  cumulative: ErrorMeasurement | undefined,
  role: TensorRole = 'output',
): ReportedTensor {
  return {
    tensor: name,
    node: '',
    op: '',
    role,
    order: 0,
    shape: [1],
    ...(cumulative === undefined ? {} : { cumulative }),
  };
}

const verdict = (
  tensors: readonly ReportedTensor[],
  findings: readonly Finding[] = [],
  jumps: readonly ReportedJump[] = [],
  ends = tensors.filter(({ role }) => role === 'output').map(({ tensor: name }) => name),
) => verdictOf(tensors, new Set(ends), findings, jumps);

const FROM_EXACT: ReportedJump = { tensor: 't', node: 'conv', op: 'Conv', toDb: 4, from: 's' };
const JUMP: ReportedJump = { ...FROM_EXACT, fromDb: 38 };
const finding = (severity: Finding['severity'], tensorName: string): Finding => ({
  rule: 'act.clipped',
  severity,
  subject: { tensor: tensorName },
  message: '',
  args: {},
});

describe('the verdict', () => {
  it.each([
    [30, 'the integer network stays close to float: output y has 30.0 dB SQNR (cumulative)'],
    [20, 'the integer network stays close to float: output y has 20.0 dB SQNR (cumulative)'],
    [19.99, 'the integer network loses much: output y has 20.0 dB SQNR (cumulative)'],
    [9.99, 'the integer network is broken: output y has 10.0 dB SQNR (cumulative)'],
    [-3, 'the integer network is broken: output y has -3.0 dB SQNR (cumulative)'],
  ])('at %d dB: %s', (db, summary) => {
    expect(verdict([tensor('y', errorOf(db))])).toEqual({ summary });
  });

  it('is about the worst output', () => {
    const { summary } = verdict([
      tensor('a', errorOf(40)),
      tensor('b', errorOf(5)),
      tensor('c', errorOf('exact')),
    ]);
    expect(summary).toContain('output b has 5.0 dB');
  });

  it('is not about tensors inside, unless nothing behind them can be compared', () => {
    const inside = tensor('inside', errorOf(1), 'activation');
    expect(verdict([inside, tensor('y', errorOf(30))]).summary).toContain('output y');
    expect(verdict([inside], [], [], ['inside']).summary).toContain(
      'the last comparable tensor inside has 1.0 dB',
    );
  });

  it('takes its cause from the largest fall, or from what falls there reads, before a worse finding elsewhere', () => {
    const before = { ...tensor('s', errorOf(38), 'activation'), node: 'depthwise' };
    const rows = [before, tensor('y', errorOf(5))];
    const elsewhere = finding('error', 'far');
    const there = {
      ...finding('warning', 'depthwise.weight'),
      subject: { node: 'depthwise', tensor: 'depthwise.weight' },
    };
    expect(verdict(rows, [elsewhere, there], [JUMP]).where).toBe('depthwise.weight');
    expect(verdict(rows, [elsewhere, finding('warning', 's')], [JUMP]).where).toBe('s');
    expect(verdict(rows, [elsewhere], [JUMP]).where).toBe('far');
  });

  it('takes an error of the whole network for the cause, which has no place', () => {
    const whole: Finding = { ...finding('error', 'x'), rule: 'cal.unrepresentative', subject: {} };
    const told = verdict([tensor('y', errorOf(5))], [whole, finding('error', 'y')], [JUMP]);
    expect(told.cause).toBe('cal.unrepresentative');
    expect(told.where).toBeUndefined();
  });

  it('names the largest fall and the first cause that is more than a note, when something is lost', () => {
    const findings = [finding('note', 'n'), finding('warning', 'w')];
    expect(verdict([tensor('y', errorOf(5))], findings, [JUMP])).toEqual({
      cause: 'act.clipped',
      where: 'w',
      summary:
        'the integer network is broken: output y has 5.0 dB SQNR (cumulative); the largest fall is at conv (Conv), 38.0 -> 4.0 dB',
    });
    expect(verdict([tensor('y', errorOf(5))], [], [JUMP])).toMatchObject({ where: 't' });
    expect(verdict([tensor('y', errorOf(5))], [], [FROM_EXACT]).summary).toContain('exact -> 4.0 dB');
  });

  it('doubts a good number of which the findings tell otherwise', () => {
    const close = [tensor('y', errorOf(45))];
    expect(verdict(close, [finding('warning', 'y')])).toMatchObject({ cause: 'act.clipped', where: 'y' });
    expect(verdict(close, [finding('warning', 'y')]).summary).toMatch(/45\.0 dB.*but that number hides/);
    expect(verdict(close, [finding('error', 'inside')])).not.toHaveProperty('cause');
    // Values that are not finite are in no number.
    const partial = [tensor('y', errorOf(45, { nonFinite: 3 }))];
    expect(verdict(partial, [finding('error', 'inside')])).toMatchObject({ where: 'inside' });
    expect(verdict(partial, [])).not.toHaveProperty('cause');
    expect(verdict(close, [finding('note', 'y')])).not.toHaveProperty('cause');
  });

  it('knows exact from not compared', () => {
    expect(verdict([tensor('y', errorOf('exact'))]).summary).toBe('no output differs from float');
    expect(verdict([tensor('t', errorOf('exact'), 'activation')], [], [], ['t']).summary).toBe(
      'no tensor that can be compared differs from float',
    );
    const without = 'no output could be compared with float';
    expect(verdict([]).summary).toBe(without);
    expect(verdict([tensor('y', undefined)]).summary).toBe(without);
    // Noise where float has no signal.
    expect(verdict([tensor('y', { ...NO_ERROR, mse: 1 })]).summary).toBe(without);
    expect(verdict([tensor('x', errorOf('exact')), tensor('y', { ...NO_ERROR, mse: 1 })]).summary).toBe(
      without,
    );
  });

  it('names the worst finding where nothing can be compared', () => {
    expect(verdict([tensor('y', NO_ERROR)], [finding('warning', 'x'), finding('error', 't')])).toEqual({
      summary: 'no output could be compared with float',
      cause: 'act.clipped',
      where: 't',
    });
  });
});

describe('the verdict on a finished file', () => {
  const ofFile = (
    db: number,
    findings: readonly Finding[] = [],
    jumps: readonly ReportedJump[] = [],
  ): ReturnType<typeof verdictOf> =>
    verdictOf([tensor('y', errorOf(db))], new Set(['y']), findings, jumps, 'own weights');

  it('says what the file is compared with', () => {
    const beside = 'its own weights computed in float';
    expect(ofFile(30).summary).toBe(
      `the file's integer network stays close to ${beside}: output y has 30.0 dB SQNR (cumulative)`,
    );
    expect(ofFile(5).summary).toBe(
      `the file's integer network is broken beside ${beside}: output y has 5.0 dB SQNR (cumulative)`,
    );
    expect(verdictOf([tensor('y', errorOf('exact'))], new Set(['y']), [], [], 'own weights').summary).toBe(
      `no output differs from ${beside}`,
    );
  });

  it.each(['q.degenerate', 'w.axis', 'w.spec'])(
    'does not pass over an error of %s, wherever it is',
    (rule) => {
      const error = { ...finding('error', 'elsewhere'), rule };
      expect(ofFile(30, [error])).toMatchObject({
        cause: rule,
        where: 'elsewhere',
        summary: expect.stringMatching(
          /, but parameters in the file are wrong, as the findings say$/,
        ) as string,
      });
      expect(ofFile(30, [{ ...error, severity: 'warning' }])).not.toHaveProperty('cause');
    },
  );

  it('does not take what rounding weights has cost for the cause: both sides have it', () => {
    const spread = { ...finding('error', 's'), rule: 'w.per-tensor-spread' };
    const wrong = { ...finding('warning', 's'), rule: 'w.spec' };
    expect(ofFile(5, [spread], [JUMP])).not.toHaveProperty('cause');
    expect(ofFile(5, [spread, wrong], [JUMP])).toMatchObject({ cause: 'w.spec', where: 's' });
  });
});
