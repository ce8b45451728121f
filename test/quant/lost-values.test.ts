import { describe, expect, it } from 'vitest';
import { lostValues } from '../../src/quant/lost-values.js';
import { perTensor } from '../support/lanes.js';
import { histogramOf } from './samples.js';

const EXAMPLE = Float32Array.of(-51.35, 165.52, 0.4, -0.4, 0.5, 1.2);

describe('lost values', () => {
  it('are those that move by more than a quarter of themselves', () => {
    // Codes 0 255 60 60 61 61: 0.4 and -0.4 become 0, 0.5 and 1.2 become 0.85.
    expect(lostValues(histogramOf(EXAMPLE), perTensor('uint8', 216.87 / 255, 60))).toEqual({
      lost: 4,
      values: 6,
    });
    expect(lostValues(histogramOf(EXAMPLE), perTensor('int16', 165.52 / 32767))).toEqual({
      lost: 0,
      values: 6,
    });
  });

  it('do not count zeros, which no quantizer moves', () => {
    const values = Float32Array.of(...EXAMPLE, 0, 0, 0, 0);
    expect(lostValues(histogramOf(values), perTensor('uint8', 216.87 / 255, 60))).toEqual({
      lost: 4,
      values: 6,
    });
    expect(lostValues(histogramOf(new Float32Array(5)), perTensor('uint8', 1))).toBeUndefined();
  });

  it('count what is clipped by more than a quarter', () => {
    const values = Float32Array.of(10, 12, 14, 100);
    expect(lostValues(histogramOf(values), { ...perTensor('uint8', 1), qmax: 10 })).toEqual({
      lost: 2,
      values: 4,
    });
  });
});
