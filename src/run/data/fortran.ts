/**
 * Rows of an array in Fortran order, whose elements are spread over the whole file. As many rows as fit into a block of
 * fixed size are collected in one pass over the file: memory does not grow with the file.
 */
import { elementBytes, gather, viewOf, zeros } from './convert.js';
import type { FeedDType } from './convert.js';
import type { Elements } from './dataset.js';

const BLOCK_BYTES = 1 << 26;

/** Reads elements [first, first + count) in the order of the file. */
export type ElementReader = (first: number, count: number) => Promise<Elements>;

/**
 * @param dims dims of the array; axis 0 counts rows.
 * @returns reads rows [first, first + count) in row-major order; rising calls share a pass.
 */
export function fortranRows(
  dims: readonly number[],
  dtype: FeedDType,
  read: ElementReader,
  blockBytes: number = BLOCK_BYTES,
): ElementReader {
  const [rows = 1, ...rest] = dims;
  const columns = rest.reduce((product, dim) => product * dim, 1);
  const width = elementBytes(dtype);
  let block: { readonly first: number; readonly count: number; readonly data: Elements } | undefined;

  /** [count] elements of each column, the columns one after the other. */
  const collect = async (first: number, count: number): Promise<Elements> => {
    if (count === rows) return read(0, rows * columns);
    const data = zeros(dtype, count * columns);
    const bytes = new Uint8Array(data.buffer);
    const atOnce = Math.max(1, Math.floor(blockBytes / (rows * width)));
    for (let column = 0; column < columns; column += atOnce) {
      const taken = Math.min(atOnce, columns - column);
      const part = await read(column * rows, taken * rows);
      for (let i = 0; i < taken; i++) {
        const from = part.byteOffset + (i * rows + first) * width;
        bytes.set(new Uint8Array(part.buffer, from, count * width), (column + i) * count * width);
      }
    }
    return data;
  };

  return async (first, count) => {
    if (block === undefined || first < block.first || first + count > block.first + block.count) {
      const fitting = Math.max(count, Math.floor(blockBytes / (columns * width)));
      const size = Math.min(rows - first, fitting);
      const start = fitting >= rows ? 0 : first;
      const blockCount = fitting >= rows ? rows : size;
      block = undefined; // let go of the old one before the new one is made
      block = { first: start, count: blockCount, data: await collect(start, blockCount) };
    }
    // In the block, as in the file, the first index is the fastest.
    const strides = [1, ...rest.map((_, axis) => rest.slice(0, axis).reduce((a, b) => a * b, block!.count))];
    return gather(viewOf(block.data, [count, ...rest], strides, first - block.first), dtype);
  };
}
