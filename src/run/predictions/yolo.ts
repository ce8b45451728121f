/**
 * Heads of the YOLO family that the export decodes up to non-maximum suppression: boxes as center and extents in pixels of
 * the input, or as shares of it (Ultralytics' TFLite export).
 */
import { DataError } from '../../errors.js';
import { knownClasses, listed, unbatched } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { gridOf, pyramidOf } from './grids.js';
import type { Grid } from './grids.js';
import { detect } from './nms.js';
import type { DecodeContext, NetworkOutput, Prediction } from './prediction.js';
import { areLogits, byColumn, byRow, outputOf, sigmoid } from './rows.js';
import type { Rows } from './rows.js';

type Data = NetworkOutput['data'];

/** The only output with boxes: of three dims with the batch. */
export function soleTable({ outputs }: DecoderRequest): OutputForm | undefined {
  const tables = outputs.filter(({ dims }) => dims.length === 3 && dims[0] === 1);
  return tables.length === 1 ? tables[0] : undefined;
}

/** @throws DataError when the model takes no images, whose extents boxes in pixels are shares of */
export function extentsOf({ input }: DecodeContext, decoder: string): { width: number; height: number } {
  if (input !== undefined) return input;
  throw new DataError(
    `--decode ${decoder} needs the height and width of the model's image input; the model has none`,
    { hint: '--decode ./decode.js' },
  );
}

type Family = 'yolov8' | 'yolox' | 'nanodet';

/** Values beside the class scores in a row of NanoDet with the usual 8 steps for each edge. */
export const NANODET_EXTRA = 32;

/** Which detector with one box a cell has rows of this width; undefined when it can be several. */
export function familyOf(width: number, classes: number | undefined): Family | undefined {
  // COCO's 80 are the classes of most exports whose labels do not tell.
  for (const count of classes === undefined ? [80] : [classes, 80]) {
    if (width === count + 4) return 'yolov8';
    if (width === count + 5) return 'yolox';
    if (width === count + NANODET_EXTRA) return 'nanodet';
  }
  return undefined;
}

/** Boxes are shares when no center and no extent exceeds what shares can be; in pixels the far corner alone does. */
const LARGEST_SHARE = 2;

function unitsOf(
  data: Data,
  rows: Rows,
  { width, height }: { width: number; height: number },
): [number, number] {
  for (let row = 0; row < rows.count; row++) {
    for (let column = 0; column < 4; column++) {
      const value = data[row * rows.rowStep + column * rows.columnStep]!;
      if (value > LARGEST_SHARE && Number.isFinite(value)) return [width, height];
    }
  }
  return [1, 1];
}

/** Center and extents -> edges. */
function fromCenter(into: Float64Array, x: number, y: number, width: number, height: number): void {
  into[0] = x - width / 2;
  into[1] = y - height / 2;
  into[2] = x + width / 2;
  into[3] = y + height / 2;
}

/** Rows of x, y, width, height, then perhaps objectness, then scores of the classes. */
interface Layout {
  readonly rows: Rows;
  readonly firstScore: number;
  readonly classes: number;
}

/** Class scores, times objectness where there is one. */
function scoresOf(
  data: Data,
  { rows, firstScore, classes }: Layout,
): (row: number, into: Float64Array) => boolean {
  const { rowStep, columnStep } = rows;
  const squash = areLogits(data, rows, 4, firstScore + classes);
  return (row, into) => {
    const from = row * rowStep;
    let objectness = 1;
    let isFinite = true;
    if (firstScore === 5) {
      const value = data[from + 4 * columnStep]!;
      isFinite = Number.isFinite(value);
      objectness = squash ? sigmoid(value) : value;
    }
    for (let label = 0; label < classes; label++) {
      const value = data[from + (firstScore + label) * columnStep]!;
      // Neither NaN nor an infinite value equals 0 after taking it from itself.
      if (value - value !== 0) isFinite = false;
      into[label] = objectness * (squash ? sigmoid(value) : value);
    }
    return isFinite;
  };
}

function decoded(
  data: Data,
  layout: Layout,
  input: { width: number; height: number },
  maxOverlap: number,
  isSingleLabel = false,
): Prediction {
  const { rows, classes } = layout;
  const { rowStep, columnStep } = rows;
  const [width, height] = unitsOf(data, rows, input);
  return detect({
    rows: rows.count,
    classes,
    maxOverlap,
    isSingleLabel,
    scores: scoresOf(data, layout),
    box: (row, into) => {
      const from = row * rowStep;
      fromCenter(
        into,
        data[from]! / width,
        data[from + columnStep]! / height,
        data[from + 2 * columnStep]! / width,
        data[from + 3 * columnStep]! / height,
      );
    },
  });
}

/** YOLOv3, v5, v7: three anchors a cell, decoded in the graph. */
export const YOLOV5: Form = {
  name: 'yolov5',
  wants: 'one output [1, N, 5 + classes]: x, y, width, height, objectness, class scores',
  fit(request): Fit | undefined {
    const output = soleTable(request);
    if (output === undefined) return undefined;
    const [count = 0, width = 0] = output.dims.slice(1);
    const classes = width - 5;
    if (classes < 1 || count < 1) return undefined;
    const isGrid = pyramidOf(request.context.input, count / 3) !== undefined;
    return {
      kind: 'boxes',
      description: `output ${listed([output])}: ${classes} classes, boxes decoded in the graph, NMS at IoU 0.6`,
      classes,
      strength: isGrid ? 'certain' : 'possible',
      decode: (outputs, context) =>
        // IoU of the `val.py` of YOLOv5.
        decoded(
          outputOf(outputs, output).data,
          { rows: byRow(count, width), firstScore: 5, classes },
          extentsOf(context, 'yolov5'),
          0.6,
        ),
    };
  },
};

