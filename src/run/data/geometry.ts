/** Brings an image to the size of the model's input. */
import { DataError } from '../../errors.js';
import { roundHalfEven } from '../../quant/affine.js';
import type { Picture } from './dataset.js';
import type { Pixels } from './decode.js';
import type { Crop } from './presets.js';
import type { ResolvedPreprocessing } from './preprocessing.js';
import { resample } from './resample.js';

/** Where the resized image lies in the model's input, all in pixels of the input. */
export interface Fitting {
  /** Of the resized image, before anything is cut off or added. */
  readonly width: number;
  readonly height: number;
  /** Of its upper left corner; below 0 where it is cut off. */
  readonly left: number;
  readonly top: number;
}

/** @returns undefined when the image is taken as it is. */
export function fittingOf(image: Picture, preprocessing: ResolvedPreprocessing): Fitting | undefined {
  const { size, resize, keepExactSize } = preprocessing;
  if (size === undefined) return undefined;
  const [height, width] = size;
  switch (resize) {
    case 'none':
      return undefined;
    case 'stretch':
      return { width, height, left: 0, top: 0 };
    case 'letterbox':
      return letterbox(image, preprocessing, height, width);
    case 'short-side':
      if (keepExactSize && image.height === height && image.width === width) return undefined;
      return shortSide(image, preprocessing, height, width);
  }
}

/** @throws DataError when the image does not have the size it should, or is too slim to be resized. */
export function fitImage(pixels: Pixels, preprocessing: ResolvedPreprocessing): Pixels {
  const { size, resize, interpolation, padding } = preprocessing;
  if (size === undefined) return pixels;
  const [height, width] = size;
  if (resize === 'none' && (pixels.height !== height || pixels.width !== width)) {
    throw new DataError(`it is ${pixels.width}x${pixels.height}; the model takes ${width}x${height}`, {
      hint: '--resize stretch',
    });
  }
  const fitting = fittingOf(pixels, preprocessing);
  if (fitting === undefined) return pixels;
  const resized = resample(pixels, fitting.width, fitting.height, interpolation);
  if (resize === 'stretch') return resized;
  return placed(resized, fitting, height, width, padding.value);
}

/** The resized image on an area of the model's size: filled around it, cut off beyond. */
function placed(
  { data: source, width: sourceWidth, height: sourceHeight, channels }: Pixels,
  { left, top }: Fitting,
  height: number,
  width: number,
  fill: number,
): Pixels {
  const data = new Uint8Array(width * height * channels).fill(fill);
  const toLeft = Math.max(0, left);
  const fromLeft = Math.max(0, -left);
  const columns = Math.min(width - toLeft, sourceWidth - fromLeft);
  for (let y = Math.max(0, top); y < Math.min(height, top + sourceHeight); y++) {
    const from = ((y - top) * sourceWidth + fromLeft) * channels;
    data.set(source.subarray(from, from + columns * channels), (y * width + toLeft) * channels);
  }
  return { data, width, height, channels };
}

/** Scaled by one factor to fit in, the rest filled: as Ultralytics' LetterBox does. */
function letterbox(
  image: Picture,
  { padding }: ResolvedPreprocessing,
  height: number,
  width: number,
): Fitting {
  const scale = Math.min(height / image.height, width / image.width);
  const innerWidth = Math.max(1, roundHalfEven(image.width * scale));
  const innerHeight = Math.max(1, roundHalfEven(image.height * scale));
  const centered = padding.position === 'center';
  return {
    width: innerWidth,
    height: innerHeight,
    left: centered ? Math.floor((width - innerWidth) / 2) : 0,
    top: centered ? Math.floor((height - innerHeight) / 2) : 0,
  };
}

/** torchvision's Resize(size / ratio) and CenterCrop(size); models that are not square are covered likewise. */
function shortSide(image: Picture, { crop }: ResolvedPreprocessing, height: number, width: number): Fitting {
  const wide = image.width * height > image.height * width;
  const long = wide
    ? Math.trunc((cropBase(height, crop) * image.width) / image.height)
    : Math.trunc((cropBase(width, crop) * image.height) / image.width);
  const newWidth = wide ? Math.max(width, long) : cropBase(width, crop);
  const newHeight = wide ? cropBase(height, crop) : Math.max(height, long);
  return {
    width: newWidth,
    height: newHeight,
    left: -roundHalfEven((newWidth - width) / 2),
    top: -roundHalfEven((newHeight - height) / 2),
  };
}

function cropBase(size: number, { ratio, rounding }: Crop): number {
  return rounding === 'floor' ? Math.floor(size / ratio) : roundHalfEven(size / ratio);
}
