/**
 * Image resampling to the bit as Pillow does it (src/libImaging/Resample.c and Geometry.c, Pillow 12 and before): filters
 * widened by the scale when shrinking (antialiasing), coefficients of 22 fraction bits, 8-bit result after each of the
 * two passes, horizontal first. Pillow 13 picks the order of the passes by the shape, which changes some images by one
 * code. Written by hand because the resizing of image libraries differs from this by up to four codes.
 */
import { DataError } from '../../errors.js';
import { MAX_PIXELS } from './decode.js';
import type { Pixels } from './decode.js';

export const INTERPOLATIONS = ['bilinear', 'nearest', 'bicubic', 'area', 'bilinear-no-antialias'] as const;
/**
 * As Pillow's BILINEAR, NEAREST, BICUBIC and BOX; `bilinear-no-antialias` reads the four neighbours only, as OpenCV's
 * INTER_LINEAR and TensorFlow's resize do (equal to OpenCV within one code).
 */
export type Interpolation = (typeof INTERPOLATIONS)[number];

interface Filter {
  /** Half the width of the filter at scale 1, in pixels. */
  readonly support: number;
  readonly antialias: boolean;
  weight(x: number): number;
}

const bilinear = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Cubic convolution with a = -0.5. */
function bicubic(signed: number): number {
  const x = Math.abs(signed);
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

const FILTERS: Readonly<Record<Exclude<Interpolation, 'nearest'>, Filter>> = {
  bilinear: { support: 1, antialias: true, weight: bilinear },
  bicubic: { support: 2, antialias: true, weight: bicubic },
  area: { support: 0.5, antialias: true, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  'bilinear-no-antialias': { support: 1, antialias: false, weight: bilinear },
};

/**
 * The image at another size; the same object when the size is its own.
 *
 * @throws DataError when the result, or the image between the two passes, would have more than MAX_PIXELS.
 */
export function resample(
  pixels: Pixels,
  width: number,
  height: number,
  interpolation: Interpolation,
): Pixels {
  if (pixels.width === width && pixels.height === height) return pixels;
  if (width * Math.max(height, pixels.height) > MAX_PIXELS) {
    throw new DataError(`at ${pixels.width}x${pixels.height} it is too slim to become ${width}x${height}`);
  }
  if (interpolation === 'nearest') return nearest(pixels, width, height);
  const filter = FILTERS[interpolation];
  const wide = pixels.width === width ? pixels : horizontal(pixels, taps(filter, pixels.width, width));
  return wide.height === height ? wide : vertical(wide, taps(filter, wide.height, height));
}

/** For each position of the result: which source positions it reads, and with what weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` to a position; fixed point. */
  readonly weights: Int32Array;
  readonly stride: number;
}

const FRACTION_BITS = 22;
const HALF = 1 << (FRACTION_BITS - 1);

function taps(filter: Filter, from: number, to: number): Taps {
  const scale = from / to;
  const widening = filter.antialias ? Math.max(scale, 1) : 1;
  const support = filter.support * widening;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * stride);
  const exact = new Float64Array(stride);
  for (let position = 0; position < to; position++) {
    const center = (position + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let i = start; i < end; i++) {
      const weight = filter.weight((i - center + 0.5) * (1 / widening));
      exact[i - start] = weight;
      sum += weight;
    }
    for (let i = 0; i < end - start; i++) {
      const fraction = (sum === 0 ? exact[i]! : exact[i]! / sum) * (1 << FRACTION_BITS);
      weights[position * stride + i] = Math.trunc(fraction + (fraction < 0 ? -0.5 : 0.5));
    }
    first[position] = start;
    count[position] = end - start;
  }
  return { first, count, weights, stride };
}

function horizontal({ data, width, height, channels }: Pixels, along: Taps): Pixels {
  const { first, count, weights, stride } = along;
  const newWidth = first.length;
  const out = new Uint8ClampedArray(newWidth * height * channels);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * width * channels;
    for (let x = 0; x < newWidth; x++) {
      const start = x * stride;
      const end = start + count[x]!;
      let at = row + first[x]! * channels;
      if (channels === 1) {
        let sum = HALF;
        for (let k = start; k < end; k++) sum += data[at++]! * weights[k]!;
        out[to++] = sum >> FRACTION_BITS;
        continue;
      }
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let k = start; k < end; k++, at += 3) {
        const weight = weights[k]!;
        red += data[at]! * weight;
        green += data[at + 1]! * weight;
        blue += data[at + 2]! * weight;
      }
      out[to] = red >> FRACTION_BITS;
      out[to + 1] = green >> FRACTION_BITS;
      out[to + 2] = blue >> FRACTION_BITS;
      to += 3;
    }
  }
  return { data: new Uint8Array(out.buffer), width: newWidth, height, channels };
}

function vertical({ data, width, channels }: Pixels, along: Taps): Pixels {
  const { first, count, weights, stride } = along;
  const newHeight = first.length;
  const rowLength = width * channels;
  const out = new Uint8ClampedArray(rowLength * newHeight);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const row = (first[y]! + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i]! += data[row + i]! * weight;
    }
    const to = y * rowLength;
    for (let i = 0; i < rowLength; i++) out[to + i] = sums[i]! >> FRACTION_BITS;
  }
  return { data: new Uint8Array(out.buffer), width, height: newHeight, channels };
}

/** Pillow adds up the step instead of multiplying, and leaves black what that carries past the end. */
function nearestPositions(from: number, to: number): Int32Array {
  const step = from / to;
  let at = step * 0.5;
  return Int32Array.from({ length: to }, () => {
    const position = Math.trunc(at);
    at += step;
    return position < from ? position : -1;
  });
}

function nearest(pixels: Pixels, width: number, height: number): Pixels {
  const { data, channels } = pixels;
  const columns = nearestPositions(pixels.width, width);
  const rows = nearestPositions(pixels.height, height);
  const out = new Uint8Array(width * height * channels);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      const at = (row * pixels.width + column) * channels;
      const inside = row >= 0 && column >= 0;
      for (let channel = 0; channel < channels; channel++) out[to++] = inside ? data[at + channel]! : 0;
    }
  }
  return { data: out, width, height, channels };
}
