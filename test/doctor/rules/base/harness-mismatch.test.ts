/** Labels counted from another number, and integers that are better than float. */
import { describe, expect, it } from 'vitest';
import { harnessMismatch } from '../../../../src/doctor/rules/base/harness-mismatch.js';
import type { Accuracy } from '../../../../src/diff/accuracy/accuracy.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import { countedAccuracy } from '../../../support/accuracies.js';
import { graph } from '../../../support/graph-builder.js';

const g = graph().input('x').output('x').build();

function found(accuracy: Accuracy): readonly Finding[] {
  return harnessMismatch.check({ graph: g, accuracy });
}

describe('base.harness-mismatch', () => {
  it('is silent on labels that fit and on a gain within noise', () => {
    expect(found(countedAccuracy({ samples: 500, both: 400, lost: 5, won: 8 }))).toEqual([]);
  });

  it('flags labels that are shifted, an error where the float network then fails', () => {
    const labelOffset = { offset: 1, value: 71, isApplied: false };
    const [finding] = found(
      countedAccuracy({ samples: 500, both: 3, lost: 0, won: 0 }, { chance: 0.1, labelOffset }),
    );
    expect(finding).toMatchObject({ severity: 'error', fix: { edit: '--label-offset 1' } });
    expect(finding?.message).toContain('scores 0.60 %, and 71.00 % were every label one higher');
  });

  it('only warns where it works as well', () => {
    const labelOffset = { offset: -1, value: 90, isApplied: false };
    const [finding] = found(
      countedAccuracy({ samples: 500, both: 200, lost: 0, won: 0 }, { chance: 10, labelOffset }),
    );
    expect(finding).toMatchObject({ severity: 'warning', fix: { edit: '--label-offset -1' } });
  });

  it('is silent on an offset that was found and taken', () => {
    const labelOffset = { offset: 1, value: 71, isApplied: true };
    expect(found(countedAccuracy({ samples: 500, both: 355, lost: 0, won: 0 }, { labelOffset }))).toEqual([]);
  });

  it('suspects integers that are better by more than three standard errors', () => {
    const [finding] = found(countedAccuracy({ samples: 500, both: 300, lost: 5, won: 60 }));
    expect(finding).toMatchObject({ severity: 'warning', subject: {} });
    // (60 - 5) / sqrt(65 - 55² / 500)
    expect(finding?.args.errors).toBeCloseTo(55 / Math.sqrt(65 - 55 ** 2 / 500), 6);
    expect(finding?.message).toContain('rounding does not do that');
  });

  it('does not suspect a loss, or a gain of two standard errors', () => {
    expect(found(countedAccuracy({ samples: 500, both: 300, lost: 60, won: 5 }))).toEqual([]);
    expect(found(countedAccuracy({ samples: 500, both: 300, lost: 8, won: 19 }))).toEqual([]);
  });

  it('says nothing without labels', () => {
    const { labels, ...agreement } = countedAccuracy({ samples: 500, both: 300, lost: 5, won: 60 });
    expect(labels).toBeDefined();
    expect(found(agreement)).toEqual([]);
  });
});
