/** Codes of 2, 4 and 8 bits in bytes, the lowest bits first. */
import { elementCount } from '../../../ir/elements.js';
import type { ConstantData, DType } from '../../../ir/graph.js';
import { lazyData } from '../../../onnx/tensor.js';

/**
 * Codes without sign, one a byte, from rows that each begin at a byte.
 *
 * @param bytesPerRow of `data`
 * @param perRow codes of each row; the rest of it is padding
 */
export function unpackRows(
  data: ConstantData,
  bits: number,
  rows: number,
  bytesPerRow: number,
  perRow: number,
): Uint8Array {
  const bytes = data.bytes();
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const codes = new Uint8Array(rows * perRow);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const start = row * bytesPerRow;
    for (let i = 0; i < perRow; i++) {
      codes[to++] = (bytes[start + Math.floor(i / perByte)]! >> ((i % perByte) * bits)) & mask;
    }
  }
  return codes;
}

/** A constant of such codes in row-major order; those of 2 bits take 4, since no type of annotation is shorter. */
export function codesData(bits: number, dims: readonly number[], make: () => Uint8Array): ConstantData {
  const dtype: DType = bits === 8 ? 'uint8' : 'uint4';
  return lazyData(dtype, dims, () => (bits === 8 ? make() : nibbles(make(), elementCount(dims))));
}

function nibbles(codes: Uint8Array, count: number): Uint8Array {
  const packed = new Uint8Array(Math.ceil(count / 2));
  for (let i = 0; i < count; i++) packed[i >> 1]! |= codes[i]! << (i % 2 === 0 ? 0 : 4);
  return packed;
}
