/** What the numbers of a dumped tensor are: its codes, the values they stand for, or codes read as another type. */
import type { DType } from '../../ir/graph.js';
import { QRANGE } from '../../ir/lane.js';
import { dequantize } from '../../quant/affine.js';
import type { Values } from '../other/sums.js';
import type { Target } from '../other/targets.js';
import type { Form } from './names.js';

/** `shifted`: codes with half the range added or taken off, `wrapped`: the bits of codes as those of the other sign. */
export type Meaning = 'values' | 'codes' | 'shifted' | 'wrapped';

/**
 * The meaning under which the numbers are nearest to the simulation. Where two are equally near, integers are codes and floats
 * values, unless the name says otherwise.
 *
 * @param numbers in the tensor's order of axes, of one sample
 */
export function meaningOf(
  numbers: Values,
  dtype: DType,
  form: Form,
  target: Target,
  simulated: Values,
): Meaning {
  if (target.coding === undefined) return 'values';
  const isInteger = /^u?int/.test(dtype);
  const likely: Meaning[] = form === 'codes' || isInteger ? ['codes', 'values'] : ['values', 'codes'];
  const meanings: Meaning[] = [...likely, 'wrapped', 'shifted'];
  let best: Meaning = isInteger ? 'codes' : 'values';
  let least = Infinity;
  for (const meaning of meanings) {
    const actual = read(numbers, meaning, target);
    if (actual === undefined) continue;
    const values =
      actual instanceof Int32Array ? dequantize(actual, target.dims, target.coding.decode) : actual;
    const distance = distanceOf(values, simulated);
    if (distance < least) {
      best = meaning;
      least = distance;
    }
  }
  return best;
}

/** Codes or values of the tensor; undefined where the numbers cannot have the meaning. */
export function read(numbers: Values, meaning: Meaning, { coding }: Target): Int32Array | Values | undefined {
  if (meaning === 'values' || coding === undefined) return numbers;
  const [lowest, highest] = QRANGE[coding.decode.dtype];
  const range = highest - lowest + 1;
  // The limits of the type of the same width with the other sign.
  const otherLowest = lowest < 0 ? 0 : -range / 2;
  const from = meaning === 'codes' ? lowest : otherLowest;
  const codes = new Int32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i]!;
    if (!Number.isInteger(number) || number < from || number >= from + range) return undefined;
    if (meaning === 'shifted') codes[i] = number - otherLowest + lowest;
    else if (number > highest) codes[i] = number - range;
    else codes[i] = number < lowest ? number + range : number;
  }
  return codes;
}

function distanceOf(values: Values, simulated: Values): number {
  let distance = 0;
  for (let i = 0; i < values.length; i++) {
    const error = values[i]! - simulated[i]!;
    if (Number.isFinite(error)) distance += error * error;
  }
  return distance;
}

/** For the report: "raw codes", "dequantized values". */
export function describeMeaning(meaning: Meaning, dtype: DType, { coding }: Target): string {
  if (coding === undefined) return `values (${dtype})`;
  switch (meaning) {
    case 'values':
      return `dequantized values (${dtype})`;
    case 'codes':
      return `raw codes (${dtype})`;
    case 'shifted':
      return `raw codes (${dtype}), half the range too ${QRANGE[coding.decode.dtype][0] < 0 ? 'high' : 'low'}`;
    case 'wrapped':
      return `raw codes (${dtype}), bits of ${coding.decode.dtype} read with the other sign`;
  }
}
