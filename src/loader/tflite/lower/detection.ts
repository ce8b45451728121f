/** Non-maximum suppression: NON_MAX_SUPPRESSION_V4 and V5, and what they share with the custom operator that ends an SSD. */
import type { TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { Unlowerable, type Lowering, type Rule } from './lowering.js';

/** More boxes than any network reports: the number is one that a file can forge. */
const MOST_DETECTIONS = 1 << 20;

/** What ONNX NonMaxSuppression is to select. */
interface Suppression {
  /** [1, boxes, 4], opposite corners (y, x, y, x). */
  readonly boxes: TensorId;
  /** [1, classes, boxes]. */
  readonly scores: TensorId;
  readonly mostPerClass: number;
  /** Boxes overlap when the intersection over union is more than this; in [0, 1]. */
  readonly iouThreshold: number;
  /** Scores count when they are more than this. */
  readonly scoreThreshold: number;
}

/**
 * The main node of the operator: [selected, 3] of (0, class, box), for each class in the order of falling scores, equal ones in the
 * order of the boxes.
 */
export function suppressed(lowering: Lowering, what: Suppression): TensorId {
  return lowering.main('NonMaxSuppression', [
    what.boxes,
    what.scores,
    lowering.ints([what.mostPerClass]),
    lowering.floats([what.iouThreshold]),
    lowering.floats([what.scoreThreshold]),
  ]);
}

/** @throws Unlowerable when it is not from 1 to what one may reserve room for. */
export function checkedCount(name: string, count: number): number {
  if (Number.isInteger(count) && count > 0 && count <= MOST_DETECTIONS) return count;
  throw new Unlowerable(`${name} is ${count}, not 1 to ${MOST_DETECTIONS}`);
}

/** The float32 right below, so that `more than` it is `at least` the value. */
export function floatBelow(value: number): number {
  const float = new Float32Array([value]);
  const bits = new Int32Array(float.buffer);
  const [own = 0] = bits;
  if (float[0] === 0) bits[0] = -0x7fffffff;
  else if (own > 0 || float[0] !== -Infinity) bits[0] = own > 0 ? own - 1 : own + 1;
  return float[0] ?? value;
}

/** A list of `fill` as long as `count`; made while the network runs. */
export function repeated(lowering: Lowering, fill: TensorId, count: number): TensorId {
  return lowering.step('Expand', [fill, lowering.ints([count])]);
}

/** The first `count` of a list of unknown length, missing ones filled up: a list of that length in every run. */
export function firstOf(lowering: Lowering, list: TensorId, fill: TensorId, count: number): TensorId {
  const longer = lowering.step('Concat', [list, repeated(lowering, fill, count)], { axis: 0 });
  const first = lowering.step('Slice', [longer, lowering.ints([0]), lowering.ints([count])]);
  return lowering.step('Reshape', [first, lowering.ints([count])]);
}

/** One column of what was selected: 1 the class, 2 the box. */
export function column(lowering: Lowering, selected: TensorId, index: 1 | 2): TensorId {
  return lowering.step('Gather', [selected, lowering.ints([index], [])], { axis: 1 });
}

/** How many were selected, [1]. */
export function countOf(lowering: Lowering, selected: TensorId): TensorId {
  return lowering.step('Shape', [selected], { start: 0, end: 1 });
}

/**
 * Hard suppression over one class in float. Results are as long as may be selected, filled up with zeros.
 * tflite/kernels/internal/reference/non_max_suppression.h of LiteRT.
 */
function nonMaxSuppression(lowering: Lowering): void {
  const [boxCount = 0] = lowering.shape(0);
  const most = checkedCount('max_output_size', lowering.integers(2)[0] ?? 0);
  const [iouThreshold = 0] = lowering.numbers(3);
  const [scoreThreshold = 0] = lowering.numbers(4);
  const withScores = lowering.op.op === 'NON_MAX_SUPPRESSION_V5';
  if (withScores && (lowering.numbers(5)[0] ?? 0) > 0) throw new Unlowerable('soft suppression');
  if (lowering.isQuantized(0)) throw new Unlowerable('overlaps computed in integers');
  if (!(iouThreshold > 0)) throw new Unlowerable(`iou_threshold is ${iouThreshold}`);
  const scores = lowering.input(1, 'file');
  const selected = suppressed(lowering, {
    boxes: lowering.step('Unsqueeze', [lowering.input(0, 'file'), lowering.ints([0])]),
    scores: lowering.step('Unsqueeze', [scores, lowering.ints([0, 1])]),
    mostPerClass: most,
    // Here boxes overlap from the threshold on.
    iouThreshold: Math.min(1, floatBelow(iouThreshold)),
    scoreThreshold,
  });
  const boxes = column(lowering, selected, 2);
  const int32 = { to: ONNX_DATA_TYPE.int32 };
  lowering.write(0, 'file', 'Cast', [firstOf(lowering, boxes, lowering.ints([0]), most)], int32);
  if (withScores) {
    const places = firstOf(lowering, boxes, lowering.ints([boxCount]), most);
    const table = lowering.step('Concat', [scores, lowering.floats([0])], { axis: 0 });
    lowering.write(1, 'file', 'Gather', [table, places], { axis: 0 });
  }
  const count = lowering.step('Reshape', [countOf(lowering, selected), lowering.ints([])]);
  lowering.write(withScores ? 2 : 1, 'file', 'Cast', [count], int32);
}

export const DETECTION_RULES: Readonly<Record<string, Rule>> = {
  NON_MAX_SUPPRESSION_V4: nonMaxSuppression,
  NON_MAX_SUPPRESSION_V5: nonMaxSuppression,
};
