/** Cells of the feature maps that anchor-free detectors predict from. */
import type { DecodeContext } from './prediction.js';

type Extents = NonNullable<DecodeContext['input']>;

/** Input pixels from one cell to the next, of the feature maps in the order of the outputs; the usual ones first. */
const PYRAMIDS: readonly (readonly number[])[] = [
  [8, 16, 32],
  [8, 16, 32, 64],
  [16, 32],
  [16, 32, 64],
  [4, 8, 16, 32],
  [8, 16, 32, 64, 128],
];

/** How many cells of one stride there are beside each other: feature maps of padded convolutions are rounded up. */
function cells(extent: number, stride: number): number {
  return Math.ceil(extent / stride);
}

/** @returns the strides whose cells are as many, or undefined */
export function pyramidOf(input: Extents | undefined, count: number): readonly number[] | undefined {
  if (input === undefined) return undefined;
  return PYRAMIDS.find((strides) => {
    const total = strides.reduce((sum, s) => sum + cells(input.width, s) * cells(input.height, s), 0);
    return total === count;
  });
}

/** @returns the stride whose cells are as many, or undefined */
export function strideOf(input: Extents, count: number): number | undefined {
  return [4, 8, 16, 32, 64, 128].find((s) => cells(input.width, s) * cells(input.height, s) === count);
}

/** Cells row by row, one feature map behind the other. */
export interface Grid {
  /** Column and row in the feature map. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly stride: Float64Array;
}

export function gridOf(input: Extents, strides: readonly number[]): Grid {
  const x: number[] = [];
  const y: number[] = [];
  const stride: number[] = [];
  for (const step of strides) {
    for (let row = 0; row < cells(input.height, step); row++) {
      for (let column = 0; column < cells(input.width, step); column++) {
        x.push(column);
        y.push(row);
        stride.push(step);
      }
    }
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y), stride: Float64Array.from(stride) };
}
