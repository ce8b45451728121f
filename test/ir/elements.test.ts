import { describe, expect, it } from 'vitest';
import { LoadError, UnsupportedError } from '../../src/errors.js';
import {
  bitsPerElement,
  elementCount,
  formatDims,
  packedByteLength,
  Scratch,
  toFloat32,
  toFloat64,
  toInts,
} from '../../src/ir/elements.js';
import type { ConstantData, DType } from '../../src/ir/graph.js';

function constant(dtype: DType, bytes: Uint8Array, dims: readonly number[]): ConstantData {
  return { dtype, dims, byteLength: bytes.byteLength, bytes: () => bytes };
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The same bytes at an odd offset, as protobuf leaves them. */
function misaligned(bytes: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(bytes.length + 1);
  buffer.set(bytes, 1);
  return buffer.subarray(1);
}

describe('elementCount', () => {
  it('multiplies extents; a scalar has one element and an extent of 0 empties the tensor', () => {
    expect(elementCount([2, 3, 4])).toBe(24);
    expect(elementCount([])).toBe(1);
    expect(elementCount([2 ** 40, 0, 2 ** 40])).toBe(0);
  });

  it('refuses extents and products that no tensor has', () => {
    expect(() => elementCount([-1])).toThrow(LoadError);
    expect(() => elementCount([1.5])).toThrow(LoadError);
    expect(() => elementCount([2 ** 62])).toThrow(LoadError);
    expect(() => elementCount([2 ** 30, 2 ** 30])).toThrow(/more than 2\^53 elements/);
  });
});

describe('packedByteLength', () => {
  it('packs types below a byte and rounds up to whole bytes', () => {
    expect(packedByteLength('int4', [3])).toBe(2);
    expect(packedByteLength('uint2', [5])).toBe(2);
    expect(packedByteLength('float64', [2, 2])).toBe(32);
    expect(packedByteLength('string', [7])).toBe(0);
    expect(bitsPerElement('complex128')).toBe(128);
  });
});

describe('formatDims', () => {
  it('shows unknown extents as ? and cuts long lists', () => {
    expect(formatDims([1, 'batch', null])).toBe('[1, batch, ?]');
    expect(formatDims(new Array<number>(1000).fill(1))).toBe('[1, 1, 1, 1, 1, 1, 1, 1, …]');
  });
});

describe('toFloat32', () => {
  it('does not copy aligned float32', () => {
    const values = Float32Array.of(1, 2, 3);
    const read = toFloat32(constant('float32', bytesOf(values), [3]));
    expect(read.buffer).toBe(values.buffer);
    expect([...read]).toEqual([1, 2, 3]);
  });

  it('reads misaligned bytes', () => {
    const bytes = misaligned(bytesOf(Float32Array.of(1.5, -2)));
    expect([...toFloat32(constant('float32', bytes, [2]))]).toEqual([1.5, -2]);
    const wide = misaligned(bytesOf(BigInt64Array.of(-5n, 6n)));
    expect([...toFloat32(constant('int64', wide, [2]))]).toEqual([-5, 6]);
  });

  it('reads a slice of a pooled Buffer, not the pool', () => {
    const pooled = Buffer.from(bytesOf(Float32Array.of(7, 8)));
    expect([...toFloat32(constant('float32', pooled, [2]))]).toEqual([7, 8]);
  });

  // Examples of the IEEE 754 binary16 format: https://en.wikipedia.org/wiki/Half-precision_floating-point_format
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x03ff, 0.000060975551605224609375],
    [0x0400, 0.00006103515625],
    [0x3555, 0.333251953125],
    [0x3bff, 0.99951171875],
    [0x3c00, 1],
    [0x3c01, 1.0009765625],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0xc000, -2],
    [0x7e00, NaN],
  ])('reads float16 0x%s as %d', (code, value) => {
    expect(toFloat32(constant('float16', bytesOf(Uint16Array.of(code)), [1]))[0]).toBe(value);
  });

  it('reads bfloat16 as the upper half of a float32', () => {
    const codes = Uint16Array.of(0x3f80, 0xc000, 0x7f80, 0x0001, 0x4049);
    const read = toFloat32(constant('bfloat16', bytesOf(codes), [5]));
    expect([...read]).toEqual([1, -2, Infinity, Math.fround(2 ** -133), 3.140625]);
  });

  it('unpacks 4 and 2 bit types, the lowest bits first, with their sign', () => {
    // 0x8f: low nibble 15, high nibble 8. 0b11_10_01_00: 0, 1, 2, 3.
    expect([...toFloat32(constant('uint4', Uint8Array.of(0x8f, 0x03), [3]))]).toEqual([15, 8, 3]);
    expect([...toFloat32(constant('int4', Uint8Array.of(0x8f, 0x03), [3]))]).toEqual([-1, -8, 3]);
    expect([...toFloat32(constant('uint2', Uint8Array.of(0b11100100), [4]))]).toEqual([0, 1, 2, 3]);
    expect([...toFloat32(constant('int2', Uint8Array.of(0b11100100), [4]))]).toEqual([0, 1, -2, -1]);
  });

  it('reads every byte of bool but 0 as 1', () => {
    expect([...toFloat32(constant('bool', Uint8Array.of(0, 1, 255), [3]))]).toEqual([0, 1, 1]);
  });

  it.each(['string', 'float8e4m3fn', 'float4e2m1', 'complex64'] as const)('refuses %s', (dtype) => {
    expect(() => toFloat32(constant(dtype, new Uint8Array(8), [1]))).toThrow(UnsupportedError);
  });
});

