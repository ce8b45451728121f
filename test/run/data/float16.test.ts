import { expect, it } from 'vitest';
import { toFloat16Bits } from '../../../src/run/data/float16.js';
import { reference } from './support.js';

it('rounds to the half-precision numbers that numpy rounds to', () => {
  const { data } = reference('float16/from');
  expect(Array.from(toFloat16Bits(data as Float64Array))).toEqual(
    Array.from(reference('float16/to').data as Uint16Array),
  );
});

it('keeps NaN', () => {
  const [bits] = toFloat16Bits([NaN]);
  expect(bits! & 0x7c00).toBe(0x7c00);
  expect(bits! & 0x3ff).not.toBe(0);
});
