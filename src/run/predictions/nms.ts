/** Non-maximum suppression by class, as torchvision.ops.batched_nms: of boxes that overlap, the one with the higher score stays. */
import type { BoxesPrediction, PredictedBox } from './prediction.js';

/** Boxes below it change no average precision that anyone quotes; Ultralytics' `val` cuts here. */
const MIN_SCORE = 0.001;
/** Detections in an image: Ultralytics' `max_det`, above the 100 that COCO counts. */
const MAX_DETECTIONS = 300;
/** Candidates in an image, those with the highest scores: Ultralytics' `max_nms`. */
const MAX_CANDIDATES = 30_000;

/** Raw outputs of a detector, one row a box. Functions fill what they are given, as there are tens of thousands of rows. */
export interface Head {
  readonly rows: number;
  readonly classes: number;
  /** Share of overlap (IoU) above which boxes of one class are the same, by the framework's own evaluation. */
  readonly maxOverlap: number;
  /** Whether a row stands for its best class only. */
  readonly isSingleLabel?: boolean;
  /**
   * @param into score of each class, 0 to 1
   * @returns false when a value is not finite
   */
  scores(row: number, into: Float64Array): boolean;
  /** @param into x0, y0, x1, y1 as shares of the model's input */
  box(row: number, into: Float64Array): void;
}

/** Rows and classes with a score; grows. */
class Candidates {
  count = 0;
  rows = new Int32Array(1024);
  labels = new Int32Array(1024);
  scores = new Float64Array(1024);

  add(row: number, label: number, score: number): void {
    if (this.count === this.rows.length) {
      this.rows = grown(this.rows, new Int32Array(2 * this.count));
      this.labels = grown(this.labels, new Int32Array(2 * this.count));
      this.scores = grown(this.scores, new Float64Array(2 * this.count));
    }
    this.rows[this.count] = row;
    this.labels[this.count] = label;
    this.scores[this.count] = score;
    this.count++;
  }

  /** Positions by falling score, equal ones as they came; the first MAX_CANDIDATES of them. */
  ranked(): Uint32Array {
    const { count, scores } = this;
    let lowest = -Infinity;
    if (count > MAX_CANDIDATES) lowest = scores.slice(0, count).sort()[count - MAX_CANDIDATES]!;
    const kept: number[] = [];
    for (let i = 0; i < count; i++) if (scores[i]! >= lowest) kept.push(i);
    return Uint32Array.from(kept)
      .sort((a, b) => scores[b]! - scores[a]! || a - b)
      .subarray(0, MAX_CANDIDATES);
  }
}

function grown<T extends Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/** Boxes of a detector that ends before non-maximum suppression. */
export function detect(head: Head): BoxesPrediction {
  const candidates = new Candidates();
  const scores = new Float64Array(head.classes);
  const boxes = new Float64Array(4 * head.rows);
  let nonFinite = 0;
  for (let row = 0; row < head.rows; row++) {
    const before = candidates.count;
    const isFinite = head.scores(row, scores);
    if (isFinite) collect(scores, row, head.isSingleLabel === true, candidates);
    if (isFinite && candidates.count === before) continue;
    const box = boxes.subarray(4 * row, 4 * row + 4);
    head.box(row, box);
    if (isFinite && box.every(Number.isFinite)) continue;
    nonFinite++;
    candidates.count = before;
  }
  return { kind: 'boxes', boxes: suppressed(candidates, boxes, head.maxOverlap), nonFinite };
}

function collect(scores: Float64Array, row: number, isSingle: boolean, candidates: Candidates): void {
  if (!isSingle) {
    for (let label = 0; label < scores.length; label++) {
      if (scores[label]! > MIN_SCORE) candidates.add(row, label, scores[label]!);
    }
    return;
  }
  let best = 0;
  for (let label = 1; label < scores.length; label++) if (scores[label]! > scores[best]!) best = label;
  if (scores[best]! > MIN_SCORE) candidates.add(row, best, scores[best]!);
}

/** Each is compared only with those kept before it, of which there are few: it ends when all are found. */
function suppressed(candidates: Candidates, edges: Float64Array, maxOverlap: number): PredictedBox[] {
  const kept: PredictedBox[] = [];
  const byLabel = new Map<number, PredictedBox[]>();
  for (const at of candidates.ranked()) {
    if (kept.length === MAX_DETECTIONS) break;
    const label = candidates.labels[at]!;
    const from = 4 * candidates.rows[at]!;
    const box: PredictedBox = {
      x0: edges[from]!,
      y0: edges[from + 1]!,
      x1: edges[from + 2]!,
      y1: edges[from + 3]!,
      label,
      score: candidates.scores[at]!,
    };
    const rivals = byLabel.get(label) ?? [];
    if (rivals.some((rival) => overlap(rival, box) > maxOverlap)) continue;
    kept.push(box);
    rivals.push(box);
    byLabel.set(label, rivals);
  }
  return kept;
}

/** Intersection over union. */
function overlap(a: PredictedBox, b: PredictedBox): number {
  const width = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const height = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (!(width > 0 && height > 0)) return 0;
  const shared = width * height;
  return shared / ((a.x1 - a.x0) * (a.y1 - a.y0) + (b.x1 - b.x0) * (b.y1 - b.y0) - shared);
}
