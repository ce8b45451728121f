import { describe, expect, it } from 'vitest';
import { toFloat32, toInts } from '../../../src/ir/elements.js';
import type { Granularity, QuantParams } from '../../../src/ir/lane.js';
import {
  dequantized,
  movesNothing,
  reshaped,
  transposed,
  widened,
} from '../../../src/loader/tflite/constants.js';
import { constantData } from '../../support/graph-builder.js';
import { perTensor } from '../../support/lanes.js';

function params(
  granularity: Granularity,
  scale: readonly number[],
  zeroPoint: readonly number[] = scale.map(() => 0),
): QuantParams {
  return {
    ...perTensor('int8', 1),
    granularity,
    scale: Float32Array.from(scale),
    zeroPoint: Int32Array.from(zeroPoint),
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

describe('values of codes', () => {
  it('are code minus zero point, times scale, in float32', () => {
    const codes = constantData('int8', [5], [-128, -1, 0, 1, 127]);
    const values = dequantized(codes, params({ kind: 'per-tensor' }, [0.1], [3]));
    expect(values).toMatchObject({ dtype: 'float32', dims: [5], byteLength: 20 });
    const scale = Math.fround(0.1);
    expect(Array.from(toFloat32(values))).toEqual([-131, -4, -3, -2, 124].map((q) => Math.fround(q * scale)));
  });

  it.each([
    [0, [1, 1, 1, 1, 1, 1, 10, 10, 10, 10, 10, 10]],
    [1, [1, 1, 10, 10, 100, 100, 1, 1, 10, 10, 100, 100]],
    [2, [1, 10, 1, 10, 1, 10, 1, 10, 1, 10, 1, 10]],
  ])('have the scale of their index along dimension %i', (axis, factors) => {
    const scale = [1, 10, 100].slice(0, [2, 3, 2][axis]);
    const points = scale.map((_, i) => i);
    const codes = constantData('int8', [2, 3, 2], range(12));
    const values = dequantized(codes, params({ kind: 'per-axis', axis }, scale, points));
    expect(Array.from(toFloat32(values))).toEqual(
      range(12).map((code, i) => (code - Math.log10(factors[i]!)) * factors[i]!),
    );
  });

  it('have the scale of their block, the last of which may be short', () => {
    const codes = constantData('int8', [2, 5], Array<number>(10).fill(1));
    const values = dequantized(
      codes,
      params({ kind: 'per-block', axis: 1, blockSize: 2 }, [1, 2, 3, 4, 5, 6]),
    );
    expect(Array.from(toFloat32(values))).toEqual([1, 1, 2, 2, 3, 4, 4, 5, 5, 6]);
  });

  it('have blocks along any dimension', () => {
    const codes = constantData('int8', [4, 2], Array<number>(8).fill(1));
    const values = dequantized(codes, params({ kind: 'per-block', axis: 0, blockSize: 2 }, [1, 2, 3, 4]));
    expect(Array.from(toFloat32(values))).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
  });

  it('are read from 4 bits and from 64', () => {
    const small = constantData('int4', [3], [-8, -1, 7]);
    expect(Array.from(toFloat32(dequantized(small, params({ kind: 'per-tensor' }, [2]))))).toEqual([
      -16, -2, 14,
    ]);
    // Beyond float32: the product is rounded once.
    const code = 2 ** 40 + 2 ** 20;
    const large = constantData('int64', [1], [code]);
    const [value] = toFloat32(dequantized(large, params({ kind: 'per-tensor' }, [2 ** -10])));
    expect(value).toBe(Math.fround(code * 2 ** -10));
  });

  it('are infinite or not numbers where the scale is', () => {
    const codes = constantData('int8', [2], [0, 1]);
    expect(Array.from(toFloat32(dequantized(codes, params({ kind: 'per-tensor' }, [Infinity]))))).toEqual([
      NaN,
      Infinity,
    ]);
  });
});

describe('half precision', () => {
  it('becomes the same values in single precision', () => {
    const bytes = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001).buffer);
    const half = { dtype: 'float16' as const, dims: [4], byteLength: 8, bytes: () => bytes };
    const single = widened(half);
    expect(single).toMatchObject({ dtype: 'float32', byteLength: 16 });
    expect(Array.from(toFloat32(single))).toEqual([1, -2, 65504, 2 ** -24]);
  });
});

