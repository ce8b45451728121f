/**
 * Numbers to IEEE 754 binary16 bits, written by hand because Node 20 has no Float16Array. The other direction is
 * `toFloat32` in src/ir/elements.ts.
 */
import { roundHalfEven } from '../../quant/affine.js';

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Bits of the nearest binary16 of each value, halves to even; Inf beyond ±65504 (rounded), NaN a quiet NaN. */
export function toFloat16Bits(values: ArrayLike<number>): Uint16Array {
  return Uint16Array.from(values, toBits);
}

function toBits(value: number): number {
  double[0] = value;
  const highWord = words[1]!; // little-endian, as every platform of ONNX Runtime
  const sign = (highWord >>> 16) & 0x8000;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return sign | 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, ((highWord >>> 20) & 0x7ff) - 1023);
  // In steps of the last place: 1024 to 2048 for normal numbers, where 2048 carries into the exponent; less for others.
  const steps = roundHalfEven(magnitude * 2 ** (10 - exponent));
  return sign | (((exponent + 14) << 10) + steps);
}
