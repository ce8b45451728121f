/** White noise told from pictures: its neighbours have nothing to do with each other. */
import { layoutOf, type Layout } from './image-input.js';

/** A picture is at least that high and wide. */
const LEAST_EXTENT = 16;
const MOST_ROWS = 32;
const MOST_COLUMNS = 512;
/** Correlation of neighbours in pictures is 0.8 and more. */
const UNRELATED = 0.2;
/** Below that whatever the distribution; the correlation of noise over n pixels is within 4 / √n of 0. */
const NOT_AT_ALL = 0.05;
/** Fourth moment over the squared variance of a uniform distribution, and how far samples of it are from that. */
const UNIFORM = 1.8;
const UNIFORM_WITHIN = 0.15;

/** Whether a sample is a picture by its extents, but noise by its pixels. */
export function isNoise(values: ArrayLike<number>, dims: readonly number[], layout: Layout): boolean {
  const image = dims.length === 4 ? dims.slice(1) : dims.length === 3 ? dims : [];
  const order = layoutOf(image) ?? (image.length === 3 ? layout : undefined);
  if (order === undefined) return false;
  const [channels = 0, height = 0, width = 0] =
    order === 'nchw' ? image : [image[2] ?? 0, image[0] ?? 0, image[1] ?? 0];
  if (![1, 3, 4].includes(channels) || height < LEAST_EXTENT || width < LEAST_EXTENT) return false;
  const pixel = order === 'nchw' ? 1 : channels;
  const row = width * pixel;
  const rows = Math.min(MOST_ROWS, height - 1);
  const columns = Math.min(MOST_COLUMNS, width - 1);
  const starts = Array.from({ length: rows }, (_, at) => Math.floor((at * (height - 1)) / rows) * row);
  let mean = 0;
  for (const start of starts) {
    for (let x = 0; x < columns; x++) mean += values[start + x * pixel] as number;
  }
  mean /= rows * columns;
  let [squares, fourth, across, down] = [0, 0, 0, 0];
  for (const start of starts) {
    for (let x = 0; x < columns; x++) {
      const at = start + x * pixel;
      const far = (values[at] as number) - mean;
      squares += far * far;
      fourth += far ** 4;
      across += far * ((values[at + pixel] as number) - mean);
      down += far * ((values[at + row] as number) - mean);
    }
  }
  if (squares === 0) return false;
  const related = Math.max(Math.abs(across), Math.abs(down)) / squares;
  const shape = (fourth * rows * columns) / squares ** 2;
  const chance = Math.min(UNRELATED, Math.max(NOT_AT_ALL, 4 / Math.sqrt(rows * columns)));
  return related < chance || (related < UNRELATED && Math.abs(shape - UNIFORM) < UNIFORM_WITHIN);
}
