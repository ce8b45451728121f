import { describe, expect, it } from 'vitest';
import { addWorst, type WorstSample } from '../../src/ir/sums.js';
import { Random } from '../quant/samples.js';

const sampleOf = (sample: string, sumXX: number, sumEE: number): WorstSample => ({ sample, sumXX, sumEE });

function worstOf(samples: readonly WorstSample[]): WorstSample[] {
  const worst: WorstSample[] = [];
  for (const sample of samples) addWorst(worst, sample);
  return worst;
}

const names = (samples: readonly WorstSample[]): string[] => samples.map(({ sample }) => sample);

describe('the worst samples', () => {
  const random = new Random(11);
  const many = Array.from({ length: 400 }, (_, i) =>
    // Of few ratios, so that many samples are equal.
    sampleOf(`s${i}`, 2 ** Math.floor(8 * random.uniform()), 2 ** Math.floor(8 * random.uniform())),
  );

  it('are the five with the lowest ratio of signal to error, of equal ones the first', () => {
    const sorted = [...many].sort((a, b) => a.sumXX / a.sumEE - b.sumXX / b.sumEE);
    expect(worstOf(many)).toEqual(sorted.slice(0, 5));
  });

  it('are the same when the samples were seen in parts that are then merged in order', () => {
    for (const at of [0, 1, 3, 57, 200, 399]) {
      expect(worstOf([...worstOf(many.slice(0, at)), ...worstOf(many.slice(at))])).toEqual(worstOf(many));
    }
  });

  it('begin with the first one that has no signal, and still hold five that have', () => {
    const silent = [sampleOf('silent', 0, 1), sampleOf('louder', 0, 100)];
    const loud = Array.from({ length: 7 }, (_, i) => sampleOf(`${i}`, 1 + i, 1));
    expect(names(worstOf([...loud, ...silent]))).toEqual(['silent', '0', '1', '2', '3', '4']);
    expect(names(worstOf([...silent, ...loud]))).toEqual(['silent', '0', '1', '2', '3', '4']);
    expect(names(worstOf(silent))).toEqual(['silent']);
  });

  it('are none without an error, and none with an error that is no number', () => {
    expect(worstOf([sampleOf('exact', 1, 0), sampleOf('nothing', 0, 0), sampleOf('nan', 1, NaN)])).toEqual(
      [],
    );
  });

  it('keep as first one of infinite error the first', () => {
    const infinite = [sampleOf('a', 1, Infinity), sampleOf('b', 1, Infinity), sampleOf('c', 1, 1)];
    expect(names(worstOf(infinite))[0]).toBe('a');
  });
});
