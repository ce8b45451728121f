/** Mean and standard deviation: whose they are, and in which units. */
import { UsageError } from '../../errors.js';
import type { Assumption, InputQuant } from './dataset.js';
import { affineText } from './input-codes.js';
import type { Normalization, PixelCodes } from './presets.js';

/** Beyond this a mean or a standard deviation cannot be meant for pixels of 0 to 1. */
const LARGEST_UNIT = 1.5;

/** A setting and where it comes from. */
export interface Choice<T> {
  readonly value: T;
  readonly from: Assumption['from'];
}

/**
 * The given normalization with the user's mean and std in its place. Units are read off the user's numbers.
 *
 * @param given what holds where the user says nothing, and where it comes from.
 * @throws UsageError when the numbers are not one per channel, not finite, zero as std, or of mixed units.
 */
export function chooseNormalization(
  flags: { readonly mean?: readonly number[] | undefined; readonly std?: readonly number[] | undefined },
  given: Choice<Normalization>,
  channels: 1 | 3,
  assumed: Assumption[],
): Normalization {
  const { mean, std } = flags;
  if (mean === undefined && std === undefined) {
    const normalization = forChannels(given.value, channels);
    assumed.push({ what: 'normalization', value: formula(normalization), from: given.from });
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
  const rest = forChannels(inUnits(given.value, units), channels);
  const normalization: Normalization = { units, mean: mean ?? rest.mean, std: std ?? rest.std };
  assumed.push({ what: 'normalization', value: formula(normalization), from: 'flag' });
  return normalization;
}

/** Pixels as the codes of a quantized input. */
export interface CodesOfPixels {
  readonly values: PixelCodes;
  /** Such as `(pixel - 128) * 0.0078125, so that the code is the pixel`. */
  readonly text: string;
}

/**
 * What applications feed an integer model that takes images: uint8 inputs the pixels, int8 inputs the pixels - 128.
 *
 * @param described the normalization in the model's metadata.
 * @returns undefined for other types, for which there is no such custom, and when the metadata says otherwise.
 */
export function codesOfPixels(
  quant: InputQuant | undefined,
  described: Normalization | undefined,
): CodesOfPixels | undefined {
  if (quant?.dtype !== 'uint8' && quant?.dtype !== 'int8') return undefined;
  // Mean 0 and std 1 are how authors of integer models say that nothing is to be normalized.
  if (described !== undefined && !changesNothing(described)) return undefined;
  const { dtype, scale, zeroPoint } = quant;
  const mean = zeroPoint + (dtype === 'int8' ? 128 : 0);
  const code = dtype === 'int8' ? 'pixel - 128' : 'the pixel';
  const text = `${affineText('pixel', mean, scale)}, so that the code is ${code}`;
  return { values: { mean, scale }, text };
}

function changesNothing({ mean, std }: Normalization): boolean {
  return mean.every((value) => value === 0) && std.every((value) => value === 1);
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
function formula(normalization: Normalization): string {
  const { units, mean, std } = normalization;
  const pixel = units === '0..1' ? 'pixel / 255' : 'pixel';
  if (changesNothing(normalization)) return pixel;
  const list = (values: readonly number[]): string => values.map((value) => +value.toPrecision(7)).join(',');
  return `(${pixel} - mean) / std, mean ${list(mean)}, std ${list(std)}`;
}
