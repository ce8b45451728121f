import { describe, expect, it } from 'vitest';
import {
  bestPreprocessing,
  type TriedPreprocessing,
} from '../../../src/diff/accuracy/preprocessing-search.js';

const PERCENT = { unit: '%', better: 'higher' } as const;
const CURRENT: TriedPreprocessing = { title: 'as given', flags: [], value: 9.8, interval: [8.1, 11.8] };

function tried(title: string, value: number, interval: readonly [number, number]): TriedPreprocessing {
  return { title, flags: [`--preset ${title}`], value, interval };
}

describe('the search for a preprocessing', () => {
  it('names the one that is clearly better, with the flags that ask for it', () => {
    const unit = tried('unit', 98.2, [97.2, 98.9]);
    expect(bestPreprocessing([tried('tf', 40, [37, 43]), unit], CURRENT, PERCENT)).toEqual({
      best: unit,
      text: 'unit scores 98.20 % instead of 9.80 % (--preset unit)',
    });
  });

  it('names others that are as good', () => {
    const found = bestPreprocessing(
      [tried('unit', 98.2, [97.2, 98.9]), tried('tf', 97.8, [96.7, 98.5]), tried('raw', 12, [10, 14])],
      CURRENT,
      PERCENT,
    );
    expect(found.text).toBe(
      'unit scores 98.20 % instead of 9.80 % (--preset unit); not told from it by these samples: tf',
    );
  });

  it('finds no explanation where intervals overlap', () => {
    const found = bestPreprocessing([tried('unit', 12, [10.1, 14.2])], CURRENT, PERCENT);
    expect(found).toEqual({
      text: 'none of them explains it: the best, unit scores 12.00 %, the present one 9.80 %',
    });
  });

  it('finds none where all are worse, or none has a value', () => {
    expect(bestPreprocessing([tried('unit', 2, [1, 3])], CURRENT, PERCENT).best).toBeUndefined();
    expect(bestPreprocessing([], CURRENT, PERCENT)).toEqual({
      text: 'none of them explains it: none gives a value',
    });
    expect(bestPreprocessing([{ title: 'unit', flags: [] }], CURRENT, PERCENT).best).toBeUndefined();
  });

  it('is sure of nothing without intervals', () => {
    const found = bestPreprocessing([{ title: 'unit', flags: [], value: 99 }], CURRENT, PERCENT);
    expect(found.best).toBeUndefined();
  });

  it('takes any value for better than none', () => {
    const found = bestPreprocessing(
      [tried('unit', 98.2, [97.2, 98.9])],
      { title: 'as given', flags: [] },
      PERCENT,
    );
    expect(found.text).toBe('unit scores 98.20 % instead of no value (--preset unit)');
  });

  it('looks for the lowest of errors', () => {
    const current: TriedPreprocessing = { title: 'as given', flags: [], value: 0.8, interval: [0.7, 0.9] };
    const found = bestPreprocessing(
      [tried('tf', 1.2, [1.1, 1.3]), tried('unit', 0.1, [0.08, 0.12])],
      current,
      { unit: '', better: 'lower' },
    );
    expect(found.best?.title).toBe('unit');
  });
});
