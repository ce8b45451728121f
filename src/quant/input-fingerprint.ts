/**
 * Which preprocessing the parameters of an input quantizer imply. Calibration sets them from preprocessed data, and natural images reach
 * both ends of their range, so the range of the quantizer is that of the preprocessing: scale 1/255 is pixel / 255, scale 2/255 around the
 * middle is pixel / 127.5 - 1, scale 0.0187 at zero point 114 is ImageNet's mean and standard deviation.
 */
import type { QuantParams } from '../ir/lane.js';
import { roundHalfEven } from './affine.js';
import { normalizedRange, type InputNormalization } from './input-normalization.js';

/** value = (pixel - mean) / std, pixels of 0 to 255; one number for all channels, or three in RGB order. */
export interface PixelNormalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

interface Family {
  readonly family: string;
  readonly formula: string;
  readonly pixels: PixelNormalization;
}

export interface ImpliedFamily extends Family {
  /** How far the ends of the quantizer's range are from those of the family, as a share of the family's width. */
  readonly distance: number;
}

export interface ImpliedPreprocessing extends ImpliedFamily {
  /** The ends agree within what rounding the zero point does; else they are near, as with calibration data that did not reach both. */
  readonly isExact: boolean;
  /** Others that fit no worse than rounding lets tell, nearest first. */
  readonly alternatives: readonly ImpliedFamily[];
}

