/** Whether weights lie on a uniform grid of few values, as those do that were quantized before and made float again. */
import type { Weight } from '../ir/weights.js';
import { toFloat32 } from '../ir/elements.js';
import { axisLayout } from './affine.js';

/** Values of 8 bits. */
export const GRID_VALUES = 256;

/** Fewer different values than this lie on a grid by chance. */
const LEAST_VALUES = 12;
/** Channels looked at, spread over the weight, and values of each: a value off the grid shows soon. */
const MOST_CHANNELS = 16;
const MOST_VALUES = 512;
/** Steps by which a value may be off. Products of a code and a float32 scale are off by a hundred thousandth. */
const TOLERANCE = 0.02;
/** Part of the largest value below which a remainder is none; a step of the finest grid is 1/255 of it. */
const NOTHING = 1e-4;

/**
 * True when every channel that can be judged lies on a grid of at most 256 values through zero; undefined when the weight has too few
 * different values to tell. Channels of few elements, as of depthwise convolutions, are judged together: on one grid, or not known.
 */
export function isOnGrid({ data, axis }: Weight): boolean | undefined {
  const values = toFloat32(data);
  const { outer, channels, inner } = axisLayout(values.length, data.dims, axis);
  let judged = 0;
  const step = Math.max(1, Math.floor(channels / MOST_CHANNELS));
  for (let c = 0; c < channels; c += step) {
    const own: number[] = [];
    const stride = Math.max(1, Math.floor((outer * inner) / MOST_VALUES));
    for (let i = 0; i < outer * inner; i += stride) {
      const value = values[(Math.floor(i / inner) * channels + c) * inner + (i % inner)];
      if (value !== undefined) own.push(value);
    }
    const fits = fitsGrid(own);
    if (fits === false) return onOneGrid(values);
    if (fits === true) judged++;
  }
  return judged > 0 ? true : onOneGrid(values);
}

function onOneGrid(values: Float32Array): boolean | undefined {
  const stride = Math.max(1, Math.floor(values.length / (MOST_CHANNELS * MOST_VALUES)));
  const some = values.filter((_, i) => i % stride === 0);
  return fitsGrid(some);
}

/** Undefined for too few different values, or values that are no numbers. */
export function fitsGrid(values: ArrayLike<number>): boolean | undefined {
  const distinct = [...new Set(Array.from(values, Math.abs))].filter((value) => value > 0);
  if (distinct.length < LEAST_VALUES || !distinct.every(Number.isFinite)) return undefined;
  distinct.sort((a, b) => b - a);
  const [largest = 0] = distinct;
  let step = largest;
  for (const value of distinct) {
    step = commonStep(step, value, largest * NOTHING);
    if (largest / step > GRID_VALUES) return false;
  }
  return distinct.every((value) => Math.abs(value / step - Math.round(value / step)) <= TOLERANCE);
}

/** Euclid's greatest common divisor of numbers that are not exact, fitted to both. */
function commonStep(a: number, b: number, nothing: number): number {
  let [x, y] = [Math.max(a, b), Math.min(a, b)];
  while (y > nothing) {
    const rest = Math.abs(x - Math.round(x / y) * y);
    [x, y] = [y, rest];
  }
  const [timesA, timesB] = [Math.round(a / x), Math.round(b / x)];
  const norm = timesA * timesA + timesB * timesB;
  return norm === 0 ? x : (timesA * a + timesB * b) / norm;
}
