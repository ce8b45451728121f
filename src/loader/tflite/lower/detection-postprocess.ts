/**
 * TFLite_Detection_PostProcess, the custom operator that ends an SSD: boxes out of encodings and anchors, then non-maximum suppression.
 * Results follow tflite/kernels/detection_postprocess.cc of LiteRT (one thread) to the order of equal scores.
 */
import type { TensorId } from '../../../ir/graph.js';
import { ONNX_DATA_TYPE } from '../../../ir/onnx-data-type.js';
import { checkedCount, column, countOf, firstOf, floatBelow, repeated, suppressed } from './detection.js';
import { flexNumbers } from './flexbuffer.js';
import { Unlowerable, type Lowering } from './lowering.js';
import { cast } from './operands.js';

interface Settings {
  readonly maxDetections: number;
  readonly maxClassesPerDetection: number;
  readonly detectionsPerClass: number;
  readonly isRegular: boolean;
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly classes: number;
  /** Of y, x, h, w. */
  readonly scales: readonly [number, number, number, number];
}

/** What is detected, before room is made for all that may be: rows of the results. */
interface Detections {
  /** Index of the box, [maxDetections]; beyond the last box where nothing is detected. */
  readonly boxes: TensorId;
  /** [maxDetections, perBox] */
  readonly classes: TensorId;
  /** [maxDetections, perBox] */
  readonly scores: TensorId;
  readonly perBox: number;
  /** [1], int64 */
  readonly count: TensorId;
}

/** Inputs: encodings [1, boxes, 4 or more], scores [1, boxes, classes (background in front or not)], anchors [boxes, 4]. */
export function detectionPostProcess(lowering: Lowering): void {
  const settings = settingsOf(lowering.op.customOptions);
  checkShapes(lowering, settings);
  const boxes = decodedBoxes(lowering, settings.scales);
  const scores = classScores(lowering, settings.classes);
  const found = settings.isRegular
    ? regular(lowering, settings, boxes, scores)
    : fast(lowering, settings, boxes, scores);
  write(lowering, settings, boxes, found);
}

function settingsOf(options: Uint8Array): Settings {
  const numbers = flexNumbers(options);
  // What is not there is 0 for the kernel, except for these two.
  const number = (key: string, absent = 0): number => numbers.get(key) ?? absent;
  const settings: Settings = {
    maxDetections: checkedCount('max_detections', number('max_detections')),
    maxClassesPerDetection: checkedCount('max_classes_per_detection', number('max_classes_per_detection')),
    detectionsPerClass: number('detections_per_class', 100),
    isRegular: number('use_regular_nms') !== 0,
    scoreThreshold: number('nms_score_threshold'),
    iouThreshold: number('nms_iou_threshold'),
    classes: checkedCount('num_classes', number('num_classes')),
    scales: [number('y_scale'), number('x_scale'), number('h_scale'), number('w_scale')],
  };
  checkedCount('the number of results', settings.maxDetections * settings.maxClassesPerDetection);
  if (settings.isRegular) checkedCount('detections_per_class', settings.detectionsPerClass);
  const { iouThreshold } = settings;
  if (!(iouThreshold > 0 && iouThreshold <= 1))
    throw new Unlowerable(`nms_iou_threshold is ${iouThreshold}, not in (0, 1]`);
  return settings;
}

