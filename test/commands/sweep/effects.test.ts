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

describe('several outputs', () => {
  const quantized = outcome([sums(100, 1), sums(1000, 100), sums(10, 0)]);

  it('are told by the one that keeps least in that network', () => {
    expect(effectOf(quantized)).toEqual({ outputSqnrDb: 10 });
    const other = outcome([sums(100, 50, { moved: 1, rows: 8 }), sums(1000, 10, { moved: 1, rows: 2 })]);
    expect(effectOf(other)).toEqual({ outputSqnrDb: 10 * Math.log10(2), changedShare: 1 / 2 });
  });

  it('count for noise taken away each against its own signal, those without a signal not at all', () => {
    const restored = outcome([sums(100, 1), sums(1000, 0), sums(10, 0)]);
    // 0.01 of 0.01 + 0.1 is left.
    expect(restoredOf(restored, effectBasis(quantized)).noiseShare).toBeCloseTo(1 - 0.01 / 0.11, 12);
    const mute = effectBasis(outcome([sums(0, 1), sums(100, 10)]));
    expect(restoredOf(outcome([sums(0, 5), sums(100, 5)]), mute).noiseShare).toBeCloseTo(0.5, 12);
  });

  it('a layer that leads to another output than the worst one is not told as harmless', () => {
    const alone = outcome([sums(100, 1), sums(1000, 0), sums(10, 0)]);
    expect(effectOf(alone)).toEqual({ outputSqnrDb: 20 });
  });
});

describe('an effect', () => {
  const basis = effectBasis(outcome([sums(100, 1), sums(100, 10)]));

  it('is exact only where no output differs', () => {
    expect(effectOf(outcome([sums(100, 0), sums(100, 0)]))).toEqual({ exact: true });
    expect(effectOf(outcome([sums(100, 1), sums(100, 0)]))).toEqual({ outputSqnrDb: 20 });
    expect(effectOf(outcome([sums(100, 0), sums(100, 0, { nonFinite: 1 })]))).toEqual({});
  });

  it('has the failure, and nothing else', () => {
    const failed: TrialOutcome = { id: 'one', failure: 'the runtime ended' };
    expect(effectOf(failed)).toEqual({ failure: 'the runtime ended' });
    expect(restoredOf(failed, basis)).toEqual({ failure: 'the runtime ended' });
    expect(lossOf(failed, basis)).toEqual({});
  });

  it('has no number where there is none', () => {
    expect(effectOf(outcome([sums(0, 1), sums(NaN, 1)]))).toEqual({});
    expect(effectOf({ id: 'one' })).toEqual({});
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
