/** Ranges that are searched for, beside what numpy finds by brute force and what ONNX Runtime's calibrators give. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fakeQuantize, paramsFromRange, type AffineScheme } from '../../../src/quant/affine.js';
import { leastErrorRange, rangeWithoutRare } from '../../../src/quant/edits/range-search.js';
import type { Histogram } from '../../../src/quant/histogram.js';
import { observe, type Range, type TensorStats } from '../../../src/quant/observers/index.js';
import { extremes, histogramOf } from '../samples.js';

interface Kind {
  readonly step: number;
  readonly first: number;
  readonly counts: readonly number[];
  readonly best: Readonly<Record<string, number>>;
  readonly rare: Readonly<Record<string, readonly [number, number] | null>>;
  readonly onnxruntime: Readonly<Record<string, readonly [number, number]>>;
}

const { count, kinds } = JSON.parse(
  readFileSync(new URL('../../../fixtures/sweep/ranges/ranges.json', import.meta.url), 'utf8'),
) as { readonly count: number; readonly kinds: Readonly<Record<string, Kind>> };

const SCHEMES: Readonly<Record<string, AffineScheme>> = {
  'uint8 asymmetric': { dtype: 'uint8', symmetric: false, narrowRange: false },
  'int8 symmetric': { dtype: 'int8', symmetric: true, narrowRange: true },
  'uint4 asymmetric': { dtype: 'uint4', symmetric: false, narrowRange: false },
  'int4 symmetric': { dtype: 'int4', symmetric: true, narrowRange: true },
};

function valuesOf({ step, first, counts }: Kind): Float32Array {
  return Float32Array.from(
    counts.flatMap((times, i) => Array.from({ length: times }, () => (first + i) * step)),
  );
}

function statsOf(x: Float32Array): TensorStats & { readonly histogram: Histogram } {
  return { ...extremes(x), count: x.length, histogram: histogramOf(x) };
}

function squaredError(x: Float32Array, { rmin, rmax }: Range, scheme: AffineScheme): number {
  const params = paramsFromRange([rmin], [rmax], scheme, { kind: 'per-tensor' }, 'edit');
  return fakeQuantize(x, [x.length], params).reduce((sum, y, i) => sum + (y - x[i]!) ** 2, 0);
}

const names = Object.keys(kinds);
const eightBits = Object.keys(SCHEMES).filter((label) => label.includes('8'));
const cases = (labels: readonly string[]): [string, string][] =>
  names.flatMap((name) => labels.map((label): [string, string] => [name, label]));

describe('the range of the least expected error', () => {
  it.each(cases(Object.keys(SCHEMES)))(
    'errs hardly more than the best of all pairs: %s, %s',
    (name, label) => {
      const x = valuesOf(kinds[name]!);
      expect(x.length).toBe(count);
      const scheme = SCHEMES[label]!;
      const found = squaredError(x, leastErrorRange(statsOf(x), scheme)!, scheme);
      // The best pair fits the codes to the very values; a histogram only knows them to its bins.
      expect(found).toBeLessThanOrEqual(1.05 * kinds[name]!.best[label]!);
    },
  );

  it.each(cases(eightBits))('is no worse than any observer: %s, %s', (name, label) => {
    const x = valuesOf(kinds[name]!);
    const [stats, scheme] = [statsOf(x), SCHEMES[label]!];
    const found = squaredError(x, leastErrorRange(stats, scheme)!, scheme);
    for (const kind of ['minmax', 'mse', 'entropy'] as const) {
      expect(found).toBeLessThanOrEqual(1.03 * squaredError(x, observe({ kind }, stats, scheme), scheme));
    }
  });

  it('is unknown without a histogram', () => {
    expect(leastErrorRange({ min: -1, max: 1, count: 2 }, SCHEMES['uint8 asymmetric']!)).toBeUndefined();
  });
});

describe('the range without rare values', () => {
  it.each(cases(eightBits))('is what sorting the values says: %s, %s', (name, label) => {
    const x = valuesOf(kinds[name]!);
    const stats = statsOf(x);
    const wanted = kinds[name]!.rare[label]!;
    const found = rangeWithoutRare(stats, SCHEMES[label]!);
    if (wanted === null) {
      expect(found).toBeUndefined();
      return;
    }
    expect(Math.abs(found!.rmin - wanted[0])).toBeLessThanOrEqual(stats.histogram.grid.scale);
    expect(Math.abs(found!.rmax - wanted[1])).toBeLessThanOrEqual(stats.histogram.grid.scale);
  });

  it('is there for what was planted, and only for that', () => {
    const planted = names.filter((name) => kinds[name]!.rare['uint8 asymmetric'] !== null);
    expect(planted).toEqual(['outlier above', 'outlier below']);
  });
});

describe("ONNX Runtime's calibrators, on the same values", () => {
  it.each(names)('agree on the smallest and the largest: %s', (name) => {
    const stats = statsOf(valuesOf(kinds[name]!));
    const [rmin, rmax] = kinds[name]!.onnxruntime['minmax']!;
    const found = observe({ kind: 'minmax' }, stats, SCHEMES['uint8 asymmetric']!);
    expect(found.rmin).toBeCloseTo(rmin, 4);
    expect(found.rmax).toBeCloseTo(rmax, 4);
  });

  it.each([
    ['percentile 99', 99, 'uint8 asymmetric'],
    ['percentile 99.9', 99.9, 'uint8 asymmetric'],
    ['percentile 99.9 symmetric', 99.9, 'int8 symmetric'],
  ] as const)('cut off as much as %s', (label, percentile, scheme) => {
    for (const name of names) {
      const x = valuesOf(kinds[name]!).sort();
      const found = observe({ kind: 'percentile', percentile }, statsOf(x), SCHEMES[scheme]!);
      const [rmin, rmax] = kinds[name]!.onnxruntime[label]!;
      // Theirs is the inner edge of one of 2048 bins, and of the value at the rank; here it is interpolated.
      const bin = (2 * Math.max(-x[0]!, x.at(-1)!)) / 2048;
      const near = 1.5 * bin + kinds[name]!.step;
      // Symmetric, theirs is then cut on each side to what was seen.
      if (SCHEMES[scheme]!.symmetric) expect(found.rmin).toBe(-found.rmax);
      else expect(Math.abs(found.rmin - rmin), name).toBeLessThanOrEqual(near + gapAt(x, rmin));
      expect(Math.abs(found.rmax - rmax), name).toBeLessThanOrEqual(near + gapAt(x, rmax));
    }
  });
});

/** Distance between the values on both sides of a limit. */
function gapAt(sorted: Float32Array, limit: number): number {
  const after = sorted.findIndex((value) => value > limit);
  return after <= 0 ? 0 : sorted[after]! - sorted[after - 1]!;
}
