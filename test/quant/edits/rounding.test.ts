/** Rounding for the output of a layer, beside trying every combination. */
import { describe, expect, it } from 'vitest';
import { searchedCodes, SecondMoments } from '../../../src/quant/edits/rounding.js';
import { Random } from '../samples.js';

const SIZE = 8;
const QUANTIZER = { scale: 0.5, zeroPoint: 0, qmin: -7, qmax: 7 };

function setting(seed: number) {
  const random = new Random(seed);
  const moments = new SecondMoments(SIZE);
  for (let n = 0; n < 200; n++) {
    const common = random.bell() + 1;
    moments.add(Float32Array.from({ length: SIZE }, () => Math.max(0, common + 0.3 * random.bell())));
  }
  const weights = Float64Array.from({ length: SIZE }, () => 1.2 * random.bell());
  const clamp = (code: number): number => Math.max(-7, Math.min(7, code));
  const nearest = Int32Array.from(weights, (w) => clamp(Math.round(w / 0.5)));
  return { weights, nearest, matrix: moments.matrix()! };
}

function cost(codes: ArrayLike<number>, weights: Float64Array, matrix: Float64Array): number {
  const e = weights.map((w, i) => codes[i]! * 0.5 - w);
  let sum = 0;
  e.forEach((a, i) => e.forEach((b, j) => (sum += a * b * matrix[i * SIZE + j]!)));
  return sum;
}

describe('searched codes', () => {
  it('leave nearly as little error as the best of all combinations', () => {
    let [found, best, plain] = [0, 0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const { weights, nearest, matrix } = setting(seed);
      const codes = searchedCodes(weights, nearest, QUANTIZER, matrix);
      let least = Infinity;
      for (let choice = 0; choice < 2 ** SIZE; choice++) {
        const tried = nearest.map((code, i) =>
          (choice >> i) & 1 ? Math.max(-7, Math.min(7, code + Math.sign(weights[i]! - 0.5 * code))) : code,
        );
        least = Math.min(least, cost(tried, weights, matrix));
      }
      found += cost(codes, weights, matrix);
      best += least;
      plain += cost(nearest, weights, matrix);
    }
    expect(plain).toBeGreaterThan(5 * best);
    expect(found).toBeLessThan(2 * best + 0.05 * plain);
  });

  it('are one of the two around each weight, within the limits', () => {
    const { nearest, matrix } = setting(2);
    const weights = Float64Array.from(nearest, (code) => 0.5 * code + 0.2);
    weights[0] = 3.6;
    nearest[0] = 7;
    const codes = searchedCodes(weights, nearest, QUANTIZER, matrix);
    codes.forEach((code, i) => expect([nearest[i], nearest[i]! + 1]).toContain(code));
    expect(codes[0]).toBe(7);
  });

  it('are the nearest where inputs have nothing to do with each other', () => {
    const { weights, nearest } = setting(3);
    const diagonal = new Float64Array(SIZE * SIZE);
    for (let i = 0; i < SIZE; i++) diagonal[i * SIZE + i] = 1;
    expect([...searchedCodes(weights, nearest, QUANTIZER, diagonal)]).toEqual([...nearest]);
  });
});

describe('second moments', () => {
  it('are means of products', () => {
    const moments = new SecondMoments(2);
    moments.add(Float32Array.of(1, 2));
    moments.add(Float32Array.of(0, 4));
    expect([...moments.matrix()!]).toEqual([0.5, 1, 1, 10]);
  });

  it('say nothing without values, or with such as are not finite', () => {
    const moments = new SecondMoments(1);
    expect(moments.matrix()).toBeUndefined();
    moments.add(Float32Array.of(Infinity));
    expect(moments.matrix()).toBeUndefined();
  });
});
