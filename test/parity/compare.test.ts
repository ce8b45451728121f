import { describe, expect, it } from 'vitest';
import {
  addDifference,
  argmaxAgreement,
  mergeDifference,
  noDifference,
  relativeError,
  type Difference,
  type Numbers,
} from '../../parity/compare.js';

function difference(...pairs: readonly (readonly [values: Numbers, reference: Numbers])[]): Difference {
  const sums = noDifference();
  for (const [values, reference] of pairs) addDifference(sums, values, reference);
  return sums;
}

describe('the difference of numbers', () => {
  it('counts what is equal and keeps the largest distance', () => {
    expect(
      difference([
        [1, -3, 7, 7],
        [1, -5, 7, 8],
      ]),
    ).toEqual({ values: 4, equal: 2, largest: 2, absmax: 8 });
  });

  it('reads 64-bit integers', () => {
    const sums = difference([Float32Array.of(4, -9), BigInt64Array.of(4n, -6n)]);
    expect(sums).toEqual({ values: 2, equal: 1, largest: 3, absmax: 6 });
  });

  it('has NaN equal NaN and infinity equal itself, and is infinite where only one side is', () => {
    expect(
      difference([
        [NaN, Infinity],
        [NaN, Infinity],
      ]),
    ).toMatchObject({ equal: 2, largest: 0, absmax: 0 });
    for (const [value, wanted] of [
      [1, NaN],
      [NaN, 1],
      [Infinity, -Infinity],
      [1, Infinity],
    ] as const) {
      expect(difference([[value], [wanted]])).toMatchObject({ equal: 0, largest: Infinity });
    }
  });

  it('does not depend on the order of samples', () => {
    const samples = [
      [
        [0, 1, 2],
        [0, 2, 2],
      ],
      [
        [5, -6, 7],
        [5, -6, 9],
      ],
      [
        [-8, 8, 0],
        [-3, 8, 1],
      ],
    ] as const;
    const [a, b, c] = samples;
    expect(difference(c, a, b)).toEqual(difference(a, b, c));
    const merged = difference(b);
    mergeDifference(merged, difference(c, a));
    expect(merged).toEqual(difference(a, b, c));
  });

  it('refuses arrays of different lengths', () => {
    expect(() => difference([[1], [1, 2]])).toThrow(RangeError);
  });
});

describe('the relative error', () => {
  it('is the largest difference over the largest reference value', () => {
    expect(
      relativeError(
        difference([
          [1, 10],
          [1.5, -10],
        ]),
      ),
    ).toBe(2);
  });

  it('of a reference that is 0 everywhere is the difference itself', () => {
    expect(
      relativeError(
        difference([
          [0.25, 0],
          [0, 0],
        ]),
      ),
    ).toBe(0.25);
    expect(relativeError(difference([[0], [0]]))).toBe(0);
  });
});

describe('the agreement of largest values', () => {
  it('is counted along the last axis', () => {
    expect(argmaxAgreement([1, 9, 3, 4, 0, 2], [0, 5, 4, 1, 0, 2], 3)).toEqual({ places: 2, agreeing: 1 });
  });

  it('takes either of two places that share a largest value', () => {
    expect(argmaxAgreement([4, 5], [5, 5], 2).agreeing).toBe(1);
    expect(argmaxAgreement([5, 5], [4, 5], 2).agreeing).toBe(1);
    expect(argmaxAgreement([5, 4], [4, 5], 2).agreeing).toBe(0);
  });

  it('of no classes is none', () => {
    expect(argmaxAgreement([], [], 0)).toEqual({ places: 0, agreeing: 0 });
  });
});
