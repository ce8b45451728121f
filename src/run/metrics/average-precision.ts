/** Average precision as COCOeval.accumulate of pycocotools computes it, on detections that are matched already. */

/** numpy.linspace(0, 1, 101). */
const RECALLS = Float64Array.from({ length: 101 }, (_, i) => (i === 100 ? 1 : i * 0.01));

/** numpy.spacing(1), which pycocotools adds to the denominator of precision. */
const SPACING = Number.EPSILON;

/** Detections of one class in all images, best first; those with the same score in the order of the images. */
export interface RankedDetections {
  /** Place of the image among the images. */
  readonly images: Int32Array;
  /** One bit per threshold, as in Match. */
  readonly found: Int32Array;
  readonly excused: Int32Array;
  /** By threshold: none behind this many found a box, so that they change nothing. */
  readonly lengths: readonly number[];
}

export function ranked(
  indices: readonly number[],
  scores: Float64Array,
  columns: { readonly images: Int32Array; readonly found: Int32Array; readonly excused: Int32Array },
  thresholds: number,
): RankedDetections {
  const order = [...indices].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const { found, excused } = columns;
  const lengths = Array.from(
    { length: thresholds },
    (_, bit) => 1 + order.findLastIndex((i) => ((found[i]! & ~excused[i]!) >> bit) & 1),
  );
  const kept = order.slice(0, Math.max(0, ...lengths));
  const picked = (column: Int32Array): Int32Array => Int32Array.from(kept, (i) => column[i]!);
  return { images: picked(columns.images), found: picked(found), excused: picked(excused), lengths };
}

/** Reused from call to call: the curve at every box that is found. */
export interface Curve {
  recall: Float64Array;
  precision: Float64Array;
}

export function emptyCurve(): Curve {
  return { recall: new Float64Array(1024), precision: new Float64Array(1024) };
}

/**
 * Mean of the interpolated precision at 101 recalls, in 0..1, and the recall of all detections.
 *
 * @param weights - by image: how often it is there
 * @param boxes - of the labels, crowds not counted, weighted likewise; more than 0
 */
export function averagePrecision(
  detections: RankedDetections,
  bit: number,
  weights: Uint8Array,
  boxes: number,
  curve: Curve,
): { readonly precision: number; readonly recall: number } {
  const { images, found, excused } = detections;
  const length = detections.lengths[bit]!;
  if (curve.recall.length < length) {
    curve.recall = new Float64Array(2 * length);
    curve.precision = new Float64Array(2 * length);
  }
  const { recall, precision } = curve;
  const mask = 1 << bit;
  let right = 0;
  let wrong = 0;
  let points = 0;
  for (let i = 0; i < length; i++) {
    const weight = weights[images[i]!]!;
    if (weight === 0 || (excused[i]! & mask) !== 0) continue;
    if ((found[i]! & mask) === 0) {
      wrong += weight;
      continue;
    }
    // An image that is there twice finds its boxes twice, one behind the other: the best point is the last of them.
    right += weight;
    recall[points] = right / boxes;
    precision[points] = right / (wrong + right + SPACING);
    points++;
  }
  for (let i = points - 2; i >= 0; i--)
    if (precision[i + 1]! > precision[i]!) precision[i] = precision[i + 1]!;
  let sum = 0;
  let point = 0;
  for (const wanted of RECALLS) {
    while (point < points && recall[point]! < wanted) point++;
    if (point === points) break;
    sum += precision[point]!;
  }
  return { precision: sum / RECALLS.length, recall: right / boxes };
}
