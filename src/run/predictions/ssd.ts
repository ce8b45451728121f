/**
 * SSD as the TensorFlow Object Detection API exports it before its post-processing: boxes encoded against anchors
 * (box_coders/faster_rcnn_box_coder.py), which are a constant of the file.
 */
import { DataError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import { knownClasses, listed } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { detect } from './nms.js';
import type { DecodeContext, NetworkOutput, Prediction } from './prediction.js';
import { areLogits, byRow, outputOf, sigmoid } from './rows.js';
import type { Rows } from './rows.js';

/** Scale factors of centers and extents in the encoding. */
const CENTER_SCALE = 10;
const EXTENT_SCALE = 5;

interface Heads {
  readonly boxes: OutputForm;
  readonly scores: OutputForm;
  readonly count: number;
  /** Columns of the scores. */
  readonly width: number;
}

/** Encodings may have a dimension of 1 for the class that boxes are shared by: [1, N, 1, 4]. */
function headsOf({ outputs }: DecoderRequest): Heads | undefined {
  const tables = outputs.flatMap((output) => {
    const dims = output.dims.length === 4 && output.dims[2] === 1 ? output.dims.toSpliced(2, 1) : output.dims;
    const [batch, count = 0, width = 0] = dims;
    return dims.length === 3 && batch === 1 ? [{ output, count, width }] : [];
  });
  if (tables.length !== 2) return undefined;
  const [boxes, scores] = tables[0]!.width === 4 ? [tables[0]!, tables[1]!] : [tables[1]!, tables[0]!];
  if (boxes.width !== 4 || scores.width < 1 || boxes.count !== scores.count || boxes.count < 2)
    return undefined;
  return { boxes: boxes.output, scores: scores.output, count: boxes.count, width: scores.width };
}

/** Constants with centers about the image and extents that are not below 0. */
function anchorsOf(context: DecodeContext, count: number): readonly Float32Array[] {
  return [
    [count, 4],
    [1, count, 4],
  ]
    .flatMap((dims) => context.constants(dims))
    .filter((values) => {
      for (let at = 0; at < values.length; at += 4) {
        const [y, x, height, width] = values.subarray(at, at + 4) as unknown as [
          number,
          number,
          number,
          number,
        ];
        if (!(Math.abs(y - 0.5) <= 1 && Math.abs(x - 0.5) <= 1 && height >= 0 && width >= 0)) return false;
      }
      return values.length === 4 * count;
    });
}

/** @throws DataError when there are none, or several that differ */
function soleAnchors(context: DecodeContext, count: number): Float32Array {
  const [first, ...others] = anchorsOf(context, count);
  if (first === undefined) {
    throw new DataError(
      `--decode ssd needs the anchors: a constant ${formatDims([count, 4])} of the model file with y, x, height, width as shares of the image; there is none`,
      { hint: '--decode ./decode.js' },
    );
  }
  const differing = others.filter((other) => other.some((value, at) => Math.abs(value - first[at]!) > 1e-3));
  if (differing.length > 0) {
    throw new DataError(
      `--decode ssd needs one set of anchors; the model file has ${1 + differing.length} different constants ${formatDims([count, 4])}`,
      { hint: '--decode ./decode.js' },
    );
  }
  return first;
}

type Activation = 'none' | 'sigmoid' | 'softmax';

/**
 * What makes probabilities of the scores. Logits that were trained behind a sigmoid are far below 0 but for one or two classes
 * of an anchor, so that their sigmoids add up to about 1; those behind a softmax have no such level, and add up to many.
 */
function activationOf(data: NetworkOutput['data'], { count, width }: Rows): Activation {
  if (!areLogits(data, byRow(count, width), 0, width)) return 'none';
  const sums = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    for (let label = 0; label < width; label++) sums[row]! += sigmoid(data[row * width + label]!);
  }
  return sums.sort()[count >> 1]! < LARGEST_SUM ? 'sigmoid' : 'softmax';
}

const LARGEST_SUM = 2;

function probabilities(values: NetworkOutput['data'], activation: Activation): Float64Array {
  const into = Float64Array.from(values);
  if (activation === 'sigmoid') return into.map(sigmoid);
  if (activation === 'none') return into;
  const largest = into.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < into.length; i++) sum += into[i] = Math.exp(into[i]! - largest);
  return into.map((value) => value / sum);
}

function decoded(
  { boxes, scores, count, width }: Heads,
  background: number,
  outputs: readonly NetworkOutput[],
  context: DecodeContext,
): Prediction {
  const anchors = soleAnchors(context, count);
  const encodings = outputOf(outputs, boxes).data;
  const { data } = outputOf(outputs, scores);
  const activation = activationOf(data, byRow(count, width));
  return detect({
    rows: count,
    classes: width - background,
    // IoU of the `batch_non_max_suppression` of the API's configurations.
    maxOverlap: 0.6,
    scores: (row, into) => {
      const values = data.subarray(row * width, (row + 1) * width);
      into.set(probabilities(values, activation).subarray(background));
      return values.every(Number.isFinite);
    },
    box: (row, into) => {
      const at = 4 * row;
      const height = anchors[at + 2]!;
      const width = anchors[at + 3]!;
      const y = (encodings[at]! / CENTER_SCALE) * height + anchors[at]!;
      const x = (encodings[at + 1]! / CENTER_SCALE) * width + anchors[at + 1]!;
      const halfHeight = (Math.exp(encodings[at + 2]! / EXTENT_SCALE) * height) / 2;
      const halfWidth = (Math.exp(encodings[at + 3]! / EXTENT_SCALE) * width) / 2;
      into[0] = x - halfWidth;
      into[1] = y - halfHeight;
      into[2] = x + halfWidth;
      into[3] = y + halfHeight;
    },
  });
}

export const SSD: Form = {
  name: 'ssd',
  wants:
    'box encodings [1, N, 4] and class scores [1, N, classes with or without background], and a constant [N, 4] of anchors in the model file',
  fit(request): Fit | undefined {
    const heads = headsOf(request);
    if (heads === undefined) return undefined;
    const { width } = heads;
    // Class 0 of the API's networks is the background; exports that leave it out have as many scores as classes.
    const background = width === 1 || knownClasses(request) === width ? 0 : 1;
    const hasAnchors = anchorsOf(request.context, heads.count).length > 0;
    if (!hasAnchors && request.decode === undefined) return undefined;
    return {
      kind: 'boxes',
      description: `${listed([heads.boxes, heads.scores])}: ${width - background} classes${background === 1 ? ' behind the background' : ''}, anchors of the model file, NMS at IoU 0.6`,
      classes: width - background,
      strength: hasAnchors ? 'certain' : 'possible',
      decode: (outputs, context) => decoded(heads, background, outputs, context),
    };
  },
};