describe('another order of axes', () => {
  /** Row-major elements of a tensor of `dims` transposed by `perm`, index by index. */
  function expected(dims: readonly number[], perm: readonly number[]): number[] {
    const out = perm.map((axis) => dims[axis]!);
    const total = dims.reduce((a, b) => a * b, 1);
    return range(total).map((at) => {
      const index = dims.map(() => 0);
      let rest = at;
      for (let j = out.length - 1; j >= 0; j--) {
        index[perm[j]!] = rest % out[j]!;
        rest = Math.floor(rest / out[j]!);
      }
      return dims.reduce((flat, dim, axis) => flat * dim + index[axis]!, 0);
    });
  }

  it.each([
    [
      [2, 3],
      [1, 0],
    ],
    [
      [2, 3, 4, 5],
      [0, 3, 1, 2],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [2, 1, 3, 2, 4],
      [4, 3, 0, 1, 2],
    ],
    [[7], [0]],
    [[], []],
  ])('of %o by %o', (dims, perm) => {
    for (const dtype of ['float32', 'int8', 'int64', 'float64'] as const) {
      const total = dims.reduce((a, b) => a * b, 1);
      const moved = transposed(constantData(dtype, dims, range(total)), perm);
      expect(moved.dtype).toBe(dtype);
      expect(moved.dims).toEqual(perm.map((axis) => dims[axis]));
      expect(Array.from(toFloat32(moved))).toEqual(expected(dims, perm));
    }
  });

  it.each([
    ['int4', 'int8', [-8, -3, 0, 1, 5, 7]],
    ['uint4', 'uint8', [0, 15, 8, 1, 5, 7]],
  ] as const)(
    'unpacks %s to %s, whose elements are no longer at the borders of bytes',
    (dtype, wide, values) => {
      const moved = transposed(constantData(dtype, [2, 3], values), [1, 0]);
      expect(moved).toMatchObject({ dtype: wide, dims: [3, 2], byteLength: 6 });
      expect(toInts(moved)).toEqual([0, 3, 1, 4, 2, 5].map((at) => values[at]));
    },
  );

  it('copies nothing where only extents of 1 move', () => {
    const data = constantData(
      'int4',
      [1, 3, 1, 4],
      range(12).map((i) => i - 8 + 2),
    );
    const moved = transposed(data, [0, 2, 1, 3]);
    expect(moved).toMatchObject({ dtype: 'int4', dims: [1, 1, 3, 4] });
    expect(moved.bytes()).toBe(data.bytes());
    expect(movesNothing([1, 3, 1, 4], [1, 0, 3, 2])).toBe(true);
    expect(movesNothing([1, 3, 2, 4], [0, 2, 1, 3])).toBe(false);
    expect(movesNothing([1, 1, 1], [2, 0, 1])).toBe(true);
  });

  it('of no elements has none', () => {
    for (const dtype of ['float32', 'int8', 'int4'] as const) {
      const moved = transposed(constantData(dtype, [2, 0, 3], []), [2, 1, 0]);
      expect(moved).toMatchObject({ dims: [3, 0, 2], byteLength: 0 });
      expect(moved.bytes()).toHaveLength(0);
    }
  });
});

describe('other extents', () => {
  it('leave the elements alone', () => {
    const data = constantData('float32', [2, 3], range(6));
    expect(reshaped(data, [1, 6])).toMatchObject({ dims: [1, 6], byteLength: 24 });
    expect(Array.from(toFloat32(reshaped(data, [1, 6])))).toEqual(range(6));
  });

  it('must hold as many', () => {
    expect(() => reshaped(constantData('float32', [2, 3]), [2, 2])).toThrow(RangeError);
  });
});
