/** Pictures in another size. */
import type { TensorId } from '../../../ir/graph.js';
import type { AttrValue, Lowering, Rule } from './lowering.js';
import { Unlowerable } from './lowering.js';
import { checkOutput, dims4 } from './window.js';

/** One axis of the picture: elements before and after. */
interface Resized {
  readonly from: number;
  readonly to: number;
}

/** Far beyond any picture; larger ones come from broken files. */
const MAX_EXTENT = 1 << 16;

/** Height and width. @throws Unlowerable when the size is computed by the network. */
function resizedAxes(lowering: Lowering): readonly [Resized, Resized] {
  const [batch, height, width, channels] = dims4(lowering, 0);
  const [toHeight = 0, toWidth = 0] = lowering.integers(1);
  for (const extent of [height, width, toHeight, toWidth]) {
    if (extent < 1 || extent > MAX_EXTENT) throw new Unlowerable(`a picture of ${extent} elements`);
  }
  checkOutput(lowering, [batch, toHeight, toWidth, channels]);
  return [
    { from: height, to: toHeight },
    { from: width, to: toWidth },
  ];
}

/** `input` is channels-first; so is the output. */
function writeResize(
  lowering: Lowering,
  input: TensorId,
  axes: readonly Resized[],
  attrs: Readonly<Record<string, AttrValue>>,
): void {
  const sizes = lowering.ints(axes.map(({ to }) => to));
  lowering.write(0, 'channels-first', 'Resize', [input, null, null, sizes], { ...attrs, axes: [2, 3] });
}

/**
 * tensorflow/lite/kernels/internal/reference/resize_bilinear.h: positions outside the picture read its edge, as ONNX does for all
 * three ways to place the elements.
 */
const resizeBilinear: Rule = (lowering) => {
  const alignsCorners = lowering.boolOption('alignCorners');
  const halfPixelCenters = lowering.boolOption('halfPixelCenters');
  if (alignsCorners && halfPixelCenters) throw new Unlowerable('both aligned corners and half-pixel centers');
  const mode = alignsCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric';
  writeResize(lowering, lowering.input(0, 'channels-first'), resizedAxes(lowering), {
    mode: 'linear',
    coordinate_transformation_mode: mode,
  });
};

/**
 * Element of the input that each element of the output repeats. In float32 as GetNearestNeighbor of
 * tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h computes it: positions that fall on a boundary between
 * two elements go to whichever side this rounding puts them.
 */
function nearestIndices({ from, to }: Resized, alignsCorners: boolean, halfPixelCenters: boolean): number[] {
  const spread = alignsCorners && to > 1;
  const scale = Math.fround(spread ? (from - 1) / (to - 1) : from / to);
  const offset = halfPixelCenters ? 0.5 : 0;
  return Array.from({ length: to }, (_, element) => {
    const position = Math.fround(Math.fround(element + offset) * scale);
    // Positions are not negative: Math.round takes halves up, as std::round then does.
    const index = alignsCorners ? Math.round(position) : Math.floor(position);
    return Math.min(index, from - 1);
  });
}

/** Every element repeated equally often, which ONNX and the file's kernel agree on to the element. */
function isRepetition({ from, to }: Resized, indices: readonly number[]): boolean {
  const times = to / from;
  return Number.isInteger(times) && indices.every((index, element) => index === Math.floor(element / times));
}

const resizeNearest: Rule = (lowering) => {
  const alignsCorners = lowering.boolOption('alignCorners');
  const halfPixelCenters = lowering.boolOption('halfPixelCenters');
  const [height, width] = resizedAxes(lowering);
  const rows = nearestIndices(height, alignsCorners, halfPixelCenters);
  const columns = nearestIndices(width, alignsCorners, halfPixelCenters);
  const input = lowering.input(0, 'channels-first');
  if (isRepetition(height, rows) && isRepetition(width, columns)) {
    writeResize(lowering, input, [height, width], {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    });
    return;
  }
  const chosen = lowering.step('Gather', [input, lowering.ints(rows)], { axis: 2 });
  lowering.write(0, 'channels-first', 'Gather', [chosen, lowering.ints(columns)], { axis: 3 });
};

export const RESIZE_RULES: Readonly<Record<string, Rule>> = {
  RESIZE_BILINEAR: resizeBilinear,
  RESIZE_NEAREST_NEIGHBOR: resizeNearest,
};
