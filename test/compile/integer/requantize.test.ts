/** Against the kernels' own arithmetic, taken step by step on exact integers. */
import { describe, expect, it } from 'vitest';
import { quantizeMultiplier } from '../../../src/compile/integer/fixed-point.js';
import { PORTABLE, requantize, VECTOR, type Rounding } from '../../../src/compile/integer/requantize.js';
import { ModelWriter } from '../../../src/compile/model-writer.js';
import { openSession } from '../../../src/run/runtime.js';

const WIDE = { zeroPoint: 0, range: [-(2 ** 31), 2 ** 31] as const };

async function run(
  sums: readonly number[],
  bound: number,
  factor: number,
  rounding: Rounding,
  output: Parameters<typeof requantize>[4] = WIDE,
): Promise<number[] | undefined> {
  const writer = new ModelWriter(new Map([['', 20]]), 9);
  const value = writer.input('sums', 'float64', [sums.length]);
  const codes = requantize(writer, { value, bound }, { values: [factor], dims: [] }, rounding, output);
  if (codes === undefined) return undefined;
  const session = await openSession(writer.encode([codes]), { threads: 1 });
  const data = Float64Array.from(sums);
  const [fetched] = await session.run(new Map([['sums', { dtype: 'float64', dims: [sums.length], data }]]));
  await session.close();
  return Array.from(fetched as Float32Array);
}

/** gemmlowp fixedpoint.h, SaturatingRoundingDoublingHighMul: C++ division cuts towards zero, as that of BigInt does. */
function highMul(a: bigint, b: bigint): bigint {
  const product = a * b;
  const nudge = product >= 0n ? 1n << 30n : 1n - (1n << 30n);
  return (product + nudge) / (1n << 31n);
}

/** gemmlowp fixedpoint.h, RoundingDivideByPOT. */
function divideByPot(x: bigint, exponent: bigint): bigint {
  const mask = (1n << exponent) - 1n;
  const threshold = (mask >> 1n) + (x < 0n ? 1n : 0n);
  return (x >> exponent) + ((x & mask) > threshold ? 1n : 0n);
}

/** VRSHL by a negative count: adds half, then shifts. */
function roundingShift(x: bigint, exponent: bigint): bigint {
  return exponent === 0n ? x : (x + (1n << (exponent - 1n))) >> exponent;
}

function kernel32(
  shiftRight: (x: bigint, exponent: bigint) => bigint,
): (sum: number, factor: number) => number {
  return (sum, factor) => {
    const { multiplier, shift } = quantizeMultiplier(factor);
    const left = BigInt.asIntN(32, BigInt(sum) << BigInt(Math.max(shift, 0)));
    return Number(shiftRight(highMul(left, BigInt(multiplier)), BigInt(Math.max(-shift, 0))));
  };
}

/** common.cc, MultiplyByQuantizedMultiplier(int64_t, ...). */
function kernel64(sum: number, factor: number): number {
  const { multiplier, shift } = quantizeMultiplier(factor);
  const wide = BigInt(multiplier);
  const reduced = wide < 0x7fff0000n ? (wide + (1n << 15n)) >> 16n : 0x7fffn;
  const right = BigInt(15 - shift);
  return Number(BigInt.asIntN(32, (BigInt(sum) * reduced + (1n << (right - 1n))) >> right));
}

/** Deterministic numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

/** Sums of all sizes up to `largest`, with those around each power of two and around 0. */
function sumsUpTo(largest: number): number[] {
  const random = generator(largest % 2147483647 || 7);
  const sizes = Array.from({ length: Math.floor(Math.log2(largest)) + 1 }, (_, bits) => 2 ** bits);
  const near = sizes.flatMap((size) => [size - 1, size, size + 1, Math.floor(size * (1 + random()))]);
  const all = [0, 1, 2, 3, 5, 6, 7, ...near].filter((size) => size <= largest);
  return all.flatMap((size) => [size, -size]);
}

/** Factors with few bits, where ties are frequent, and with all 31. */
const FACTORS = [-23, -16, -12, -9, -7, -4, -1, 0].flatMap((exponent) =>
  [0.5, 0.75, 0.625, 0.9999999, 0.7123456].map((mantissa) => mantissa * 2 ** exponent),
);

function float32s(values: readonly number[]): number[] {
  return values.map((value) => Math.fround(value) + 0);
}

const CASES = [
  ['ruy and vector code: up, and up again', VECTOR, kernel32(roundingShift)],
  ['portable code: up, then away from zero', PORTABLE, kernel32(divideByPot)],
] as const;

describe.each(CASES)('32-bit sums are rounded twice, by %s', (_, rounding, kernel) => {
  it.each([2 ** 14, 2 ** 21, 2 ** 31 - 1])('up to %d', async (largest) => {
    const sums = sumsUpTo(largest);
    for (const factor of FACTORS) {
      const wanted = sums.map((sum) => kernel(sum, factor));
      expect([factor, await run(sums, largest, factor, rounding)]).toEqual([factor, float32s(wanted)]);
    }
  });

  it('wrap where a factor above one takes them out of 32 bits', async () => {
    const sums = sumsUpTo(2 ** 30);
    for (const factor of [1, 1.5, 6, 1234.5, 2 ** 14]) {
      const wanted = sums.map((sum) => kernel(sum, factor));
      expect([factor, await run(sums, 2 ** 30, factor, rounding)]).toEqual([factor, float32s(wanted)]);
    }
  });

  it('become nothing by factors below 2^-32', async () => {
    expect(await run([2 ** 30, -5], 2 ** 30, 2 ** -33, rounding)).toEqual([0, 0]);
  });
});

describe('64-bit sums', () => {
  it.each([2 ** 30, 2 ** 44])('are rounded once by a factor of 16 bits, up to %d', async (largest) => {
    const sums = sumsUpTo(largest);
    for (const factor of FACTORS) {
      const wanted = sums.map((sum) => kernel64(sum, factor));
      expect([factor, await run(sums, largest, factor, { kind: 'fixed64' })]).toEqual([
        factor,
        float32s(wanted),
      ]);
    }
  });

  it('have no factor from 2^15 on: the kernel would shift by a negative count', async () => {
    expect(await run([1], 1, 2 ** 15, { kind: 'fixed64' })).toBeUndefined();
    expect(await run([1], 1, 2 ** 14 - 1, { kind: 'fixed64' })).toBeDefined();
  });

  it('are rounded as real numbers, away from zero, where the kernel computes with doubles', async () => {
    const sums = [-5, -3, -1, 1, 3, 5, 7];
    const wanted = [-3, -2, -1, 1, 2, 3, 4];
    expect(await run(sums, 7, 0.5, { kind: 'real' })).toEqual(wanted);
    // What does not fit 32 bits is the lowest integer on x86.
    expect(await run([2 ** 40, -(2 ** 40), 8], 2 ** 40, 0.25, { kind: 'real' })).toEqual([
      -(2 ** 31),
      -(2 ** 31),
      2,
    ]);
  });
});

describe('codes', () => {
  it('have the zero point and stay in their range', async () => {
    const output = { zeroPoint: -100, range: [-100, 27] as const };
    expect(await run([-9, 0, 40, 41, 1000], 1000, 0.5, VECTOR, output)).toEqual([-100, -100, -80, -79, 27]);
  });
});
