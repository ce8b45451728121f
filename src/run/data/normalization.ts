/** Mean and standard deviation: whose they are, in which units, and what they make of each of the 256 pixel values. */
import { UsageError } from '../../errors.js';
import type { DType } from '../../ir/graph.js';
import type { Assumption } from './dataset.js';
import { toFloat16Bits } from './float16.js';
import type { Normalization, Preset } from './presets.js';

/** Beyond this a mean or a standard deviation cannot be meant for pixels of 0 to 1. */
const LARGEST_UNIT = 1.5;

/**
 * The normalization of the preset with the user's mean and std in its place. Units are read off the user's numbers.
 *
 * @throws UsageError when the numbers are not one per channel, not finite, zero as std, or of mixed units.
 */
export function chooseNormalization(
  flags: { readonly mean?: readonly number[] | undefined; readonly std?: readonly number[] | undefined },
  preset: Preset,
  channels: 1 | 3,
  assumed: Assumption[],
  settingsFrom: Assumption['from'],
): Normalization {
  const { mean, std } = flags;
  const ofPreset = preset.normalization;
  if (mean === undefined && std === undefined) {
    const normalization = forChannels(ofPreset, channels);
    assumed.push({ what: 'normalization', value: formula(normalization), from: settingsFrom });
    return normalization;
  }
  check('--mean', mean, channels);
  check('--std', std, channels);
  const units = unitsOf(mean, std);
  assumed.push({
    what: 'units',
    value: `${units} (${units === '0..1' ? 'no' : 'a'} mean or std is beyond ${LARGEST_UNIT})`,
    from: 'default',
  });
  const rest = forChannels(inUnits(ofPreset, units), channels);
  const normalization: Normalization = { units, mean: mean ?? rest.mean, std: std ?? rest.std };
  assumed.push({ what: 'normalization', value: formula(normalization), from: 'flag' });
  return normalization;
}

function check(flag: string, values: readonly number[] | undefined, channels: number): void {
  if (values === undefined) return;
  const shown = `${flag} ${values.join(',')}`;
  if (values.length !== 1 && values.length !== channels) {
    const wanted = channels === 1 ? 'one is wanted' : `one or ${channels} are wanted`;
    throw new UsageError(`${shown} has ${values.length} numbers; ${wanted}`, {
      hint: `${flag} ${values[0] ?? 0}`,
    });
  }
  if (!values.every(Number.isFinite)) throw new UsageError(`${shown} holds a number that is not finite`);
  if (flag === '--std' && values.some((value) => value <= 0)) {
    throw new UsageError(`${shown}: a standard deviation must be above 0`, { hint: '--std 1' });
  }
}

function unitsOf(mean: readonly number[] = [], std: readonly number[] = []): Normalization['units'] {
  const large = (values: readonly number[]): boolean =>
    values.some((value) => Math.abs(value) > LARGEST_UNIT);
  if (!large(mean) && !large(std)) return '0..1';
  // A mean of 123 beside a std of 0.229, or of 0.485 beside 58.4: one of the two would be silently meaningless.
  const meanFits = mean.length === 0 || large(mean) || mean.every((value) => value === 0);
  const stdFits = std.length === 0 || large(std) || std.every((value) => value === 1);
  if (!meanFits || !stdFits) {
    throw new UsageError(
      `--mean ${mean.join(',')} and --std ${std.join(',')} are in different units; both for pixels of 0..1 or both for 0..255 are wanted`,
      { hint: '--mean 123.675,116.28,103.53 --std 58.395,57.12,57.375' },
    );
  }
  return '0..255';
}

function inUnits({ units, mean, std }: Normalization, wanted: Normalization['units']): Normalization {
  if (units === wanted) return { units, mean, std };
  const factor = wanted === '0..255' ? 255 : 1 / 255;
  return { units: wanted, mean: mean.map((m) => m * factor), std: std.map((s) => s * factor) };
}

/** Three-channel statistics for a model with one channel: their averages. */
function forChannels({ units, mean, std }: Normalization, channels: 1 | 3): Normalization {
  const fit = (values: readonly number[]): readonly number[] =>
    values.length <= channels ? values : [values.reduce((sum, value) => sum + value, 0) / values.length];
  return { units, mean: fit(mean), std: fit(std) };
}

/** Such as `(pixel / 255 - mean) / std, mean 0.485,0.456,0.406, std 0.229,0.224,0.225`. */
function formula({ units, mean, std }: Normalization): string {
  const pixel = units === '0..1' ? 'pixel / 255' : 'pixel';
  const plain = mean.every((value) => value === 0) && std.every((value) => value === 1);
  if (plain) return pixel;
  const list = (values: readonly number[]): string => values.map((value) => +value.toPrecision(7)).join(',');
  return `(${pixel} - mean) / std, mean ${list(mean)}, std ${list(std)}`;
}

export type PixelTable =
  Float32Array | Float64Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** What each pixel value becomes: 256 entries per channel, channels in the order of the model. */
export function pixelTable(
  dtype: DType,
  normalization: Normalization | undefined,
  channels: number,
): PixelTable {
  if (normalization === undefined) return integerTable(dtype, channels);
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
