import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { checkedLines } from '../../src/report/checked-lines.js';

const lacking = (missing: string, ...rules: readonly string[]) => rules.map((rule) => ({ rule, missing }));
const finding = (severity: Finding['severity']): Finding => ({
  rule: 'r',
  severity,
  subject: {},
  message: '',
  args: {},
});

describe('what was checked', () => {
  it('says that no fault was found only where nothing but notes was', () => {
    const rules = { checked: ['a', 'b'], skipped: [] };
    expect(checkedLines(rules, [finding('note')], 80)).toEqual(['CHECKED  2 rules: no fault found']);
    expect(checkedLines(rules, [finding('warning')], 80)).toEqual(['CHECKED  2 rules']);
  });

  it('names what was not checked by what it lacks, most rules first, and counts those beyond four', () => {
    const rules = {
      checked: ['a'],
      skipped: [...lacking('labels', 'l1'), ...lacking('data', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6')],
    };
    expect(checkedLines(rules, [finding('error')], 80)).toEqual([
      'CHECKED  1 rule',
      '         not checked without data: d1, d2, d3, d4 and 2 more',
      '         not checked without labels: l1',
    ]);
  });

  it('breaks lines at the width', () => {
    const rules = { checked: [], skipped: lacking('a reference and data', 'w.axis', 'act.clipped') };
    const lines = checkedLines(rules, [], 40);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
    expect(lines.join(' ').replace(/\s+/g, ' ')).toBe(
      'CHECKED 0 rules: no fault found not checked without a reference and data: w.axis, act.clipped',
    );
  });
});
