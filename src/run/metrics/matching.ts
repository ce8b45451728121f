/** Which detections of an image find which boxes of the labels: pycocotools' COCOeval.evaluateImg for `bbox`, area range `all`. */
import type { PredictedBox } from '../predictions/prediction.js';

export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Detections of one class in one image, best first. */
export interface Match {
  readonly scores: readonly number[];
  /** By detection, one bit per threshold: it found a box. */
  readonly found: readonly number[];
  /** By detection, one bit per threshold: it is excused, since what it found is a crowd. */
  readonly excused: readonly number[];
}

/** COCO's, per class and image. */
const MAX_DETECTIONS = 100;

/**
 * IoU is the same in shares of the image as in pixels but for the last bits, which decide only where it falls on a threshold exactly.
 *
 * @param thresholds - of IoU; at most 31
 */
export function matchBoxes(
  truths: readonly (Box & { readonly crowd: boolean })[],
  detections: readonly PredictedBox[],
  thresholds: readonly number[],
  most = MAX_DETECTIONS,
): Match {
  // Array.prototype.sort keeps the order of equals, as the mergesort of pycocotools does.
  const best = [...detections].sort((a, b) => b.score - a.score).slice(0, most);
  const boxes = [...truths.filter(({ crowd }) => !crowd), ...truths.filter(({ crowd }) => crowd)];
  const ious = best.map((detection) => boxes.map((box) => iouOf(detection, box, box.crowd)));
  const found = best.map(() => 0);
  const excused = best.map((box) => (area(box) < 0 ? -1 : 0));
  for (const [bit, threshold] of thresholds.entries()) {
    const taken = new Uint8Array(boxes.length);
    for (const d of best.keys()) {
      const match = bestMatch(ious[d]!, boxes, taken, threshold);
      if (match === undefined) continue;
      taken[match] = 1;
      found[d]! |= 1 << bit;
      if (boxes[match]!.crowd) excused[d]! |= 1 << bit;
      else excused[d]! &= ~(1 << bit);
    }
  }
  return { scores: best.map(({ score }) => score), found, excused };
}

function bestMatch(
  ious: readonly number[],
  boxes: readonly { readonly crowd: boolean }[],
  taken: Uint8Array,
  threshold: number,
): number | undefined {
  let least = Math.min(threshold, 1 - 1e-10);
  let match: number | undefined;
  for (let b = 0; b < boxes.length; b++) {
    const { crowd } = boxes[b]!;
    if (taken[b] !== 0 && !crowd) continue;
    // Crowds come last: who has found a box does not ask them.
    if (match !== undefined && crowd && !boxes[match]!.crowd) break;
    if (ious[b]! < least) continue;
    least = ious[b]!;
    match = b;
  }
  return match;
}

/** Against a crowd, the share of the detection that lies in it. */
function iouOf(detection: Box, box: Box, crowd: boolean): number {
  const width = Math.min(detection.x1, box.x1) - Math.max(detection.x0, box.x0);
  const height = Math.min(detection.y1, box.y1) - Math.max(detection.y0, box.y0);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (crowd ? area(detection) : area(detection) + area(box) - shared);
}

function area({ x0, y0, x1, y1 }: Box): number {
  return (x1 - x0) * (y1 - y0);
}

export function byLabel<T extends { readonly label: number }>(boxes: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const box of boxes) {
    const group = groups.get(box.label);
    if (group === undefined) groups.set(box.label, [box]);
    else group.push(box);
  }
  return groups;
}

export function isFiniteBox({ x0, y0, x1, y1, score }: PredictedBox): boolean {
  return [x0, y0, x1, y1, score].every(Number.isFinite);
}
