import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootstrapPValue, mcnemarExact } from '../../../src/diff/accuracy/p-values.js';

const { mcnemar } = JSON.parse(
  readFileSync(new URL('../../../fixtures/statistics/statistics.json', import.meta.url), 'utf8'),
) as { readonly mcnemar: readonly { readonly lost: number; readonly gained: number; readonly p: number }[] };

describe("McNemar's exact test", () => {
  it.each(mcnemar)('is the binomial test of scipy for $lost lost, $gained won', ({ lost, gained, p }) => {
    expect(mcnemarExact({ onlyReference: lost, onlyCandidate: gained }) / p).toBeCloseTo(1, 9);
  });

  it('is 1 when nothing differs', () => {
    expect(mcnemarExact({ onlyReference: 0, onlyCandidate: 0 })).toBe(1);
  });

  it('is never above 1', () => {
    for (let k = 1; k < 60; k++) {
      expect(mcnemarExact({ onlyReference: k, onlyCandidate: k })).toBe(1);
    }
  });
});

describe('the p of resampled differences', () => {
  /** So many below 0, so many above. */
  const differences = (below: number, above: number, at = 0): Float64Array =>
    Float64Array.from({ length: below + above + at }, (_, i) => (i < below ? -1 : i < below + above ? 1 : 0));

  it('is the share on the rarer side, doubled, with one more counted than there are', () => {
    expect(bootstrapPValue(differences(989, 10))).toBe((2 * 11) / 1000);
    expect(bootstrapPValue(differences(10, 989))).toBe((2 * 11) / 1000);
  });

  it('is never 0', () => {
    expect(bootstrapPValue(differences(999, 0))).toBe(2 / 1000);
  });

  it('is 1 when nothing differs', () => {
    expect(bootstrapPValue(differences(0, 0, 500))).toBe(1);
  });

  it('counts a difference of 0 on both sides', () => {
    expect(bootstrapPValue(differences(900, 0, 99))).toBe((2 * 100) / 1000);
  });

  it('passes over resamplings without a value', () => {
    expect(bootstrapPValue(new Float64Array([...differences(989, 10), NaN, NaN]))).toBe(22 / 1000);
  });
});
