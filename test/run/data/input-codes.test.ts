import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/errors.js';
import { codeType, formulaOfCodes, valuesOfCodes } from '../../../src/run/data/input-codes.js';

describe('codes', () => {
  // numpy: (codes.astype(int32) - zero_point).astype(float32) * float32(scale)
  it.each([
    [
      'int8',
      0.5847029089927673,
      83,
      Int8Array.of(-128, -1, 0, 83, 127),
      [-123.372314453125, -49.11504364013672, -48.53034210205078, 0, 25.7269287109375],
    ],
    [
      'int8',
      0.003921568859368563,
      -128,
      Int8Array.of(-128, -127, 0, 127),
      [0, 0.003921568859368563, 0.501960813999176, 1],
    ],
    ['uint8', 0.0078125, 128, Uint8Array.of(0, 128, 255), [-1, 0, 0.9921875]],
    [
      'int16',
      3.0518509447574615e-5,
      0,
      Int16Array.of(-32768, -1, 0, 32767),
      [-1.000030517578125, -3.0518509447574615e-5, 0, 1],
    ],
    ['int4', 0.5, 1, Int8Array.of(-8, 7), [-4.5, 3]],
    ['int64', 0.25, 0, BigInt64Array.of(-4n, 8n), [-1, 2]],
  ] as const)(
    'of %s stand for (code - zero point) * scale, as in numpy',
    (dtype, scale, zeroPoint, q, want) => {
      expect(valuesOfCodes(q, { dtype, scale, zeroPoint })).toEqual(Float32Array.from(want));
    },
  );

  it('beyond the range of a type of less than a byte are refused', () => {
    const quant = { dtype: 'int4', scale: 1, zeroPoint: 0 } as const;
    expect(codeType(quant)).toBe('int8');
    expect(() => valuesOfCodes(Int8Array.of(0, 8), quant)).toThrow(DataError);
    expect(() => valuesOfCodes(Int8Array.of(0, 8), quant)).toThrow(
      'its element 1 is 8; -8 to 7 are int4 codes',
    );
  });

  it.each([
    [0.0078125, 128, '(code - 128) * 0.0078125'],
    [0.003921568859368563, -128, '(code + 128) * 0.003921569'],
    [0.5, 0, 'code * 0.5'],
    [1, -128, 'code + 128'],
    [1, 0, 'code'],
  ])('of scale %d and zero point %d have the formula %s', (scale, zeroPoint, text) => {
    expect(formulaOfCodes({ dtype: 'int8', scale, zeroPoint })).toBe(text);
  });
});
