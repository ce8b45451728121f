/** Codes of a quantized input: the very integers that the model in the user's file takes. */
import { DataError } from '../../errors.js';
import type { QDType } from '../../ir/lane.js';
import { QRANGE } from '../../ir/lane.js';
import type { FeedDType } from './convert.js';
import type { Elements, InputQuant } from './dataset.js';

/** Types of arrays that hold codes: for those of less than a byte, which no array file has, one byte each. */
const CODE_TYPES: Readonly<Record<QDType, FeedDType>> = {
  int2: 'int8',
  int4: 'int8',
  uint4: 'uint8',
  int8: 'int8',
  uint8: 'uint8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  int64: 'int64',
};

/** Type of the elements of an array of codes. */
export function codeType({ dtype }: InputQuant): FeedDType {
  return CODE_TYPES[dtype];
}

/**
 * The values that codes stand for: (code - zeroPoint) * scale, rounded once to float32. Quantizing them gives codes of up
 * to 16 bits again.
 *
 * @param codes elements of type `codeType(quant)`.
 * @throws DataError when a code is beyond the range of the type; the message is the reason alone.
 */
export function valuesOfCodes(codes: Elements, { dtype, scale, zeroPoint }: InputQuant): Float32Array {
  const [lowest, highest] = QRANGE[dtype];
  const values = new Float32Array(codes.length);
  for (let i = 0; i < values.length; i++) {
    const code = Number(codes[i]!);
    if (code < lowest || code > highest) {
      throw new DataError(`its element ${i} is ${code}; ${lowest} to ${highest} are ${dtype} codes`);
    }
    values[i] = (code - zeroPoint) * scale;
  }
  return values;
}

/** What a code stands for, such as `(code + 128) * 0.003921569`. */
export function formulaOfCodes({ scale, zeroPoint }: InputQuant): string {
  return affineText('code', zeroPoint, scale);
}

/** `(variable - offset) * scale` without what changes nothing. */
export function affineText(variable: string, offset: number, scale: number): string {
  const shifted = offset === 0 ? variable : `${variable} ${offset < 0 ? '+' : '-'} ${Math.abs(offset)}`;
  if (scale === 1) return shifted;
  return `${offset === 0 ? shifted : `(${shifted})`} * ${+scale.toPrecision(7)}`;
}
