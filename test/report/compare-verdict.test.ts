import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { compareVerdict } from '../../src/report/compare-verdict.js';
import type { LadderRung } from '../../src/report/compare-report.js';
import type { ReportedJump } from '../../src/report/report.js';
import { rung, tensor } from '../support/compared-reports.js';

const finding = (
  severity: Finding['severity'],
  subject: Finding['subject'] = { tensor: 'conv1' },
): Finding => ({
  rule: `rule.${severity}`,
  severity,
  subject,
  message: 'its scale is wrong',
  args: {},
});
const JUMP: ReportedJump = {
  tensor: 'conv1',
  node: 'CONV_2D#1',
  op: 'CONV_2D',
  fromDb: 38,
  toDb: 4,
  from: 'image',
};
const LOGITS = tensor(3, 'logits', 'FULLY_CONNECTED', [40, 40, 8], { role: 'output' });

const verdict = (
  outputs: LadderRung,
  findings: readonly Finding[] = [],
  jumps: readonly ReportedJump[] = [],
  tensors = [LOGITS],
) => compareVerdict({ outputs, ladder: [], tensors, findings, jumps });

describe('the answer of a comparison', () => {
  it('is exact where not one value differs', () => {
    const exact = [tensor(3, 'logits', 'FULLY_CONNECTED', [undefined, 'exact', 'exact'], { role: 'output' })];
    expect(verdict(rung('everything', 'exact'), [], [], exact)).toEqual({
      summary: 'exact: not one value of the candidate differs from the reference',
    });
  });

  it('is not exact where a tensor inside differs, or something is found', () => {
    const within = 'no output of the candidate differs from the reference';
    expect(verdict(rung('everything', 'exact')).summary).toBe(within);
    const exact = [tensor(3, 'logits', 'FULLY_CONNECTED', [undefined, 'exact', 'exact'], { role: 'output' })];
    expect(verdict(rung('everything', 'exact'), [finding('warning')], [], exact)).toEqual({
      cause: 'rule.warning',
      where: 'conv1',
      summary: within,
    });
  });

  it.each([
    [9.9, 'is broken'],
    [10, 'loses much'],
    [19.9, 'loses much'],
  ])('at %d dB is that the candidate %s, with the largest fall', (db, what) => {
    const { summary, ...place } = verdict(rung('everything', db, 0.25), [], [JUMP]);
    expect(summary).toBe(
      `the candidate ${what}: output logits has ${db.toFixed(1)} dB SQNR (cumulative), the largest element is the same in ` +
        '25.0 % of the rows; the largest fall is at CONV_2D#1 (CONV_2D), 38.0 -> 4.0 dB',
    );
    expect(place).toEqual({ where: 'conv1' });
  });

  it('from 20 dB up is that it stays close, with what is wrong all the same', () => {
    expect(verdict(rung('everything', 20))).toEqual({
      summary: 'the candidate stays close to the reference: output logits has 20.0 dB SQNR (cumulative)',
    });
    expect(verdict(rung('everything', 20), [finding('warning')]).summary).toMatch(
      /\(cumulative\), but its scale is wrong$/,
    );
  });

  it('blames the first error, before any warning, and no note', () => {
    const error = finding('error', { node: 'conv9' });
    expect(verdict(rung('everything', 5), [finding('warning'), error])).toMatchObject({
      cause: 'rule.error',
      where: 'conv9',
    });
    expect(verdict(rung('everything', 5), [finding('note')])).not.toHaveProperty('cause');
  });

  it('has one place only: the fall is left out where the cause is elsewhere', () => {
    const elsewhere = finding('error', { tensor: 'w', node: 'CONV_2D#0' });
    expect(verdict(rung('everything', 5), [elsewhere], [JUMP]).summary).not.toContain('largest fall');
    const same = finding('error', { tensor: 'w', node: 'CONV_2D#1' });
    expect(verdict(rung('everything', 5), [same], [JUMP])).toMatchObject({ where: 'w' });
    expect(verdict(rung('everything', 5), [same], [JUMP]).summary).toContain('largest fall is at CONV_2D#1');
  });

  it('goes by the worst output, and says where it is none', () => {
    const outputs: LadderRung = {
      rung: 'everything',
      samples: 1,
      outputs: [
        { tensor: 'logits', sqnrDb: 30 },
        { tensor: 'conv1', sqnrDb: 7 },
        { tensor: 'boxes', exact: true },
      ],
    };
    expect(verdict(outputs).summary).toBe(
      'the candidate is broken: the last common tensor conv1 has 7.0 dB SQNR (cumulative)',
    );
  });

  it('says first that an output is not finite', () => {
    const outputs: LadderRung = {
      rung: 'everything',
      samples: 1,
      outputs: [
        { tensor: 'boxes', sqnrDb: 3 },
        { tensor: 'logits', nonFinite: 17 },
      ],
    };
    expect(verdict(outputs, [finding('error')], [JUMP])).toEqual({
      cause: 'rule.error',
      where: 'conv1',
      summary: 'the candidate is broken: logits has 17 NaN or infinite values',
    });
  });

  it('is none where no output could be compared', () => {
    expect(verdict(rung('everything', undefined)).summary).toBe(
      'no output could be compared with the reference',
    );
    expect(verdict({ rung: 'everything', samples: 1, outputs: [] }).summary).toBe(
      'no output could be compared with the reference',
    );
  });
});
