/** What each of the 256 values of a pixel becomes. */
import type { DType } from '../../ir/graph.js';
import { toFloat16Bits } from './float16.js';
import type { Normalization, PixelCodes } from './presets.js';

export type PixelTable =
  Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** What each pixel value becomes: 256 entries per channel, channels in the order of the model. */
export function pixelTable(
  dtype: DType,
  normalization: Normalization | PixelCodes | undefined,
  channels: number,
): PixelTable {
  if (normalization === undefined) return integerTable(dtype, channels);
  if ('scale' in normalization) {
    const { mean, scale } = normalization;
    return Float32Array.from({ length: 256 * channels }, (_, i) => ((i % 256) - mean) * scale);
  }
  const { units, mean, std } = normalization;
  const round = dtype === 'float64' ? (x: number): number => x : Math.fround;
  const values = new Float64Array(256 * channels);
  for (let channel = 0; channel < channels; channel++) {
    // Rounded after every step, as float32 arrays are in numpy and torch.
    const center = round(mean[channel] ?? mean[0]!);
    const spread = round(std[channel] ?? std[0]!);
    for (let pixel = 0; pixel < 256; pixel++) {
      const scaled = units === '0..1' ? round(pixel / 255) : pixel;
      values[256 * channel + pixel] = round(round(scaled - center) / spread);
    }
  }
  if (dtype === 'float64') return values;
  return dtype === 'float16' ? toFloat16Bits(values) : new Float32Array(values);
}

const INTEGER_TABLES = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
} as const;

function integerTable(dtype: DType, channels: number): PixelTable {
  const IntegerArray = INTEGER_TABLES[dtype as keyof typeof INTEGER_TABLES];
  const lowest = dtype === 'int8' ? -128 : 0;
  return new IntegerArray(Array.from({ length: 256 * channels }, (_, i) => (i % 256) + lowest));
}
