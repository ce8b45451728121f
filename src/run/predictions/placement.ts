/** From the upright image to the model's input and back. */
import type { Picture } from '../data/dataset.js';
import { fittingOf } from '../data/geometry.js';
import type { ResolvedPreprocessing } from '../data/preprocessing.js';
import { FILLING } from './prediction.js';
import type { BoxesPrediction, Placement, PredictedBox } from './prediction.js';

/**
 * Where the image lies in the model's input, with the whole pixels that it is resized to and moved by.
 *
 * @param image extents of the upright image in pixels.
 */
export function placementOf(image: Picture, preprocessing: ResolvedPreprocessing): Placement {
  const fitting = fittingOf(image, preprocessing);
  if (fitting === undefined || preprocessing.size === undefined) return FILLING;
  const [height, width] = preprocessing.size;
  return {
    scaleX: fitting.width / width,
    // Adding 0 makes a 0 of the -0 of an image that is cut on the other two sides only.
    offsetX: fitting.left / width + 0,
    scaleY: fitting.height / height,
    offsetY: fitting.top / height + 0,
  };
}

/** Boxes on the upright image: cut off at its edges, those with nothing on it left out. */
export function toImage({ nonFinite, boxes }: BoxesPrediction, placement: Placement): BoxesPrediction {
  const { scaleX, offsetX, scaleY, offsetY } = placement;
  const kept: PredictedBox[] = [];
  for (const { label, score, ...box } of boxes) {
    const x0 = share((box.x0 - offsetX) / scaleX);
    const x1 = share((box.x1 - offsetX) / scaleX);
    const y0 = share((box.y0 - offsetY) / scaleY);
    const y1 = share((box.y1 - offsetY) / scaleY);
    if (x0 < x1 && y0 < y1) kept.push({ x0, y0, x1, y1, label, score });
  }
  return { kind: 'boxes', boxes: kept, nonFinite };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
