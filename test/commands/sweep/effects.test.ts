/** Outcomes of trials as reports have them. */
import { describe, expect, it } from 'vitest';
import { effectBasis, effectOf, lossOf, restoredOf } from '../../../src/commands/sweep/effects.js';
import type { Score, TrialOutcome } from '../../../src/commands/sweep/trials/trial.js';
import type { RungSums } from '../../../src/run/ladder.js';

function sums(sumXX: number, sumEE: number, more: Partial<RungSums> = {}): RungSums {
  return { sumXX, sumEE, moved: 0, rows: 0, nonFinite: 0, ...more };
}

function outcome(noise: readonly RungSums[], score?: Score): TrialOutcome {
  return { id: 'one', noise, ...(score === undefined ? {} : { score }) };
}

describe('the end of a sweep', () => {
  it('is the output that keeps least of everything quantized, for all its numbers', () => {
    const basis = effectBasis(outcome([sums(100, 1), sums(1000, 100, { moved: 1, rows: 4 }), sums(10, 0)]));
    expect(basis.end).toBe(1);
    const other = outcome([sums(100, 90), sums(1000, 10, { moved: 1, rows: 8 }), sums(10, 0)]);
    expect(effectOf(other, basis)).toEqual({ outputSqnrDb: 20, changedShare: 1 / 8 });
  });

  it('is the first where no output loses anything, or none has a signal', () => {
    expect(effectBasis(outcome([sums(1, 0), sums(1, 0)])).end).toBe(0);
    expect(effectBasis(outcome([sums(0, 1), sums(NaN, 1)])).end).toBe(0);
    expect(effectBasis({ id: 'one', failure: 'it crashed' }).end).toBe(0);
  });
});

describe('an effect', () => {
  const basis = effectBasis(outcome([sums(100, 1), sums(100, 10)]));

  it('is exact only where no output differs', () => {
    expect(effectOf(outcome([sums(100, 0), sums(100, 0)]), basis)).toEqual({ exact: true });
    expect(effectOf(outcome([sums(100, 1), sums(100, 0)]), basis)).toEqual({});
    expect(effectOf(outcome([sums(100, 0), sums(100, 0, { nonFinite: 1 })]), basis)).toEqual({});
  });

  it('has the failure, and nothing else', () => {
    const failed: TrialOutcome = { id: 'one', failure: 'the runtime ended' };
    expect(effectOf(failed, basis)).toEqual({ failure: 'the runtime ended' });
    expect(restoredOf(failed, basis)).toEqual({ failure: 'the runtime ended' });
    expect(lossOf(failed, basis)).toEqual({});
  });

  it('has no number where there is none', () => {
    expect(effectOf(outcome([sums(1, 1), sums(0, 1)]), basis)).toEqual({});
    expect(effectOf({ id: 'one' }, basis)).toEqual({});
  });
});

describe('with a metric', () => {
  const before: Score = { value: 90, delta: -5, interval: [88, 92] };
  const after: Score = {
    value: 94,
    delta: -1,
    interval: [92, 96],
    deltaInterval: [-3, 1],
    pValue: 0.5,
    standing: 'within noise',
  };

  it('gain and loss are in the direction of better', () => {
    const noise = [sums(100, 10)];
    const higher = effectBasis(outcome(noise, before), 'higher');
    expect(restoredOf(outcome([sums(100, 1)], after), higher)).toEqual({
      outputSqnrDb: 20,
      accuracy: 94,
      accuracyDelta: -1,
      accuracyInterval: [92, 96],
      deltaInterval: [-3, 1],
      pValue: 0.5,
      standing: 'within noise',
      gainDb: 10,
      noiseShare: 0.9,
      gain: 4,
    });
    expect(lossOf(outcome(noise, after), higher)).toEqual({ lost: 1, lostShare: 1 / 5 });
    const lower = effectBasis(outcome(noise, { value: 5, delta: 2 }), 'lower');
    const worse = outcome([sums(100, 20)], { value: 6, delta: 3 });
    expect(restoredOf(worse, lower)).toMatchObject({ gain: -1, noiseShare: -1 });
    expect(lossOf(worse, lower)).toEqual({ lost: 3, lostShare: 3 / 2 });
  });

  it('there is no share of nothing', () => {
    const basis = effectBasis(outcome([sums(100, 10)], { value: 90, delta: 0 }), 'higher');
    expect(lossOf(outcome([sums(100, 1)], { value: 90, delta: 0 }), basis)).toEqual({ lost: 0 });
  });
});

describe('agreement with float, without labels', () => {
  it('loses what float, which agrees with itself, has more', () => {
    const float = outcome([sums(100, 0)], { value: 100 });
    const basis = effectBasis(outcome([sums(100, 10)], { value: 80 }), 'higher', float);
    expect(lossOf(outcome([sums(100, 1)], { value: 95 }), basis)).toEqual({ lost: 5, lostShare: 0.25 });
    expect(lossOf(float, basis)).toEqual({ lost: 0, lostShare: 0 });
    expect(restoredOf(outcome([sums(100, 1)], { value: 95 }), basis)).toMatchObject({ gain: 15 });
  });
});

describe('without a metric', () => {
  it('the share is of noise energy', () => {
    const basis = effectBasis(outcome([sums(100, 10)]));
    expect(lossOf(outcome([sums(100, 25)]), basis)).toEqual({ lostShare: 2.5 });
    expect(lossOf(outcome([sums(100, 25)]), effectBasis(outcome([sums(100, 0)])))).toEqual({});
  });
});
