/** Boxes that two networks have in common, of those that a demonstration would draw. */
import type { BoxesPrediction, PredictedBox } from '../predictions/prediction.js';
import { byLabel, isFiniteBox, matchBoxes } from './matching.js';

/** What a demonstration would draw, and where two boxes are of the same thing. */
export const LEAST_SCORE = 0.3;
export const LEAST_IOU = 0.5;
/** Per image; outputs that were never thinned out have many thousands. */
const MOST_BOXES = 1000;

export interface SharedBoxes {
  /** Of the same class, with an IoU of LEAST_IOU or more. */
  readonly shared: number;
  readonly reference: number;
  readonly candidate: number;
}

export function sharedBoxes(reference: BoxesPrediction, candidate: BoxesPrediction): SharedBoxes {
  const wanted = shownBoxes(reference);
  const met = shownBoxes(candidate);
  const candidates = byLabel(met);
  let shared = 0;
  for (const [label, boxes] of byLabel(wanted)) {
    const truths = boxes.map((box) => ({ ...box, crowd: false }));
    const match = matchBoxes(truths, candidates.get(label) ?? [], [LEAST_IOU], MOST_BOXES);
    shared += match.found.reduce((sum, bit) => sum + bit, 0);
  }
  return { shared, reference: wanted.length, candidate: met.length };
}

/** Best first. */
export function shownBoxes({ boxes }: BoxesPrediction): PredictedBox[] {
  return boxes
    .filter((box) => isFiniteBox(box) && box.score >= LEAST_SCORE)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_BOXES);
}