/** Means and standard deviations of data sets, in units of 0 to 1 as their projects write them. */
const DATASETS: readonly (readonly [family: string, mean: readonly number[], std: readonly number[]])[] = [
  ['imagenet', [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
  ['clip', [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]],
  ['cifar10', [0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]],
  ['cifar10-0.2', [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]],
  ['cifar100', [0.5071, 0.4865, 0.4409], [0.2673, 0.2564, 0.2762]],
  ['mnist', [0.1307], [0.3081]],
];

/** Commoner ones first: of two that fit equally well, the first is taken. */
const FAMILIES: readonly Family[] = [
  plain('unit', 'pixel / 255', 0, 255),
  plain('tf', 'pixel / 127.5 - 1', 127.5, 127.5),
  plain('raw', 'pixel', 0, 1),
  ...DATASETS.map(([family, mean, std]) => ({
    family,
    formula: `(pixel / 255 - mean) / std, mean ${mean.join(', ')}, std ${std.join(', ')}`,
    pixels: { mean: mean.map((value) => 255 * value), std: std.map((value) => 255 * value) },
  })),
  {
    family: 'caffe',
    formula: 'pixel - mean, mean 123.68, 116.78, 103.94',
    pixels: { mean: [123.68, 116.78, 103.94], std: [1, 1, 1] },
  },
  plain('face', '(pixel - 127.5) / 128', 127.5, 128),
  plain('tf-128', '(pixel - 128) / 128', 128, 128),
  plain('centered', 'pixel / 255 - 0.5', 127.5, 255),
  plain('shifted', 'pixel - 128', 128, 1),
  plain('half', 'pixel / 128', 0, 128),
];

function plain(family: string, formula: string, mean: number, std: number): Family {
  return { family, formula, pixels: { mean: [mean], std: [std] } };
}

/** Up to one and a half steps of 8 bits: zero points are rounded, and conventions differ by a step (127.5 or 128). */
const EXACT = 1.5 / 255;
/** Calibration images that do not reach both ends. */
const NEAR = 0.05;
/** Of a symmetric scale, which is not rounded. */
const SYMMETRIC = 1e-3;

type RangeParams = Pick<QuantParams, 'scale' | 'zeroPoint' | 'qmin' | 'qmax'>;

/** Real values that the first and the last code stand for; of the widest channel where there are several scales. */
export function realRange({ scale, zeroPoint, qmin, qmax }: RangeParams): { min: number; max: number } {
  let [min, max] = [Infinity, -Infinity];
  scale.forEach((step, i) => {
    const point = zeroPoint[i] ?? 0;
    min = Math.min(min, (qmin - point) * step);
    max = Math.max(max, (qmax - point) * step);
  });
  return { min, max };
}

/**
 * The preprocessing of images that the range of an input quantizer implies.
 *
 * @param params of the input, or of the first tensor behind `normalization`
 * @param normalization what the network itself does to the input before the quantizer
 * @returns undefined when there are several scales, no usable one, or none of the known preprocessings is near
 */
export function impliedPreprocessing(
  params: RangeParams,
  normalization?: InputNormalization,
): ImpliedPreprocessing | undefined {
  const [step = NaN] = params.scale;
  if (params.scale.length !== 1 || !(step > 0 && Number.isFinite(step))) return undefined;
  const fits = FAMILIES.map((family): ImpliedFamily => ({
    ...family,
    distance: distanceOf(family, params, normalization),
  }))
    .filter(({ distance }) => distance <= NEAR)
    // Among those that rounding does not tell apart, the order of FAMILIES decides.
    .sort((a, b) => (a.distance <= EXACT && b.distance <= EXACT ? 0 : a.distance - b.distance));
  const [best, ...others] = fits;
  if (best === undefined) return undefined;
  const isExact = best.distance <= EXACT;
  const rivals = others.filter(({ distance }) => !isExact || distance <= EXACT);
  return { ...best, isExact, alternatives: rivals.sort((a, b) => a.distance - b.distance) };
}

/** Preprocessings whose pixels have this range of values, nearest first; of those equally near, commoner ones first. */
export function familiesOfRange({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): readonly ImpliedFamily[] {
  return FAMILIES.map((family): ImpliedFamily => {
    const wanted = pixelRange(family.pixels);
    const off = Math.max(Math.abs(min - wanted.min), Math.abs(max - wanted.max));
    return { ...family, distance: off / (wanted.max - wanted.min) };
  })
    .filter(({ distance }) => distance <= NEAR)
    .sort((a, b) => (a.distance <= EXACT && b.distance <= EXACT ? 0 : a.distance - b.distance));
}

/**
 * What a network that normalizes its input itself is made for: pixels of 0 to 255, or of 0 to 1. Undefined when its constants are those of
 * no known preprocessing: they may stand for anything.
 */
export function expectedPixels(normalization: InputNormalization): 'raw' | 'unit' | undefined {
  const isKnown = (max: number): boolean =>
    familiesOfRange(normalizedRange(normalization, { min: 0, max })).some(
      ({ distance }) => distance <= EXACT,
    );
  const { factor, offset } = normalization;
  const changesNothing = factor.every((by) => by === 1) && offset.every((plus) => plus === 0);
  if (changesNothing) return undefined;
  if (isKnown(255)) return 'raw';
  return isKnown(1) ? 'unit' : undefined;
}

/** Of two ends, the one that is further off. */
function distanceOf(
  { pixels }: Family,
  params: RangeParams,
  normalization: InputNormalization | undefined,
): number {
  const prepared = pixelRange(pixels);
  const wanted = withZero(normalization === undefined ? prepared : normalizedRange(normalization, prepared));
  const { min, max } = realRange(params);
  const width = wanted.max - wanted.min;
  const ends = Math.max(Math.abs(min - wanted.min), Math.abs(max - wanted.max)) / width;
  // Around zero point 0 a signed type says how large values get, not which of them are negative.
  if (params.zeroPoint[0] !== 0 || params.qmin >= 0) return ends;
  const off = Math.abs(max / Math.max(-wanted.min, wanted.max) - 1);
  return off <= SYMMETRIC ? Math.min(off, ends) : ends;
}

/** Every quantizer's range contains 0. */
function withZero({ min, max }: { min: number; max: number }): { min: number; max: number } {
  return { min: Math.min(0, min), max: Math.max(0, max) };
}

/** Smallest and largest value that pixels of 0 to 255 get in any channel. */
export function pixelRange({ mean, std }: PixelNormalization): { min: number; max: number } {
  const lows = mean.map((value, channel) => -value / (std[channel] ?? std[0] ?? 1));
  const highs = mean.map((value, channel) => (255 - value) / (std[channel] ?? std[0] ?? 1));
  return { min: Math.min(...lows), max: Math.max(...highs) };
}

/** How pixels become codes when the preprocessing and the quantizer are taken together: code = clamp(round(pixel * slope + offset)). */
export interface PixelCodes {
  /** One for all channels, or one for each. */
  readonly slope: readonly number[];
  readonly offset: readonly number[];
  /** Where no code is more than one step from pixel + shift: what to add to a pixel to have its code. */
  readonly shift?: number;
  /** Largest difference between pixel + shift and the code, in codes. */
  readonly difference?: number;
}

/** @param params with one scale that is a positive number */
export function pixelCodes({ mean, std }: PixelNormalization, params: RangeParams): PixelCodes {
  const [step = 1] = params.scale;
  const [point = 0] = params.zeroPoint;
  const slope = std.map((value) => 1 / (value * step));
  const offset = mean.map((value, channel) => point - value / ((std[channel] ?? std[0] ?? 1) * step));
  const shift = params.qmin;
  let difference = 0;
  for (let channel = 0; channel < mean.length; channel++) {
    for (let pixel = 0; pixel < 256; pixel++) {
      const exact = roundHalfEven(pixel * (slope[channel] ?? 0) + (offset[channel] ?? 0));
      const code = Math.min(params.qmax, Math.max(params.qmin, exact));
      difference = Math.max(difference, Math.abs(code - pixel - shift));
    }
  }
  const isPixel = difference <= 1 && params.qmax - params.qmin === 255;
  return { slope, offset, ...(isPixel ? { shift, difference } : {}) };
}
