import { describe, expect, it } from 'vitest';
import { tangoInterval } from '../../../src/diff/accuracy/intervals.js';
import { samplesToDecide } from '../../../src/diff/accuracy/samples-to-decide.js';

describe('the number of samples that would decide', () => {
  it('grows with the square of what the interval is too wide by', () => {
    expect(samplesToDecide({ drop: 0.5, threshold: 1, halfWidth: 2, samples: 100 })).toBe(1600);
  });

  it('asks the score interval itself where samples are counted', () => {
    const paired = { onlyReference: 6, onlyCandidate: 2 };
    const needed = samplesToDecide({ drop: 2, threshold: 4, halfWidth: 3, samples: 200, paired })!;
    const dropAt = (samples: number): number => {
      const scale = samples / 200;
      const scaled = { onlyReference: 6 * scale, onlyCandidate: 2 * scale };
      return -100 * tangoInterval(scaled, samples)![0];
    };
    expect(dropAt(needed)).toBeLessThan(4);
    expect(dropAt(needed - 1)).toBeGreaterThanOrEqual(4);
  });

  it('has an answer when nothing differs: z² (1 - t) / t for a threshold t', () => {
    const paired = { onlyReference: 0, onlyCandidate: 0 };
    const needed = samplesToDecide({ drop: 0, threshold: 1, halfWidth: 16, samples: 20, paired });
    expect(needed).toBe(Math.ceil(1.959963984540054 ** 2 * 99));
  });

  it('is no more than there are when they decide already', () => {
    const paired = { onlyReference: 100, onlyCandidate: 0 };
    const told = { drop: 10, threshold: 1, halfWidth: 2, samples: 1000 };
    expect(samplesToDecide(told)).toBeLessThanOrEqual(1000);
    expect(samplesToDecide({ ...told, paired })).toBeLessThanOrEqual(1000);
  });

  it('is none when the drop is the threshold, rounding aside', () => {
    const paired = { onlyReference: 3, onlyCandidate: 0 };
    expect(samplesToDecide({ drop: 1, threshold: 1, halfWidth: 2, samples: 300 })).toBeUndefined();
    expect(
      samplesToDecide({ drop: 1 + 1e-13, threshold: 1, halfWidth: 2, samples: 300, paired }),
    ).toBeUndefined();
    expect(samplesToDecide({ drop: 0, threshold: 0, halfWidth: 2, samples: 300 })).toBeUndefined();
  });

  it('is none when there are not as many in the world', () => {
    expect(samplesToDecide({ drop: 1.00000001, threshold: 1, halfWidth: 50, samples: 1e6 })).toBeUndefined();
    const paired = { onlyReference: 3, onlyCandidate: 0 };
    expect(
      samplesToDecide({ drop: 1.00000001, threshold: 1, halfWidth: 2, samples: 300, paired }),
    ).toBeUndefined();
  });
});
