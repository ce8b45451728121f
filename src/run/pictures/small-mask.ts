/** Masks as they lie over a small picture. */
import type { Picture } from '../data/dataset.js';
import { IGNORED } from '../labels/truth.js';
import { cellsOf, countPixels, emptyPixelCounts, clear, type PixelCounts } from '../metrics/pixels.js';
import { FILLING, type MaskPrediction, type Placement } from '../predictions/prediction.js';

/** Class, or IGNORED, for every pixel, row by row. */
export interface SmallMask extends Picture {
  readonly kind: 'mask';
  readonly data: Uint16Array;
}

/**
 * Each pixel has the class of the cell under its centre; IGNORED where the picture was cut off before the network saw it.
 *
 * @param mask of a network over its input, with the placement of the picture in it; of labels, over the picture
 */
export function maskOver(
  mask: Pick<MaskPrediction, 'width' | 'height' | 'data'>,
  { width, height }: Picture,
  { scaleX, offsetX, scaleY, offsetY }: Placement = FILLING,
): SmallMask {
  const columns = cellsOf(width, mask.width, scaleX, offsetX);
  const rows = cellsOf(height, mask.height, scaleY, offsetY);
  const data = new Uint16Array(width * height).fill(IGNORED);
  for (let y = 0, pixel = 0; y < height; y++) {
    const row = rows[y]!;
    for (let x = 0; x < width; x++, pixel++) {
      const column = columns[x]!;
      if (row >= 0 && column >= 0) data[pixel] = mask.data[row * mask.width + column]!;
    }
  }
  return { kind: 'mask', width, height, data };
}

/** Compares masks of one size, again and again. */
export class MaskComparer {
  readonly #counts: PixelCounts = emptyPixelCounts();

  /** Mean IoU over the classes that either of them has; 1 where there is none. */
  iou(reference: SmallMask, candidate: SmallMask): number {
    clear(this.#counts);
    countPixels(reference, candidate, FILLING, this.#counts);
    const { classes, equal, truth, prediction } = this.#counts;
    let sum = 0;
    let present = 0;
    for (let label = 0; label < classes; label++) {
      const union = truth[label]! + prediction[label]! - equal[label]!;
      if (union === 0) continue;
      sum += equal[label]! / union;
      present++;
    }
    return present === 0 ? 1 : sum / present;
  }
}
