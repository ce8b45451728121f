import { describe, expect, it } from 'vitest';
import type { Accuracy } from '../../../src/diff/accuracy/accuracy.js';
import { floatBroken } from '../../../src/diff/accuracy/float-broken.js';
import { accuracyOf } from '../../../src/diff/accuracy/of-metric.js';
import { agreementResult, countedResult, resampledResult } from './results.js';

const TITLES = [
  { network: 'reference', title: 'float' },
  { network: 'candidate', title: 'int8' },
];
const LABELS = { labels: { source: 'class folders', kind: 'class' } };
const CONTEXT = { ...LABELS, decoder: 'scores', classNames: new Map<number, string>() };

/** A reference that is right so often, where guessing is right in `chance` percent. */
function scored(hits: number, samples: number, chance: number): Accuracy {
  return accuracyOf({ ...countedResult({ samples, both: hits, lost: 0, won: 0 }), chance }, TITLES, CONTEXT);
}
const kindOf = (accuracy: Accuracy, expected?: number): string | undefined =>
  floatBroken(accuracy, expected)?.kind;

describe('a float network near chance', () => {
  it.each([
    // Ten classes: within 5 points, or within 10 when the samples cannot tell it from guessing.
    [98, 1000, 10, true],
    [150, 1000, 10, true],
    [151, 1000, 10, false],
    [5, 30, 10, true],
    [60, 300, 10, false],
    // A thousand classes: within 2 points.
    [20, 1000, 0.1, true],
    [30, 1000, 0.1, false],
    // Two classes of the same size: within 5 points.
    [55, 100, 50, true],
    [550, 1000, 50, true],
    [750, 1000, 50, false],
    // Two classes of which one has 80 %: within 2 points; a network of 90 % works, on few samples too.
    [820, 1000, 80, true],
    [27, 30, 80, false],
    // Worse than guessing.
    [0, 1000, 10, true],
  ])('%d of %d where guessing gets %d %%: %s', (hits, samples, chance, isNear) => {
    expect(kindOf(scored(hits, samples, chance))).toBe(isNear ? 'near chance' : undefined);
  });

  it('is not seen on a few samples', () => {
    expect(kindOf(scored(2, 19, 10))).toBeUndefined();
    expect(kindOf(scored(2, 20, 10))).toBe('near chance');
  });

  it('is not seen where guessing means nothing', () => {
    const accuracy = accuracyOf(countedResult({ samples: 100, both: 0, lost: 0, won: 0 }), TITLES, CONTEXT);
    expect(floatBroken(accuracy)).toBeUndefined();
  });

  it('is told with its numbers, and with the numbering of labels that would help', () => {
    const accuracy: Accuracy = {
      ...scored(98, 1000, 10),
      labelOffset: { offset: 1, value: 91.2, isApplied: false },
    };
    expect(floatBroken(accuracy)!.text).toBe(
      'float itself scores top1 9.80 % (95 % 8.1 to 11.8, n 1000), where guessing would score 10.00 %: ' +
        'this is not a quantization problem; preprocessing, labels or the reading of the outputs are wrong. ' +
        'Were every label 1 higher, it would score 91.20 %',
    );
  });

  it('is looked at in the reference, not in the candidate', () => {
    const result = { ...countedResult({ samples: 1000, both: 100, lost: 800, won: 0 }), chance: 10 };
    expect(floatBroken(accuracyOf(result, TITLES, CONTEXT))).toBeUndefined();
  });
});

describe('a float network below what is expected', () => {
  it('is more than 2 points below, with its whole interval', () => {
    // 912 of 1000: 89.3 to 92.8.
    expect(kindOf(scored(912, 1000, 10), 95)).toBe('below expected');
    expect(kindOf(scored(912, 1000, 10), 94.7)).toBeUndefined();
    expect(kindOf(scored(912, 1000, 10), 80)).toBeUndefined();
    expect(kindOf(scored(912, 1000, 10))).toBeUndefined();
  });

  it('is told with its numbers', () => {
    expect(floatBroken(scored(700, 1000, 10), 91.2)!.text).toMatch(
      /^float itself scores top1 70\.00 % \(95 % 67\.1 to 72\.8, n 1000\), where 91\.20 % was expected: this is not a quantization problem;/,
    );
  });

  it('is called near chance when it is that too', () => {
    expect(kindOf(scored(98, 1000, 10), 95)).toBe('near chance');
  });

  it('counts in percent where the metric does not', () => {
    const accuracy = accuracyOf(
      { ...resampledResult({ unit: '', better: 'higher', change: 0 }), networks: [score(0.7), score(0.7)] },
      TITLES,
      CONTEXT,
    );
    expect(kindOf(accuracy, 90)).toBe('below expected');
    expect(kindOf(accuracy, 71)).toBeUndefined();
  });
});

describe('what says nothing about the float network', () => {
  it('is agreement, an error, or a metric in dB', () => {
    const agreement = accuracyOf({ ...agreementResult({ samples: 1000, same: 10 }), chance: 10 }, TITLES, {
      decoder: 'scores',
      classNames: new Map(),
    });
    const error = accuracyOf(resampledResult({ unit: '', better: 'lower', change: 0 }), TITLES, CONTEXT);
    const psnr = accuracyOf(resampledResult({ unit: 'dB', better: 'higher', change: 0 }), TITLES, CONTEXT);
    expect([agreement, error, psnr].map((accuracy) => floatBroken(accuracy, 99))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

function score(value: number): { value: number; replicates: Float64Array; ties: number; nonFinite: number } {
  return { value, replicates: new Float64Array(0), ties: 0, nonFinite: 0 };
}
