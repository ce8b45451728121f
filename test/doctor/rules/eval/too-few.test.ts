/** Differences that the samples cannot tell from chance, and ones that they can. */
import { describe, expect, it } from 'vitest';
import { tooFew } from '../../../../src/doctor/rules/eval/too-few.js';
import type { Finding } from '../../../../src/doctor/finding.js';
import type { Accuracy } from '../../../../src/diff/accuracy/accuracy.js';
import { countedAccuracy } from '../../../support/accuracies.js';
import { graph } from '../../../support/graph-builder.js';

const g = graph().input('x').output('x').build();

function found(accuracy: Accuracy, tolerance?: number): readonly Finding[] {
  return tooFew.check({
    graph: g,
    accuracy,
    ...(tolerance === undefined ? {} : { evaluation: { tolerance } }),
  });
}

describe('eval.too-few', () => {
  it('is silent where the interval is narrow', () => {
    expect(found(countedAccuracy({ samples: 2000, both: 1800, lost: 20, won: 15 }))).toEqual([]);
  });

  it('notes an interval of more than 2 points to each side, and how many samples would tell a point', () => {
    const [finding] = found(countedAccuracy({ samples: 60, both: 50, lost: 3, won: 2 }));
    expect(finding).toMatchObject({ severity: 'note', args: { samples: 60 } });
    expect(finding?.message).toMatch(
      /^with 60 samples the difference is -\d.* pt \(95 %\).*samples would tell 1 pt apart$/,
    );
    expect(finding?.args.needed).toBeGreaterThan(60);
  });

  it('warns where the loss that is allowed lies within the interval', () => {
    const open = countedAccuracy({ samples: 500, both: 440, lost: 8, won: 3 });
    const [finding] = found(open, 1);
    expect(finding?.severity).toBe('warning');
    expect(finding?.message).toContain('the loss that is allowed, 1 pt, lies between');
  });

  it('is silent where it does not: a sure loss, or a sure pass', () => {
    expect(found(countedAccuracy({ samples: 500, both: 300, lost: 100, won: 0 }), 1)).toEqual([]);
    expect(found(countedAccuracy({ samples: 2000, both: 1800, lost: 4, won: 4 }), 1)).toEqual([]);
  });

  it('knows that a gain is no loss', () => {
    expect(found(countedAccuracy({ samples: 500, both: 300, lost: 0, won: 100 }), 1)).toEqual([]);
  });

  it('says nothing without labels', () => {
    const { labels, ...agreement } = countedAccuracy({ samples: 20, both: 10, lost: 3, won: 2 });
    expect(labels).toBeDefined();
    expect(found(agreement)).toEqual([]);
  });
});
