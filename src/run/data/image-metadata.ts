/**
 * What the metadata of a TFLite file says about images: NormalizationOptions and ImageProperties of
 * https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs,
 * which the loader hands on as `tflite.input.<position>.mean`, `.std` and `.color`.
 */
import type { Normalization } from './presets.js';

export interface ImageMetadata {
  /** value = (pixel - mean) / std. */
  readonly normalization?: Normalization;
  readonly color?: 'rgb' | 'gray';
  /** Why a normalization that is there cannot be used. */
  readonly unusable?: string;
}

/** One number per channel at most, of as many digits as a double has. */
const MAX_LENGTH = 200;

/**
 * Malformed entries, of which files in the wild have some, are not used; of numbers it is said.
 *
 * @param metadata key/value pairs of the model file.
 * @param position of the input in the model.
 */
export function imageMetadata(metadata: ReadonlyMap<string, string>, position = 0): ImageMetadata {
  const field = (name: string): string | undefined => metadata.get(`tflite.input.${position}.${name}`);
  const color = field('color');
  return {
    ...normalizationOf(field('mean'), field('std')),
    ...(color === 'rgb' || color === 'gray' ? { color } : {}),
  };
}

function normalizationOf(
  meanText: string | undefined,
  stdText: string | undefined,
): Pick<ImageMetadata, 'normalization' | 'unusable'> {
  if (meanText === undefined && stdText === undefined) return {};
  const mean = numbersOf(meanText);
  const std = numbersOf(stdText);
  if (mean !== undefined && std !== undefined && std.every((value) => value > 0)) {
    return { normalization: { units: '0..255', mean, std } };
  }
  const shown = (text = 'absent'): string => text.slice(0, 40);
  return {
    unusable: `mean ${shown(meanText)}, std ${shown(stdText)}: one number or three of each are wanted, std above 0`,
  };
}

/** One or three finite numbers separated by commas. */
function numbersOf(text: string | undefined): readonly number[] | undefined {
  if (text === undefined || text.length > MAX_LENGTH) return undefined;
  const items = text.split(',').map((item) => item.trim());
  const numbers = items.map(Number);
  const wellFormed = !items.includes('') && numbers.every(Number.isFinite);
  return wellFormed && (items.length === 1 || items.length === 3) ? numbers : undefined;
}