/** Ultralytics' YOLOv8, v9, 11, 12, and YOLOv5u: no objectness. */
export const YOLOV8: Form = {
  name: 'yolov8',
  wants: 'one output [1, 4 + classes, N] or [1, N, 4 + classes]: x, y, width, height, class scores',
  fit(request): Fit | undefined {
    const output = soleTable(request);
    if (output === undefined || request.metadata.get('task') === 'obb') return undefined;
    const [first = 0, second = 0] = output.dims.slice(1);
    const { input } = request.context;
    const isByRow =
      pyramidOf(input, first) !== undefined || (pyramidOf(input, second) === undefined && first > second);
    const [count, width] = isByRow ? [first, second] : [second, first];
    const known = knownClasses(request);
    const classes = yolov8Classes(request, width - 4, known);
    if (classes < 1 || count < 1) return undefined;
    const isGrid = pyramidOf(input, count) !== undefined;
    const isOwn = isByRow ? familyOf(width, known) === 'yolov8' : width < count;
    return {
      kind: 'boxes',
      description: `output ${listed([output])}: ${classes} classes, boxes decoded in the graph, NMS at IoU 0.7`,
      classes,
      strength: !isGrid ? 'possible' : isOwn ? 'certain' : 'plausible',
      decode: (outputs, context) =>
        // IoU of Ultralytics' `val`.
        decoded(
          outputOf(outputs, output).data,
          { rows: isByRow ? byRow(count, width) : byColumn(width, count), firstScore: 4, classes },
          extentsOf(context, 'yolov8'),
          0.7,
        ),
    };
  },
};

/** Behind the classes stand key points, or coefficients of masks, as many as there are prototypes in another output. */
function yolov8Classes(
  { outputs, metadata }: DecoderRequest,
  beside: number,
  known: number | undefined,
): number {
  if (known !== undefined && metadata.has('names')) return Math.min(known, beside);
  const prototypes = outputs.find(({ dims }) => dims.length === 4);
  const coefficients = 32;
  return prototypes?.dims.includes(coefficients) === true ? beside - coefficients : beside;
}

/** YOLOX: one box a cell; exports leave it to the reader to place the boxes, unless made with `--decode_in_inference`. */
export const YOLOX: Form = {
  name: 'yolox',
  wants:
    'one output [1, N, 5 + classes] with N cells of strides 8, 16, 32: x, y, width, height, objectness, class scores',
  fit(request): Fit | undefined {
    const output = soleTable(request);
    if (output === undefined) return undefined;
    const [count = 0, width = 0] = unbatched(output.dims);
    const classes = width - 5;
    const strides = pyramidOf(request.context.input, count);
    if (classes < 1 || strides === undefined) return undefined;
    return {
      kind: 'boxes',
      description: `output ${listed([output])}: ${classes} classes, cells of strides ${strides.join(', ')}, NMS at IoU 0.65`,
      classes,
      strength: familyOf(width, knownClasses(request)) === 'yolox' ? 'certain' : 'plausible',
      decode: (outputs, context) => {
        const input = extentsOf(context, 'yolox');
        const { data } = outputOf(outputs, output);
        const layout: Layout = { rows: byRow(count, width), firstScore: 5, classes };
        const grid = gridOf(input, strides);
        // IoU of `yolox.tools.eval`, which takes the best class of a row.
        return isPlaced(data, layout.rows, input.width)
          ? decoded(data, layout, input, 0.65, true)
          : placed(data, layout, input, grid);
      },
    };
  },
};

/**
 * Whether the graph has placed the boxes: their centers then spread over the input, its middle on average, while as offsets
 * to their cells they lie about 0.5; as shares of the input they do too, but no extent is below 0, as most logarithms are.
 */
function isPlaced(data: Data, { count, width }: Rows, extent: number): boolean {
  let sum = 0;
  let finite = 0;
  let smallest = Infinity;
  for (let row = 0; row < count; row++) {
    const x = data[row * width]!;
    if (!Number.isFinite(x)) continue;
    sum += x;
    finite++;
    const extents = Math.min(data[row * width + 2]!, data[row * width + 3]!);
    if (extents < smallest) smallest = extents;
  }
  return finite > 0 && (sum / finite > extent / 8 || smallest >= 0);
}

/** `demo_postprocess` of YOLOX. */
function placed(
  data: Data,
  layout: Layout,
  input: { width: number; height: number },
  grid: Grid,
): Prediction {
  const { rows, classes } = layout;
  return detect({
    rows: rows.count,
    classes,
    maxOverlap: 0.65,
    isSingleLabel: true,
    scores: scoresOf(data, layout),
    box: (row, into) => {
      const from = row * rows.rowStep;
      const stride = grid.stride[row]!;
      fromCenter(
        into,
        ((data[from]! + grid.x[row]!) * stride) / input.width,
        ((data[from + 1]! + grid.y[row]!) * stride) / input.height,
        (Math.exp(data[from + 2]!) * stride) / input.width,
        (Math.exp(data[from + 3]!) * stride) / input.height,
      );
    },
  });
}
