/** Detectors that end in non-maximum suppression: their outputs are the detections. */
import { DataError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { isWhole, listed } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { pyramidOf } from './grids.js';
import type { DecodeContext, NetworkOutput, PredictedBox, Prediction } from './prediction.js';
import { anyOutputOf } from './rows.js';
import { extentsOf } from './yolo.js';

type Data = NetworkOutput['data'];

/** Detections of one image as the file orders them. */
interface Columns {
  /** Four edges a row, with `step` values from one row to the next. */
  readonly edges: { readonly data: Data; readonly step: number; readonly from: number };
  readonly scores: { readonly data: Data; readonly step: number; readonly from: number };
  readonly labels: { readonly data: Data; readonly step: number; readonly from: number };
  readonly count: number;
  /** Edges are y0, x0, y1, x1. */
  readonly isYFirst: boolean;
}

/** An export whose outputs are detections. */
interface Export {
  readonly what: string;
  readonly strength: Fit['strength'];
  columns(outputs: readonly NetworkOutput[]): Columns;
}

/** Most detections that an export can be thought to give; raw heads have more rows. */
const MOST = 1000;

/** Without a leading 1. Rows are counted by the second dimension of `[1, K, width]`, the first of `[K, width]`. */
function widthOf({ dims }: { dims: readonly number[] }): number | undefined {
  if (dims.length === 3 && dims[0] === 1) return dims[2];
  return dims.length === 2 ? dims[1] : undefined;
}

function rowsOf({ dims }: { dims: readonly number[] }): number {
  return (dims.length === 3 ? dims[1] : dims[0]) ?? 0;
}

/** Outputs with rows of this width: those with a batch dimension, or else those without. */
function tables(outputs: readonly OutputForm[], widths: readonly number[]): readonly OutputForm[] {
  const found = outputs.filter((output) => widths.includes(widthOf(output) ?? 0));
  const batched = found.filter(({ dims }) => dims.length === 3);
  return batched.length > 0 ? batched : found.filter((output) => !isOfBoxes(output, outputs));
}

/** `[1, K]` beside boxes `[1, K, 4]`: one value for each of them, and no row. */
function isOfBoxes(output: OutputForm, outputs: readonly OutputForm[]): boolean {
  return outputs.some(
    (boxes) => boxes.dims.length === 3 && widthOf(boxes) === 4 && isList(output, rowsOf(boxes)),
  );
}

function isList({ dims }: OutputForm, rows: number): boolean {
  return (dims.length === 2 && dims[0] === 1 && dims[1] === rows) || (dims.length === 1 && dims[0] === rows);
}

/** `[1, K, 6]`: the edges, then score and class (YOLOv10, YOLO26, Ultralytics' `nms=True`), or behind class and score (PaddleDetection). */
function table(request: DecoderRequest): Export | undefined {
  const [output, another] = tables(request.outputs, [6, 7]);
  // Beside it only a count: whatever else a network gives is not from such an export.
  if (output === undefined || another !== undefined || rowsOf(output) > MOST) return undefined;
  if (request.outputs.some((other) => other !== output && other.dims.some((dim) => dim > 1)))
    return undefined;
  const step = widthOf(output)!;
  const { input } = request.context;
  const isGrid = [rowsOf(output), rowsOf(output) / 3].some((count) => pyramidOf(input, count) !== undefined);
  return {
    what: 'box, score and class in a row',
    // A raw head of one or two classes has such rows too; so has, without a batch dimension, a classifier.
    strength: isGrid ? 'possible' : output.dims.length === 3 ? 'certain' : 'plausible',
    columns(outputs) {
      const { data, dims } = tableOf(outputs, output.name, step);
      const count = rowsOf({ dims });
      const at = (from: number): { data: Data; step: number; from: number } => ({ data, step, from });
      // YOLOv7's rows begin with the image in the batch, and have the class before the score.
      if (step === 7) return { edges: at(1), scores: at(6), labels: at(5), count, isYFirst: false };
      return isClassFirst(data, count)
        ? { edges: at(2), scores: at(1), labels: at(0), count, isYFirst: false }
        : { edges: at(0), scores: at(4), labels: at(5), count, isYFirst: false };
    },
  };
}

/** Whether the first of six columns can be the class, and the last cannot. */
function isClassFirst(data: Data, count: number): boolean {
  const isClass = (column: number): boolean => isClassColumn({ data, step: 6, from: column }, count);
  const isScore = (column: number): boolean => isScoreColumn({ data, step: 6, from: column }, count);
  return isClass(0) && isScore(1) && !(isClass(5) && isScore(4));
}

function isClassColumn({ data, step, from }: Columns['labels'], count: number): boolean {
  for (let row = 0; row < count; row++) {
    const value = data[row * step + from]!;
    // -1 fills up what was not detected.
    if (!Number.isInteger(value) || value < -1) return false;
  }
  return true;
}

function isScoreColumn({ data, step, from }: Columns['scores'], count: number): boolean {
  for (let row = 0; row < count; row++) {
    const value = data[row * step + from]!;
    if (value < -1 || value > 1) return false;
  }
  return true;
}

/** `dets` [1, K, 5] with the score behind the edges, and `labels` [1, K]: MMDeploy. */
function scoredBoxes(request: DecoderRequest): Export | undefined {
  const [boxes] = tables(request.outputs, [5]);
  if (boxes === undefined) return undefined;
  const labels = request.outputs.filter((output) => output !== boxes && isList(output, rowsOf(boxes)));
  // Masks of instance segmentation may come third.
  if (labels.length !== 1) return undefined;
  const name = labels[0]!.name;
  return {
    what: 'box and score in a row, class beside it',
    strength: 'certain',
    columns(outputs) {
      const { data, dims } = tableOf(outputs, boxes.name, 5);
      const count = rowsOf({ dims });
      return {
        edges: { data, step: 5, from: 0 },
        scores: { data, step: 5, from: 4 },
        labels: { data: listOf(outputs, name, count), step: 1, from: 0 },
        count,
        isYFirst: false,
      };
    },
  };
}

/**
 * Boxes [1, K, 4], scores [1, K] and classes [1, K], each an output of its own, perhaps with a count: TFLite, TensorFlow,
 * torchvision, TensorRT's EfficientNMS.
 */
function boxesApart(request: DecoderRequest): Export | undefined {
  const { outputs, format } = request;
  const named = outputs.filter(({ name }) => /^detection_/.test(name));
  // TensorFlow's exports have `raw_detection_boxes` and the like beside them.
  const relevant = named.length >= 3 ? named : outputs;
  const [boxes, another] = tables(relevant, [4]);
  if (boxes === undefined || another !== undefined) return undefined;
  const rows = rowsOf(boxes);
  const lists = relevant.filter((output) => output !== boxes && isList(output, rows));
  // A count has the form of a list where there is room for one detection only.
  const [first, second] = lists.length > 2 ? lists.filter((output) => !isCount(output)) : lists;
  const counter = outputs.find(
    (output) => ![boxes, first, second].includes(output) && output.dims.every((dim) => dim === 1),
  );
  if (first === undefined || second === undefined || lists.length > 3) return undefined;
  const isYFirst = format === 'tflite' || /^detection_boxes/.test(boxes.name);
  return {
    what: `${isYFirst ? 'boxes (y first)' : 'boxes'}, scores and classes apart`,
    strength: 'certain',
    columns(given) {
      const { data, dims } = tableOf(given, boxes.name, 4);
      const room = rowsOf({ dims });
      const count = counter === undefined ? room : countOf(counter, given, room);
      const isSwapped = isScoreFirst(first, second, given, room, count);
      const [labels, scores] = isSwapped ? [second, first] : [first, second];
      return {
        edges: { data, step: 4, from: 0 },
        scores: { data: listOf(given, scores.name, room), step: 1, from: 0 },
        labels: { data: wholeNumbers(labels, listOf(given, labels.name, room)), step: 1, from: 0 },
        count,
        isYFirst,
      };
    },
  };
}

function isCount({ name, result }: OutputForm): boolean {
  return result === undefined ? /num|count|:3$/i.test(name) : result === 'count';
}

/** Of a step: half of it, and what float32 adds to that. */
const ROUNDING = 0.505;

/** What went through codes is a little beside the whole number that it was: no further than half a step. */
function wholeNumbers({ step = 0 }: OutputForm, data: Data): Data {
  const reach = ROUNDING * step;
  return data.map((value) => (Math.abs(value - Math.round(value)) <= reach ? Math.round(value) : value));
}

/** Which of two lists holds the scores: by the operator, by type, else by name, else by the values; the converters of TensorFlow order them variously. */
function isScoreFirst(
  first: OutputForm,
  second: OutputForm,
  outputs: readonly NetworkOutput[],
  room: number,
  count: number,
): boolean {
  if (first.result !== second.result) return first.result === 'scores' || second.result === 'classes';
  if (isWhole(first) !== isWhole(second)) return isWhole(second);
  const says = (output: OutputForm, word: RegExp): boolean => word.test(output.name);
  if (says(first, /score/i) !== says(second, /score/i)) return says(first, /score/i);
  if (says(first, /class|label/i) !== says(second, /class|label/i)) return says(second, /class|label/i);
  const [a, b] = [first, second].map((output) => {
    return { data: wholeNumbers(output, listOf(outputs, output.name, room)), step: 1, from: 0 };
  });
  const canSwap = isScoreColumn(a!, count) && isClassColumn(b!, count);
  const canStay = isClassColumn(a!, count) && isScoreColumn(b!, count);
  // The order of TFLite_Detection_PostProcess, classes before scores, where values do not tell: with no detections.
  return canSwap && !canStay;
}

/** @throws DataError when the output is no longer a table of this width */
function tableOf(outputs: readonly NetworkOutput[], name: string, width: number): NetworkOutput {
  const found = anyOutputOf(outputs, name);
  if (widthOf(found) === width && found.data.length === width * rowsOf(found)) return found;
  throw new DataError(
    `output ${name} has dims ${formatDims(found.dims)}; --decode nms takes [1, K, ${width}] there`,
  );
}

/** @throws DataError when there is not one value for each detection */
function listOf(outputs: readonly NetworkOutput[], name: string, rows: number): Data {
  const { data, dims } = anyOutputOf(outputs, name);
  if (data.length === rows) return data;
  throw new DataError(
    `output ${name} has dims ${formatDims(dims)}; there are boxes of ${rows} detections, which want one value each`,
  );
}

/** @throws DataError when it is no number of detections */
function countOf(counter: OutputForm, outputs: readonly NetworkOutput[], room: number): number {
  const { name, data } = anyOutputOf(outputs, counter.name);
  const [count = NaN] = wholeNumbers(counter, data);
  if (Number.isInteger(count) && count >= 0 && count <= room) return count;
  throw new DataError(`output ${name} says ${count} detections; there is room for 0 to ${room}`);
}

/** Edges are shares when none exceeds what shares can be. */
const LARGEST_SHARE = 2;

function detections({ edges, scores, labels, count, isYFirst }: Columns, context: DecodeContext): Prediction {
  const boxes: PredictedBox[] = [];
  let nonFinite = 0;
  let largest = 0;
  for (let row = 0; row < count; row++) {
    const from = row * edges.step + edges.from;
    const box = edges.data.subarray(from, from + 4);
    const score = scores.data[row * scores.step + scores.from]!;
    const label = labels.data[row * labels.step + labels.from]!;
    if (!box.every(Number.isFinite) || !Number.isFinite(score) || !Number.isFinite(label)) nonFinite++;
    // Rows without a detection are filled up with a score of 0 or a class of -1.
    else if (score > 0 && label > -1) {
      const [a, b, c, d] = box as unknown as [number, number, number, number];
      if (!Number.isInteger(label)) {
        throw new DataError(`the detections have class ${label}; classes are whole numbers`, {
          hint: '--decode ./decode.js',
        });
      }
      for (const edge of box) if (edge > largest) largest = edge;
      const [x0, y0, x1, y1] = isYFirst ? [b, a, d, c] : [a, b, c, d];
      boxes.push({ x0, y0, x1, y1, label, score });
    }
  }
  // Whatever has y first comes of TensorFlow, whose boxes are shares even when they are nonsense.
  if (isYFirst || largest <= LARGEST_SHARE) return { kind: 'boxes', boxes, nonFinite };
  const { width, height } = extentsOf(context, 'nms');
  const shares = boxes.map(({ x0, y0, x1, y1, label, score }) => {
    return { x0: x0 / width, y0: y0 / height, x1: x1 / width, y1: y1 / height, label, score };
  });
  return { kind: 'boxes', boxes: shares, nonFinite };
}

export const NMS: Form = {
  name: 'nms',
  wants:
    'detections: one output [1, K, 6] of box, score, class; or boxes with scores [1, K, 5] and classes [1, K]; or boxes [1, K, 4], classes [1, K] and scores [1, K], perhaps with their count',
  fit(request): Fit | undefined {
    const found = scoredBoxes(request) ?? boxesApart(request) ?? table(request);
    if (found === undefined) return undefined;
    return {
      kind: 'boxes',
      description: `${listed(request.outputs)}: detections, ${found.what}`,
      strength: found.strength,
      decode: (outputs, context) => detections(found.columns(outputs), context),
    };
  },
};
