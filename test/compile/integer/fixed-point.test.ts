import { describe, expect, it } from 'vitest';
import {
  highMul16,
  highMul32,
  multiplyByQuantizedMultiplier,
  quantizeMultiplier,
  roundHalfAway,
  roundingDivideByAnyPot,
  roundingDivideByPot,
} from '../../../src/compile/integer/fixed-point.js';
import { FIXED_POINT_16, FIXED_POINT_32 } from '../../../src/compile/integer/gemmlowp.js';
import { inverseSquareRoot } from '../../../src/compile/integer/inverse-square-root.js';

const INT32 = 2 ** 31;

/** A seeded stream of 32-bit integers of all magnitudes (Numerical Recipes' linear congruence). */
function* integers(count: number): Generator<number> {
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    yield state >> (i % 31);
  }
}

/** SaturatingRoundingDoublingHighMul as gemmlowp writes it, on integers without limits. */
function highMulOf(a: number, b: number, bits: bigint): number {
  const product = BigInt(a) * BigInt(b);
  const one = 1n << (bits - 2n);
  const nudge = product >= 0n ? one : 1n - one;
  // Division of bigints is towards zero, as in C.
  return Number((product + nudge) / (1n << (bits - 1n)));
}

describe('rounding', () => {
  it('takes ties away from zero and everything else to the nearest integer', () => {
    const below = 0.49999999999999994;
    expect([2.5, -2.5, 0.5, -0.5, below, -below, 1e17 + 0.5].map(roundHalfAway)).toEqual([
      3, -3, 1, -1, 0, -0, 1e17,
    ]);
  });

  it('of a right shift takes ties away from zero', () => {
    expect([6, 7, -6, -7, 5, -5].map((x) => roundingDivideByPot(x, 2))).toEqual([2, 2, -2, -2, 1, -1]);
    expect([3, -3].map((x) => roundingDivideByPot(x, 0))).toEqual([3, -3]);
  });

  it('of a shift that C++ leaves undefined is what x86 makes of it', () => {
    // Shifting by 40 shifts by 8; what is left of a number from 0 always counts as more than half.
    expect([0, 1000, -1000].map((x) => roundingDivideByAnyPot(x, 40))).toEqual([1, 4, -4]);
    expect([5, -5].map((x) => roundingDivideByAnyPot(x, -1))).toEqual([1, -1]);
    expect(roundingDivideByAnyPot(1000, 8)).toBe(4);
  });
});

describe('the high half of a product', () => {
  it('of 32-bit integers is exact and rounded as in gemmlowp', () => {
    const numbers = [...integers(300), INT32 - 1, -INT32, 2 ** 30, -(2 ** 30), 1, -1, 0];
    for (const a of numbers) {
      for (const b of [INT32 - 1, 2 ** 30, 1518500250, a, -INT32 + 1]) {
        if (a === -INT32 && b === -INT32) continue;
        expect({ a, b, high: highMul32(a, b) + 0 }).toEqual({ a, b, high: highMulOf(a, b, 32n) });
      }
    }
  });

  it('of 16-bit integers too', () => {
    for (const a of integers(300)) {
      const [x, y] = [a >> 16, (a << 16) >> 16];
      expect(highMul16(x, y) + 0).toBe(highMulOf(x, y, 16n));
    }
  });

  it('saturates where both are the lowest integer', () => {
    expect(highMul32(-INT32, -INT32)).toBe(INT32 - 1);
    expect(highMul16(-32768, -32768)).toBe(32767);
  });
});

describe('a real factor in fixed point', () => {
  it.each([
    // The values of tensorflow/lite/kernels/internal/quantization_util_test.cc.
    [0.25, 1073741824, -1],
    [0.5 - 5e-9, 2147483627, -1],
    [0.5 - 1e-10, 1073741824, 0],
    [0.5, 1073741824, 0],
    [0.75, 1610612736, 0],
    [1 - 1e-9, 2147483646, 0],
    [1 + 1e-9, 1073741825, 1],
    [1.25, 1342177280, 1],
    [1.5, 1610612736, 1],
    [2 - 1e-9, 2147483647, 1],
    [2, 1073741824, 2],
  ])('%d', (real, multiplier, shift) => {
    expect(quantizeMultiplier(real)).toEqual({ multiplier, shift });
  });

  it('is nothing below 2^-32 and for what is no positive number', () => {
    for (const real of [0, 2 ** -33, NaN, Infinity]) {
      expect(quantizeMultiplier(real)).toEqual({ multiplier: 0, shift: 0 });
    }
  });

  it('multiplies with two roundings', () => {
    for (const real of [0.3, 0.0123, 1, 3.7, 0.5]) {
      const { multiplier, shift } = quantizeMultiplier(real);
      for (const x of integers(200)) {
        const small = x >> 5;
        const high = highMulOf(small * 2 ** Math.max(shift, 0), multiplier, 32n);
        const right = Math.max(-shift, 0);
        const half = right === 0 ? 0 : 2 ** (right - 1);
        const wanted = Math.sign(high) * Math.floor((Math.abs(high) + half) / 2 ** right);
        expect(multiplyByQuantizedMultiplier(small, { multiplier, shift })).toBeCloseTo(wanted, 9);
      }
    }
  });
});

describe('functions in fixed point', () => {
  it('are close to the real ones with 16 bits', () => {
    for (let x = -32768; x < 32768; x += 97) {
      const real = x / 4096;
      expect(Math.abs(FIXED_POINT_16.tanh(x, 3) - 32768 * Math.tanh(real))).toBeLessThan(32);
      expect(Math.abs(FIXED_POINT_16.logistic(x, 3) - 32768 / (1 + Math.exp(-real)))).toBeLessThan(32);
    }
  });

  it('find 1 / (1 + x) to 27 bits with 32', () => {
    for (let x = 0; x < INT32; x += 10_000_019) {
      const real = 1 / (1 + x / INT32);
      expect(Math.abs(FIXED_POINT_32.reciprocalOfOnePlus(x) / INT32 - real)).toBeLessThan(2 ** -27);
    }
  });

  it('find inverse square roots to 19 bits', () => {
    expect(inverseSquareRoot(0)).toEqual({ multiplier: INT32 - 1, shift: 0 });
    for (const input of [1, 2, 3, 4, 17, 255, 65025, 2 ** 20 + 1, 2 ** 29, 2 ** 30 + 12345, INT32 - 1]) {
      const { multiplier, shift } = inverseSquareRoot(input);
      const real = multiplier * 2 ** (shift - 31);
      expect(Math.abs(real * Math.sqrt(input) - 1)).toBeLessThan(2 ** -19);
    }
  });
});
