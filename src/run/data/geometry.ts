/** Brings an image to the size of the model's input. */
import { DataError } from '../../errors.js';
import { roundHalfEven } from '../../quant/affine.js';
import type { Pixels } from './decode.js';
import type { Crop } from './presets.js';
import type { ResolvedPreprocessing } from './preprocessing.js';
import { resample } from './resample.js';

/** @throws DataError when the image does not have the size it should, or is too slim to be resized. */
export function fitImage(pixels: Pixels, preprocessing: ResolvedPreprocessing): Pixels {
  const { size, resize, interpolation, keepExactSize } = preprocessing;
  if (size === undefined) return pixels;
  const [height, width] = size;
  const exact = pixels.height === height && pixels.width === width;
  switch (resize) {
    case 'none':
      if (exact) return pixels;
      throw new DataError(`it is ${pixels.width}x${pixels.height}; the model takes ${width}x${height}`, {
        hint: '--resize stretch',
      });
    case 'stretch':
      return resample(pixels, width, height, interpolation);
    case 'letterbox':
      return letterbox(pixels, preprocessing, height, width);
    case 'short-side':
      if (exact && keepExactSize) return pixels;
      return shortSide(pixels, preprocessing, height, width);
  }
}

/** Scaled by one factor to fit in, the rest filled: as Ultralytics' LetterBox does. */
function letterbox(
  pixels: Pixels,
  { interpolation, padding }: ResolvedPreprocessing,
  height: number,
  width: number,
): Pixels {
  const scale = Math.min(height / pixels.height, width / pixels.width);
  const inner = resample(
    pixels,
    Math.max(1, roundHalfEven(pixels.width * scale)),
    Math.max(1, roundHalfEven(pixels.height * scale)),
    interpolation,
  );
  const centered = padding.position === 'center';
  const left = centered ? Math.floor((width - inner.width) / 2) : 0;
  const top = centered ? Math.floor((height - inner.height) / 2) : 0;
  const { channels } = pixels;
  const data = new Uint8Array(width * height * channels).fill(padding.value);
  const innerRow = inner.width * channels;
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * innerRow, (y + 1) * innerRow);
    data.set(row, ((top + y) * width + left) * channels);
  }
  return { data, width, height, channels };
}

/** torchvision's Resize(size / ratio) and CenterCrop(size); models that are not square are covered likewise. */
function shortSide(
  pixels: Pixels,
  { interpolation, crop }: ResolvedPreprocessing,
  height: number,
  width: number,
): Pixels {
  const wide = pixels.width * height > pixels.height * width;
  const long = wide
    ? Math.trunc((cropBase(height, crop) * pixels.width) / pixels.height)
    : Math.trunc((cropBase(width, crop) * pixels.height) / pixels.width);
  const newWidth = wide ? Math.max(width, long) : cropBase(width, crop);
  const newHeight = wide ? cropBase(height, crop) : Math.max(height, long);
  const covering = resample(pixels, newWidth, newHeight, interpolation);
  const left = roundHalfEven((newWidth - width) / 2);
  const top = roundHalfEven((newHeight - height) / 2);
  const { channels } = pixels;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * newWidth + left) * channels;
    data.set(covering.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}

function cropBase(size: number, { ratio, rounding }: Crop): number {
  return rounding === 'floor' ? Math.floor(size / ratio) : roundHalfEven(size / ratio);
}
