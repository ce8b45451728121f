import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { fileVerdict, measuredVerdict } from '../../src/report/doctor-verdict.js';

const RULES = {
  checked: ['a', 'b'],
  skipped: [
    { rule: 'c', missing: 'data' },
    { rule: 'd', missing: 'labels' },
  ],
};
const ALL = { checked: ['a'], skipped: [] };

const finding = (severity: Finding['severity'], rule: string, subject: Finding['subject'] = {}): Finding => ({
  rule,
  severity,
  subject,
  message: `what ${rule} says`,
  args: {},
});

describe('the verdict on files', () => {
  it('is that no fault was found, and how much was looked at', () => {
    expect(fileVerdict('file', [finding('note', 'n')], RULES)).toEqual({
      summary: 'no fault found in the file: 2 rules checked, 2 lack what they need',
    });
    expect(fileVerdict('files', [], ALL)).toEqual({
      summary: 'no fault found in the two files: 1 rule checked',
    });
  });

  it('is the first finding that is no note, with its place and how many there are more', () => {
    const findings = [
      finding('error', 'first', { node: 'conv', tensor: 'w' }),
      finding('error', 'second'),
      finding('warning', 'third'),
    ];
    expect(fileVerdict('file', findings, RULES)).toEqual({
      cause: 'first',
      where: 'w',
      summary: 'something is wrong in the file: what first says (and 1 more error)',
    });
    expect(fileVerdict('files', findings.slice(2), RULES)).toEqual({
      cause: 'third',
      summary: 'something looks wrong in the two files: what third says',
    });
    expect(fileVerdict('file', [finding('warning', 'x', { node: 'conv' })], ALL).where).toBe('conv');
  });
});

describe('the verdict on what was run', () => {
  const measured = { summary: 'the integer network stays close to float' };

  it('says that nothing was found where nothing explains what was measured', () => {
    expect(measuredVerdict(measured, [finding('note', 'n')], RULES)).toEqual({
      summary:
        'no fault found: the integer network stays close to float; 2 rules checked, 2 lack what they need',
    });
  });

  it('stays as it is where there is a cause, or something serious was found', () => {
    expect(measuredVerdict(measured, [finding('warning', 'w')], RULES)).toBe(measured);
    const caused = { ...measured, cause: 'w' };
    expect(measuredVerdict(caused, [], RULES)).toBe(caused);
  });
});
