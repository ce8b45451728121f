/** Random images with the smoothness of photographs, as one .npy file. */
import { uniform } from './random.js';

const SIZE = 224;
const CHANNELS = 3;
/** Cells of the coarse random grid along each side; between its points the image is interpolated. */
const CELLS = 8;
const NOISE = 0.1;

/** Row and column factors of bilinear interpolation, the same for both directions. */
const POSITIONS = Array.from({ length: SIZE }, (_, pixel) => {
  const at = (pixel / SIZE) * CELLS;
  return { cell: Math.floor(at), fraction: at - Math.floor(at) };
});

/** One image [3,224,224], values in 0..1. */
function makeImage(random) {
  const image = new Float32Array(CHANNELS * SIZE * SIZE);
  const side = CELLS + 1;
  let i = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const grid = Float32Array.from({ length: side * side }, random);
    for (const y of POSITIONS) {
      for (const x of POSITIONS) {
        const corner = y.cell * side + x.cell;
        const top = grid[corner] + x.fraction * (grid[corner + 1] - grid[corner]);
        const bottom = grid[corner + side] + x.fraction * (grid[corner + side + 1] - grid[corner + side]);
        const value = top + y.fraction * (bottom - top) + NOISE * (random() - 0.5);
        image[i++] = Math.min(Math.max(value, 0), 1);
      }
    }
  }
  return image;
}

/**
 * NPY format 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 * @param {readonly number[]} shape
 */
function npyHeader(shape) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  const prefix = 10;
  // The data has to start at a multiple of 64 bytes, behind a line feed.
  const length = Math.ceil((prefix + text.length + 1) / 64) * 64 - prefix;
  const header = Buffer.alloc(prefix + length, ' ');
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(length, 8);
  header.write(text, prefix, 'latin1');
  header.write('\n', prefix + length - 1, 'latin1');
  return header;
}

/**
 * Pieces of a float32 .npy file [count,3,224,224] (or [count,224,224,3]), image by image: the whole does not have to fit in memory.
 * The first images of a larger file are those of a smaller one.
 * @param {number} count
 * @param {'nchw' | 'nhwc'} [layout]
 * @returns {Generator<Uint8Array>}
 */
export function* makeImages(count, layout = 'nchw') {
  const random = uniform(3);
  const isLast = layout === 'nhwc';
  yield npyHeader(isLast ? [count, SIZE, SIZE, CHANNELS] : [count, CHANNELS, SIZE, SIZE]);
  for (let i = 0; i < count; i++) {
    const image = makeImage(random);
    yield new Uint8Array((isLast ? channelsLast(image) : image).buffer);
  }
}

function channelsLast(image) {
  const pixels = SIZE * SIZE;
  return image.map((_, i) => image[(i % CHANNELS) * pixels + Math.floor(i / CHANNELS)]);
}
