/** The line that brings pixels into the form that a network takes. */
import type { ImpliedFamily } from '../quant/input-fingerprint.js';
import type { SeenInput } from './seen-input.js';

/** Of which qdbg has a preset of the same name. */
const PRESETS: ReadonlySet<string> = new Set(['unit', 'tf', 'raw', 'imagenet', 'caffe', 'face', 'centered']);

type Wanted = Pick<ImpliedFamily, 'family' | 'formula' | 'pixels'>;

/**
 * Flags of qdbg for images, a line of Python for arrays. `img` has pixels of 0 to 255.
 *
 * @param wanted undefined when no known preprocessing has the range of the quantizer
 */
export function correctionTo(
  wanted: Wanted | 'raw' | 'unit' | undefined,
  seen: Pick<SeenInput, 'kind'> | undefined,
): string {
  if (wanted === undefined) return 'x = preprocess(img), the same function as for the calibration';
  const isImages = seen?.kind === 'images';
  if (typeof wanted === 'string') {
    if (isImages) return `--preset ${wanted}`;
    return wanted === 'raw' ? 'x = img' : 'x = img / 255';
  }
  const { family, formula, pixels } = wanted;
  if (!isImages) return `x = ${formula.replaceAll('pixel', 'img')}`;
  if (PRESETS.has(family)) return `--preset ${family}`;
  const list = (values: readonly number[]): string => values.map((value) => +value.toPrecision(6)).join(',');
  return `--mean ${list(pixels.mean)} --std ${list(pixels.std)}`;
}
