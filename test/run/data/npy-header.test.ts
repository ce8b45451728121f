import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { headerExtent, parseHeader } from '../../../src/run/data/npy-header.js';

const parse = (text: string): ReturnType<typeof parseHeader> => parseHeader(text, 128);

describe('parseHeader', () => {
  it('reads the header that numpy writes', () => {
    expect(parse("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n")).toEqual({
      dtype: 'float32',
      bigEndian: false,
      fortran: false,
      dims: [3, 4],
      dataOffset: 128,
    });
  });

  it.each([
    [
      'double quotes and another order of keys',
      `{"shape": (2,), "descr": ">i8", "fortran_order": True}`,
      [2],
    ],
    ['no spaces', "{'descr':'|u1','fortran_order':False,'shape':(5,6,7)}", [5, 6, 7]],
    ['a scalar', "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", []],
    [
      'the long integers of Python 2',
      "{'descr': '<f4', 'fortran_order': False, 'shape': (10L, 3L), }",
      [10, 3],
    ],
  ])('reads %s', (_, text, dims) => {
    expect(parse(text).dims).toEqual(dims);
  });

  it.each([
    ['nothing', ''],
    ['no dict', "['descr']"],
    ['an open dict', "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), "],
    ['text after the dict', "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } + evil"],
    ['a missing key', "{'descr': '<f4', 'shape': (3, 4), }"],
    ['an unknown key', "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}"],
    ['a key twice', "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (3,)}"],
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }"],
    ['a number for a shape', "{'descr': '<f4', 'fortran_order': False, 'shape': (3), }"],
    ['a gap in the shape', "{'descr': '<f4', 'fortran_order': False, 'shape': (3,,4), }"],
    ['no commas between', "{'descr': '<f4' 'fortran_order': False 'shape': (3,) }"],
    ['another truth value', "{'descr': '<f4', 'fortran_order': 1, 'shape': (3,), }"],
    ['too many dimensions', `{'descr': '<f4', 'fortran_order': False, 'shape': (${'1,'.repeat(65)}), }`],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(/malformed/);
  });

  it('refuses a shape beyond every file instead of rounding it', () => {
    const shape = '(4294967296, 4294967296)';
    expect(() => parse(`{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`)).toThrow(/beyond/);
  });

  it.each([
    ["'|O'", /Python objects/],
    ["'<c8'", /type '<c8'/],
    ["'<U1'", /bool, integers and floats/],
    ["'|V2'", /bool, integers and floats/],
    ["[('a', '<f4'), ('b', '<i4')]", /elements of type \[\('a'/],
  ])('refuses elements %s by their name', (descr, reason) => {
    expect(() => parse(`{'descr': ${descr}, 'fortran_order': False, 'shape': (3,), }`)).toThrow(reason);
  });

  it('does not hang on a long hostile header', () => {
    const started = performance.now();
    expect(() => parse(`{${"'a': (".repeat(10_000)}`)).toThrow(DataError);
    expect(() => parse(`{'shape': (${'1'.repeat(60_000)}`)).toThrow(DataError);
    expect(() => parse(`{'descr': '<f4'${' '.repeat(60_000)}`)).toThrow(DataError);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('headerExtent', () => {
  const preamble = (...bytes: number[]): Uint8Array =>
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, ...bytes);

  it('has a length of two bytes in version 1 and of four after it', () => {
    expect(headerExtent(preamble(1, 0, 0x76, 0, 0x7b, 0x27))).toEqual({ start: 10, end: 128 });
    expect(headerExtent(preamble(2, 0, 0x74, 0, 0, 0))).toEqual({ start: 12, end: 128 });
    expect(headerExtent(preamble(3, 0, 0x74, 0, 0, 0))).toEqual({ start: 12, end: 128 });
  });

  it.each([
    ['an image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4, 5, 6, 7, 8), /does not begin with/],
    ['version 4', preamble(4, 0, 1, 0, 0, 0), /version is 4; 1 to 3/],
    ['a file that ends', preamble(1, 0), /ends inside/],
    ['a header of 4 GB', preamble(2, 0, 255, 255, 255, 255), /4294967295 bytes/],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => headerExtent(bytes)).toThrow(reason);
  });
});
