/** Fixed-point arithmetic of TFLite's kernels on whole tensors of float64 integers: what fixed-point.ts does on numbers. */
import { ONNX_DATA_TYPE } from '../../ir/onnx-data-type.js';
import type { ModelWriter, Value } from '../model-writer.js';
import type { Affine } from './affine.js';
import { Doubles, scalar } from './doubles.js';
import type { QuantizedMultiplier } from './fixed-point.js';

/** floor((x · multiplier + 2^30) / 2^31) of 32-bit integers. The product is taken in two halves: it has 62 bits. */
export function highProduct(doubles: Doubles, x: Value, multiplier: number): Value {
  const high = Math.floor(multiplier / 65536);
  const low = (multiplier - high * 65536) / 65536;
  const lower = doubles.floor(doubles.plus(doubles.times(x, scalar(low)), scalar(2 ** 14)));
  const sum = doubles.sum(doubles.times(x, scalar(high)), lower);
  return doubles.floor(doubles.times(sum, scalar(2 ** -15)));
}

/** The same of two tensors. */
export function highProductOf(writer: ModelWriter, x: Value, y: Value): Value {
  const doubles = new Doubles(writer);
  const high = doubles.floor(doubles.times(y, scalar(2 ** -16)));
  const low = doubles.sum(doubles.times(y, scalar(2 ** -16)), doubles.times(high, scalar(-1)));
  const lower = doubles.floor(doubles.plus(writer.op('Mul', [x, low]), scalar(2 ** 14)));
  const sum = doubles.sum(writer.op('Mul', [x, high]), lower);
  return doubles.floor(doubles.times(sum, scalar(2 ** -15)));
}

/** MultiplyByQuantizedMultiplier of 32-bit integers, for multipliers of any size. */
export function multipliedBy(doubles: Doubles, x: Value, { multiplier, shift }: QuantizedMultiplier): Value {
  const shifted = doubles.times(x, scalar(2 ** Math.max(shift, 0)));
  const product = highProduct(doubles, shifted, multiplier);
  return shift < 0 ? doubles.round(doubles.times(product, scalar(2 ** shift))) : product;
}

/** floor(log2(x)) of integers from 1. The logarithm of a power of two may come out just below. */
export function log2Floor(writer: ModelWriter, x: Value): Value {
  const doubles = new Doubles(writer);
  const log2 = doubles.times(writer.op('Log', [x]), scalar(1 / Math.LN2));
  return doubles.floor(doubles.plus(log2, scalar(1e-11)));
}

export function power2(writer: ModelWriter, exponent: Value): Value {
  return writer.op('Pow', [writer.literal('float64', [2], []), exponent]);
}

/** Float64 integers plus the zero point, cut to the codes of the type, as float32. */
export function toCodes(writer: ModelWriter, value: Value, { zeroPoint, lowest, highest }: Affine): Value {
  const doubles = new Doubles(writer);
  const codes = doubles.clip(doubles.plus(value, scalar(zeroPoint)), lowest, highest);
  return writer.op('Cast', [codes], { to: ONNX_DATA_TYPE.float32 });
}