describe('a scratch', () => {
  const halves = bytesOf(Float32Array.of(0.5, -1.5));

  it('holds copies that only alignment makes necessary, each until the next', () => {
    const scratch = new Scratch();
    const first = toFloat32(constant('float32', misaligned(halves), [2]), scratch);
    expect([...first]).toEqual([0.5, -1.5]);
    const second = toFloat32(constant('float32', misaligned(bytesOf(Float32Array.of(7))), [1]), scratch);
    expect([...second]).toEqual([7]);
    expect([...first]).toEqual([7, -1.5]);
  });

  it('is not used for elements that can be viewed where they are', () => {
    const view = toFloat32(constant('float32', halves, [2]), new Scratch());
    expect(view.buffer).toBe(halves.buffer);
  });
});

describe('toFloat64', () => {
  it('keeps what float32 cannot hold', () => {
    expect([...toFloat64(constant('float64', bytesOf(Float64Array.of(1 / 3)), [1]))]).toEqual([1 / 3]);
    expect([...toFloat64(constant('int32', bytesOf(Int32Array.of(2 ** 31 - 1)), [1]))]).toEqual([
      2 ** 31 - 1,
    ]);
    const large = BigUint64Array.of(2n ** 53n - 1n, 2n ** 64n - 1n);
    expect([...toFloat64(constant('uint64', bytesOf(large), [2]))]).toEqual([2 ** 53 - 1, 2 ** 64]);
  });
});

describe('toInts', () => {
  const int64 = (...values: bigint[]): ConstantData =>
    constant('int64', bytesOf(BigInt64Array.from(values)), [values.length]);

  it('reads int64 exactly up to 2^53', () => {
    expect(toInts(int64(-1n, 0n, 2n ** 53n - 1n, 1n - 2n ** 53n))).toEqual([-1, 0, 2 ** 53 - 1, 1 - 2 ** 53]);
  });

  it('reads the ends that exporters write for "to the end" as the largest integers', () => {
    const max = Number.MAX_SAFE_INTEGER;
    expect(toInts(int64(2n ** 63n - 1n, 2n ** 63n - 2n, -(2n ** 63n), 1n - 2n ** 63n))).toEqual([
      max,
      max,
      -max,
      -max,
    ]);
  });

  it('refuses other integers beyond 2^53, naming them', () => {
    expect(() => toInts(int64(2n ** 60n))).toThrow(/1152921504606846976/);
  });

  it('reads narrow types and bool, and refuses floats', () => {
    expect(toInts(constant('int4', Uint8Array.of(0x78), [2]))).toEqual([-8, 7]);
    expect(toInts(constant('bool', Uint8Array.of(2), [1]))).toEqual([1]);
    expect(() => toInts(constant('float32', new Uint8Array(4), [1]))).toThrow(/integers are wanted.*float32/);
  });
});
