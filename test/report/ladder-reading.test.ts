import { describe, expect, it } from 'vitest';
import type { Accuracy, ScoredNetwork, Standing } from '../../src/diff/accuracy/accuracy.js';
import { ladderReading } from '../../src/report/ladder-reading.js';
import { countedAccuracy } from '../support/accuracies.js';

/** Losses of the steps, points: positive is worse. */
type Losses = Partial<Record<'weights' | 'activations' | 'convolutions' | 'int16', number>>;

function ladder(
  loss: number,
  losses: Losses,
  { standing = 'worse', better = 'higher' }: { standing?: Standing; better?: Accuracy['better'] } = {},
): string[] {
  const sign = better === 'higher' ? -1 : 1;
  const steps = { candidate: loss, ...losses };
  const networks = Object.entries(steps).map(([network, lost]): ScoredNetwork => ({
    network,
    title: network,
    delta: sign * lost,
    ...(network === 'candidate' ? { standing } : {}),
  }));
  const counted = countedAccuracy({ samples: 100, both: 80, lost: 10, won: 0 });
  return ladderReading({ ...counted, better, networks });
}

describe('the reading of the ladder', () => {
  it('blames the step that has most of the loss', () => {
    expect(ladder(10, { weights: 1, activations: 8 })).toEqual([
      'of -10.00 pt: weights alone -1.00 pt, activations alone -8.00 pt. The activations cost it: look at their ranges, --per-axis will not help',
    ]);
    expect(ladder(10, { weights: 9, activations: 2 })[0]).toMatch(
      /\. The weights cost it: --per-axis is the first thing to try$/,
    );
  });

  it('blames both, or both together', () => {
    expect(ladder(10, { weights: 5, activations: 6 })[0]).toMatch(/\. Both cost it$/);
    expect(ladder(10, { weights: 1, activations: 1.5 })[0]).toMatch(/\. Only together do they cost it$/);
  });

  it('blames nothing where a step is missing', () => {
    expect(ladder(10, { convolutions: 4 })).toEqual(['of -10.00 pt: convolutions alone -4.00 pt']);
  });

  it('says whether 16 bits mend it', () => {
    expect(ladder(10, { int16: 0 })).toEqual([
      'the same network in 16 bits loses nothing: the graph is right, the ranges of 8 bits are not enough',
    ]);
    expect(ladder(10, { int16: 2 })[0]).toMatch(/loses -2\.00 pt: the graph is right/);
    expect(ladder(10, { int16: 9 })[0]).toMatch(/still loses -9\.00 pt: .* something else is wrong$/);
  });

  it('knows metrics of which less is better', () => {
    expect(ladder(10, { weights: 9, activations: 0 }, { better: 'lower' })[0]).toBe(
      'of +10.00 pt: weights alone +9.00 pt, activations alone 0.00 pt. The weights cost it: --per-axis is the first thing to try',
    );
  });

  it('is empty where nothing sure is lost', () => {
    expect(ladder(10, { weights: 9 }, { standing: 'within noise' })).toEqual([]);
    expect(ladder(-3, { weights: 9 })).toEqual([]);
    expect(ladder(10, {})).toEqual([]);
  });
});
