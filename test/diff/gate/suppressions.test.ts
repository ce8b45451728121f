import { describe, expect, it } from 'vitest';
import {
  applySuppressions,
  parseSuppressions,
  type Suppression,
} from '../../../src/diff/gate/suppressions.js';
import { UsageError } from '../../../src/errors.js';

const FINDINGS = [
  {
    rule: 'act.clip',
    severity: 'error',
    subject: { node: 'conv1', tensor: 'block1/out' },
    message: 'it clips',
  },
  { rule: 'act.levels', severity: 'warning', subject: { tensor: 'head/out' }, message: 'few levels' },
  { rule: 'w.axis', severity: 'warning', subject: { node: 'conv2' }, message: 'wrong axis' },
];
const TODAY = '2026-11-21';

const apply = (...suppressions: Suppression[]) => applySuppressions(FINDINGS, suppressions, TODAY);

function refusal(run: () => unknown): UsageError {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

const parse = (value: unknown) => parseSuppressions(value, 'qdbg.config.json');

describe('suppressions in the configuration', () => {
  it('name a rule, a place, a reason and a last day', () => {
    const full = { rule: 'act.*', subject: 'head/*', reason: ' known ', expires: '2028-02-29' };
    expect(parse([full, { rule: 'w.axis', reason: 'the runtime ignores it' }])).toEqual([
      { ...full, reason: 'known' },
      { rule: 'w.axis', reason: 'the runtime ignores it' },
    ]);
    expect(parse([])).toEqual([]);
  });

  it('are refused all at once, each fault at its place', () => {
    const { message, places } = refusal(() =>
      parse([
        { rule: 'a' },
        { rule: 1, reason: '  ', until: '2027-01-01' },
        'act.clip',
        { rule: 'a', reason: 'b', subject: '', expires: '2027-02-30' },
        { rule: 'a', reason: 'b', expires: 'tomorrow' },
        null,
      ]),
    );
    expect(message).toBe('qdbg.config.json: suppressions that cannot be used');
    expect(places).toEqual([
      'suppress[0]: reason: it is missing',
      'suppress[1]: until: no such key, there are rule, subject, reason, expires',
      'suppress[1]: rule: it must be text, not number',
      'suppress[1]: reason: it must be text, not empty',
      'suppress[2]: it must be an object',
      'suppress[3]: subject: it must be text, not empty',
      "suppress[3]: expires: '2027-02-30' is no day as YYYY-MM-DD",
      "suppress[4]: expires: 'tomorrow' is no day as YYYY-MM-DD",
      'suppress[5]: it must be an object',
    ]);
  });

  it('must be a list, of a size that somebody can have written', () => {
    expect(refusal(() => parse({ rule: 'a', reason: 'b' })).places).toEqual(['suppress: it must be a list']);
    expect(refusal(() => parse(Array(1001).fill({ rule: 'a', reason: 'b' }))).places).toEqual([
      'suppress: 1001 entries, 1000 at most',
    ]);
  });

  it('take no keys from a prototype', () => {
    const hostile: unknown = JSON.parse('[{ "__proto__": { "rule": "*", "reason": "all" } }]');
    expect(refusal(() => parse(hostile)).places).toContain('suppress[0]: rule: it is missing');
    expect(({} as { rule?: string }).rule).toBeUndefined();
  });
});

describe('suppressed findings', () => {
  it('are set apart with the reason; the others keep their order', () => {
    const { kept, suppressed } = apply({
      rule: 'act.*',
      subject: 'head/*',
      reason: 'known',
      expires: '2027-01-01',
    });
    expect(kept).toEqual([FINDINGS[0], FINDINGS[2]]);
    expect(suppressed).toEqual([{ finding: FINDINGS[1], reason: 'known', expires: '2027-01-01' }]);
  });

  it('are those of a rule anywhere, or at a node or tensor', () => {
    expect(apply({ rule: 'act.*', reason: 'r' }).kept).toEqual([FINDINGS[2]]);
    expect(apply({ rule: '*', subject: 'conv?', reason: 'r' }).kept).toEqual([FINDINGS[1]]);
    expect(apply({ rule: '*', subject: 'block1/*', reason: 'r' }).kept).toEqual(FINDINGS.slice(1));
    expect(apply().kept).toEqual(FINDINGS);
  });

  it('end after their last day: then the finding is back and says so', () => {
    const until = (expires: string) => apply({ rule: 'w.axis', reason: 'waits for a release', expires });
    expect(until(TODAY).suppressed).toHaveLength(1);
    const { kept, suppressed } = until('2026-11-20');
    expect(suppressed).toEqual([]);
    expect(kept[2]).toEqual({
      ...FINDINGS[2],
      message: 'wrong axis; its suppression expired on 2026-11-20 (waits for a release)',
    });
    expect(FINDINGS[2]?.message).toBe('wrong axis');
  });

  it('stay so where one suppression has ended and another holds', () => {
    const { kept, suppressed } = apply(
      { rule: 'w.axis', reason: 'old', expires: '2020-01-01' },
      { rule: 'w.*', reason: 'new' },
    );
    expect(kept).toHaveLength(2);
    expect(suppressed).toMatchObject([{ reason: 'new' }]);
  });

  it('that are none are an error, ended or not, all at once with what is close', () => {
    const { message, places, hint } = refusal(() =>
      apply(
        { rule: 'act.clipp', reason: 'r' },
        { rule: 'act.levels', subject: 'haed/out', reason: 'r', expires: '2020-01-01' },
        { rule: 'w.axis', reason: 'used' },
      ),
    );
    expect(message).toBe('2 suppressions match no finding');
    expect(places).toEqual([
      'act.clipp; close: act.clip, act.levels',
      'act.levels at haed/out; close: head/out',
    ]);
    expect(hint).toContain('suppress');
    expect(refusal(() => applySuppressions([], [{ rule: '*', reason: 'r' }], TODAY)).message).toBe(
      'a suppression matches no finding',
    );
  });
});
