import { describe, expect, it } from 'vitest';
import { withAccuracy } from '../../src/report/accuracy-verdict.js';
import { countedAccuracy } from '../support/accuracies.js';

const FIX = { title: 'give every output channel its own scale', edit: '--per-axis' };
const VERDICT = {
  cause: 'w.per-tensor-spread',
  where: 'conv.weight',
  summary: 'the integer network is broken',
  fix: FIX,
};

describe('the verdict once accuracy is known', () => {
  it('keeps cause, place and fix of a loss that is real', () => {
    const accuracy = countedAccuracy({ samples: 100, both: 20, lost: 70, won: 0 });
    const { summary, ...rest } = withAccuracy(VERDICT, { accuracy }, undefined);
    expect(rest).toEqual({ cause: 'w.per-tensor-spread', where: 'conv.weight', fix: FIX });
    expect(summary).toMatch(/^top-1 90\.00 % -> 20\.00 %.*; the integer network is broken$/);
  });

  it('names no cause, and nothing to fix, where accuracy is kept', () => {
    const accuracy = countedAccuracy({ samples: 1000, both: 990, lost: 0, won: 0 });
    expect(Object.keys(withAccuracy(VERDICT, { accuracy }, undefined))).toEqual(['summary']);
  });
});