function checkShapes(lowering: Lowering, { classes }: Settings): void {
  const [encodings, scores, anchors] = [0, 1, 2].map((slot) => lowering.shape(slot)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const [batch, count = 0, width = 0] = encodings;
  const [scoreBatch, scoreCount, columns = 0] = scores;
  const fits = encodings.length === 3 && batch === 1 && width >= 4 && scores.length === 3 && scoreBatch === 1;
  const agrees = scoreCount === count && anchors.length === 2 && anchors[0] === count && anchors[1] === 4;
  if (!fits || !agrees || columns < classes || columns > classes + 1) {
    const shapes = [encodings, scores, anchors].map((dims) => `[${dims.join()}]`).join(', ');
    throw new Unlowerable(`inputs of shapes ${shapes} for ${classes} classes`);
  }
}

/** Corners (ymin, xmin, ymax, xmax), [boxes, 4] in float32; the kernel computes centers and extents in float64. */
function decodedBoxes(lowering: Lowering, [y, x, h, w]: Settings['scales']): TensorId {
  const [, count = 0, width = 4] = lowering.shape(0);
  const rows = lowering.step('Reshape', [lowering.input(0, 'file'), lowering.ints([count, width])]);
  const sizes = lowering.ints(width === 4 ? [2, 2] : [2, 2, width - 4]);
  const wide = cast(lowering, rows, 'float32', 'float64');
  const [yx, hw] = halves(lowering.steps('Split', [wide, sizes], { axis: 1 }, width === 4 ? 2 : 3));
  const anchors = cast(lowering, lowering.input(2, 'file'), 'float32', 'float64');
  const [anchorYx, anchorHw] = halves(
    lowering.steps('Split', [anchors, lowering.ints([2, 2])], { axis: 1 }, 2),
  );
  const double = (values: readonly number[]): TensorId =>
    cast(lowering, lowering.floats(values), 'float32', 'float64');
  const float = (tensor: TensorId): TensorId => cast(lowering, tensor, 'float64', 'float32');
  const offset = lowering.step('Mul', [lowering.step('Div', [yx, double([y, x])]), anchorHw]);
  const center = float(lowering.step('Add', [offset, anchorYx]));
  const growth = lowering.step('Exp', [lowering.step('Div', [hw, double([h, w])])]);
  const half = float(lowering.step('Mul', [lowering.step('Mul', [growth, double([0.5])]), anchorHw]));
  const corners = [lowering.step('Sub', [center, half]), lowering.step('Add', [center, half])];
  return lowering.step('Concat', corners, { axis: 1 });
}

function halves(parts: readonly TensorId[]): readonly [TensorId, TensorId] {
  return parts as readonly [TensorId, TensorId];
}

/** Scores without the background, [boxes, classes]. */
function classScores(lowering: Lowering, classes: number): TensorId {
  const [, count = 0, columns = 0] = lowering.shape(1);
  const rows = lowering.step('Reshape', [lowering.input(1, 'file'), lowering.ints([count, columns])]);
  if (columns === classes) return rows;
  return lowering.step('Slice', [
    rows,
    lowering.ints([columns - classes]),
    lowering.ints([columns]),
    lowering.ints([1]),
  ]);
}

/** One suppression over the best class of each box; a box that stays is reported with its best classes. */
function fast(lowering: Lowering, settings: Settings, boxes: TensorId, scores: TensorId): Detections {
  const { maxDetections, maxClassesPerDetection, classes } = settings;
  const perBox = Math.min(maxClassesPerDetection, classes);
  const [best, indices] = halves(lowering.steps('TopK', [scores, lowering.ints([perBox])], { axis: 1 }, 2));
  const first = lowering.step('Slice', [best, lowering.ints([0]), lowering.ints([1]), lowering.ints([1])]);
  const [, boxCount = 0] = lowering.shape(0);
  const selected = select(lowering, settings, boxes, {
    scores: lowering.step('Reshape', [first, lowering.ints([1, 1, boxCount])]),
    mostPerClass: maxDetections,
  });
  const none = lowering.ints([boxCount]);
  const rows = firstOf(lowering, column(lowering, selected, 2), none, maxDetections);
  return {
    boxes: rows,
    classes: rowsOf(lowering, cast(lowering, indices, 'int64', 'float32'), perBox, rows),
    scores: rowsOf(lowering, best, perBox, rows),
    perBox,
    count: countOf(lowering, selected),
  };
}

/** A suppression for each class, then the best of all; equal scores in the order of classes, then of selection. */
function regular(lowering: Lowering, settings: Settings, boxes: TensorId, scores: TensorId): Detections {
  const { maxDetections, detectionsPerClass } = settings;
  const byClass = lowering.step('Transpose', [scores], { perm: [1, 0] });
  const selected = select(lowering, settings, boxes, {
    scores: lowering.step('Unsqueeze', [byClass, lowering.ints([0])]),
    mostPerClass: Math.min(detectionsPerClass, maxDetections),
  });
  const places = lowering.step('Slice', [
    selected,
    lowering.ints([1]),
    lowering.ints([3]),
    lowering.ints([1]),
  ]);
  const own = lowering.step('GatherND', [byClass, places]);
  const padded = (list: TensorId, fill: TensorId): TensorId =>
    lowering.step('Concat', [list, repeated(lowering, fill, maxDetections)], { axis: 0 });
  const [, order] = halves(
    lowering.steps(
      'TopK',
      [padded(own, lowering.floats([-Infinity])), lowering.ints([maxDetections])],
      { axis: 0 },
      2,
    ),
  );
  const ranked = (list: TensorId, fill: TensorId): TensorId =>
    lowering.step('Gather', [padded(list, fill), order], { axis: 0 });
  const asColumn = (list: TensorId): TensorId => lowering.step('Unsqueeze', [list, lowering.ints([1])]);
  const [, boxCount = 0] = lowering.shape(0);
  const ranks = ranked(column(lowering, selected, 1), lowering.ints([0]));
  return {
    boxes: ranked(column(lowering, selected, 2), lowering.ints([boxCount])),
    classes: asColumn(cast(lowering, ranks, 'int64', 'float32')),
    scores: asColumn(ranked(own, lowering.floats([0]))),
    perBox: 1,
    count: lowering.step('Min', [countOf(lowering, selected), lowering.ints([maxDetections])]),
  };
}

function select(
  lowering: Lowering,
  { iouThreshold, scoreThreshold }: Settings,
  boxes: TensorId,
  what: { readonly scores: TensorId; readonly mostPerClass: number },
): TensorId {
  return suppressed(lowering, {
    ...what,
    boxes: lowering.step('Unsqueeze', [boxes, lowering.ints([0])]),
    iouThreshold,
    // Scores at the threshold count.
    scoreThreshold: floatBelow(scoreThreshold),
  });
}

/** Rows of a float table by index; one behind the last is a row of zeros. */
function rowsOf(lowering: Lowering, table: TensorId, width: number, rows: TensorId): TensorId {
  const zeros = lowering.step('Expand', [lowering.floats([0]), lowering.ints([1, width])]);
  const longer = lowering.step('Concat', [table, zeros], { axis: 0 });
  return lowering.step('Gather', [longer, rows], { axis: 0 });
}

/**
 * Results: boxes [1, all, 4], classes [1, all], scores [1, all], their number [1], where all is maxDetections times
 * maxClassesPerDetection. What the kernel does not write is 0.
 */
function write(lowering: Lowering, settings: Settings, boxes: TensorId, found: Detections): void {
  const { maxDetections, maxClassesPerDetection, isRegular } = settings;
  const { perBox } = found;
  const all = maxDetections * maxClassesPerDetection;
  // Room for more classes is left behind each box; the regular suppression fills rows from the front.
  const pads = isRegular
    ? [0, 0, 0, all - maxDetections, 0, 0]
    : [0, 0, 0, 0, maxClassesPerDetection - perBox, 0];
  const placed = (rows: TensorId, width: number): TensorId => {
    const cells = lowering.step('Reshape', [rows, lowering.ints([maxDetections, perBox, width])]);
    return pads.every((count) => count === 0) ? cells : lowering.step('Pad', [cells, lowering.ints(pads)]);
  };
  const corners = lowering.step('Unsqueeze', [rowsOf(lowering, boxes, 4, found.boxes), lowering.ints([1])]);
  const repeatedCorners = lowering.step('Expand', [corners, lowering.ints([maxDetections, perBox, 4])]);
  lowering.write(0, 'file', 'Reshape', [placed(repeatedCorners, 4), lowering.ints([1, all, 4])]);
  lowering.write(1, 'file', 'Reshape', [placed(found.classes, 1), lowering.ints([1, all])]);
  lowering.write(2, 'file', 'Reshape', [placed(found.scores, 1), lowering.ints([1, all])]);
  lowering.write(3, 'file', 'Cast', [found.count], { to: ONNX_DATA_TYPE.float32 });
}
