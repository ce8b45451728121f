import { expect, it } from 'vitest';
import { fortranRows } from '../../../src/run/data/fortran.js';
import { counting } from './support.js';

/** The array [6, 3, 4] whose row-major elements count up, laid out in Fortran order. */
function stored(): Float32Array {
  const out = new Float32Array(72);
  for (let a = 0; a < 6; a++)
    for (let b = 0; b < 3; b++) for (let c = 0; c < 4; c++) out[a + 6 * (b + 3 * c)] = a * 12 + b * 4 + c;
  return out;
}

it.each([
  ['all rows', 10_000],
  ['two rows', 2 * 48],
  ['one row', 48],
  ['less than a row', 4],
])('gives rows in row-major order with a block of %s', async (_, blockBytes) => {
  const file = stored();
  let largest = 0;
  const rows = fortranRows(
    [6, 3, 4],
    'float32',
    (first, count) => {
      largest = Math.max(largest, count * 4);
      return Promise.resolve(file.slice(first, first + count));
    },
    blockBytes,
  );
  for (const row of [0, 1, 3, 5]) {
    expect(Array.from(await rows(row, 1), Number)).toEqual(counting(12, row * 12));
  }
  expect(Array.from(await rows(4, 2), Number)).toEqual(counting(24, 48));
  expect(largest).toBeLessThanOrEqual(Math.max(blockBytes, 24));
});
