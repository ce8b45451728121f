/**
 * NanoDet and PicoDet: heads of Generalized Focal Loss (https://arxiv.org/abs/2006.04388). The distance of each edge from the
 * cell, in strides, is the mean of a distribution over 0 to reg_max that a softmax makes.
 */
import { knownClasses, listed } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { gridOf, pyramidOf, strideOf } from './grids.js';
import { detect } from './nms.js';
import type { DecodeContext, NetworkOutput, Prediction } from './prediction.js';
import { areLogits, byColumn, byRow, outputOf, sigmoid } from './rows.js';
import type { Rows } from './rows.js';
import { NANODET_EXTRA, extentsOf, familyOf, soleTable } from './yolo.js';

/** Where scores or distances of the cells of some feature maps stand. */
interface Part {
  readonly output: OutputForm;
  readonly rows: Rows;
  readonly firstColumn: number;
}

/** Feature maps that stand in one output, or one feature map. */
interface Level {
  readonly strides: readonly number[];
  readonly scores: Part;
  readonly distances: Part;
}

interface Heads {
  readonly levels: readonly Level[];
  readonly classes: number;
  /** Values for each edge: reg_max + 1. */
  readonly steps: number;
}

/** Of one output with all: scores, then distances. */
function together(request: DecoderRequest): Heads | undefined {
  const output = soleTable(request);
  if (output === undefined) return undefined;
  const [count = 0, width = 0] = output.dims.slice(1);
  const strides = pyramidOf(request.context.input, count);
  const known = knownClasses(request);
  const extra = known !== undefined && isDistribution(width - known) ? width - known : NANODET_EXTRA;
  const classes = width - extra;
  if (strides === undefined || classes < 1) return undefined;
  const rows = byRow(count, width);
  const level = {
    strides,
    scores: { output, rows, firstColumn: 0 },
    distances: { output, rows, firstColumn: classes },
  };
  return { levels: [level], classes, steps: extra / 4 };
}

/** Four edges, two values each at least. */
function isDistribution(width: number): boolean {
  return width % 4 === 0 && width >= 8;
}

/** `[1, cells, width]`, `[1, width, cells]`, `[1, width, H, W]` or `[1, H, W, width]` of one feature map. */
function mapOf(
  output: OutputForm,
  { context, format }: DecoderRequest,
): (Part & { stride: number }) | undefined {
  const { input } = context;
  const [batch, ...dims] = output.dims;
  if (input === undefined || batch !== 1) return undefined;
  const [a = 0, b = 0, c = 0] = dims;
  const ways: Rows[] =
    dims.length === 2
      ? [byRow(a, b), byColumn(a, b)]
      : dims.length === 3
        ? [byColumn(a, b * c), byRow(a * b, c)]
        : [];
  if (dims.length === 3 && format === 'tflite') ways.reverse();
  for (const rows of ways) {
    const stride = strideOf(input, rows.count);
    if (stride !== undefined) return { output, rows, firstColumn: 0, stride };
  }
  return undefined;
}

/** Of outputs of their own for scores and distances of each feature map, paired by their number of cells. */
function apart(request: DecoderRequest): Heads | undefined {
  const maps = request.outputs.map((output) => mapOf(output, request));
  const found = maps.filter((map) => map !== undefined);
  if (found.length < 4 || found.length !== maps.length) return undefined;
  const strides = [...new Set(found.map(({ stride }) => stride))].sort((a, b) => a - b);
  const pairs = strides.map((stride) => found.filter((map) => map.stride === stride));
  if (pairs.some((pair) => pair.length !== 2)) return undefined;
  // The width that all feature maps share, and that only distances can have when the two differ so.
  const widths = pairs.map((pair) => pair.map(({ rows }) => rows.width).sort((a, b) => a - b));
  const [low = 0, high = 0] = widths[0]!;
  if (widths.some((pair) => pair[0] !== low || pair[1] !== high) || low === high) return undefined;
  const width = distanceWidth(low, high, knownClasses(request));
  if (width === undefined) return undefined;
  const levels = pairs.map((pair, at) => ({
    strides: [strides[at]!],
    scores: pair.find(({ rows }) => rows.width !== width)!,
    distances: pair.find(({ rows }) => rows.width === width)!,
  }));
  return { levels, classes: low + high - width, steps: width / 4 };
}

function distanceWidth(low: number, high: number, known: number | undefined): number | undefined {
  if (known === low || known === high) {
    const other = low + high - known;
    return isDistribution(other) ? other : undefined;
  }
  if (low === NANODET_EXTRA || high === NANODET_EXTRA) return NANODET_EXTRA;
  const possible = [low, high].filter(isDistribution);
  return possible.length === 1 ? possible[0] : undefined;
}

/**
 * @param offset of a cell's point from its upper left corner, in strides.
 * @param isCut whether boxes end at the input's edges before they are compared
 */
function decoded(
  { levels, classes, steps }: Heads,
  offset: number,
  isCut: boolean,
  name: string,
): (outputs: readonly NetworkOutput[], context: DecodeContext) => Prediction {
  return (outputs, context) => {
    const input = extentsOf(context, name);
    const grid = gridOf(
      input,
      levels.flatMap(({ strides }) => strides),
    );
    const sources: { level: number; row: number }[] = [];
    const data = levels.map(({ scores, distances }, level) => {
      for (let row = 0; row < scores.rows.count; row++) sources.push({ level, row });
      const values = outputOf(outputs, scores.output).data;
      const squash = areLogits(values, scores.rows, 0, classes);
      return { scores: values, distances: outputOf(outputs, distances.output).data, squash };
    });
    const edge = new Float64Array(steps);
    return detect({
      rows: sources.length,
      classes,
      // IoU of the configurations of NanoDet and PicoDet.
      maxOverlap: 0.6,
      scores: (at, into) => {
        const { level, row } = sources[at]!;
        const { rows } = levels[level]!.scores;
        const { scores, squash } = data[level]!;
        let isFinite = true;
        for (let label = 0; label < classes; label++) {
          const value = scores[row * rows.rowStep + label * rows.columnStep]!;
          if (value - value !== 0) isFinite = false;
          into[label] = squash ? sigmoid(value) : value;
        }
        return isFinite;
      },
      box: (at, into) => {
        const { level, row } = sources[at]!;
        const { rows, firstColumn } = levels[level]!.distances;
        const stride = grid.stride[at]!;
        const center = [(grid.x[at]! + offset) * stride, (grid.y[at]! + offset) * stride] as const;
        for (let side = 0; side < 4; side++) {
          const from = row * rows.rowStep + (firstColumn + side * steps) * rows.columnStep;
          for (let step = 0; step < steps; step++) {
            edge[step] = data[level]!.distances[from + step * rows.columnStep]!;
          }
          const distance = meanOf(edge) * stride;
          const extent = side % 2 === 0 ? input.width : input.height;
          const pixels = center[side % 2]! + (side < 2 ? -distance : distance);
          into[side] = isCut ? Math.min(1, Math.max(0, pixels / extent)) : pixels / extent;
        }
      },
    });
  };
}

/** Mean of 0, 1, 2 … under the softmax of the logits. */
function meanOf(logits: Float64Array): number {
  let largest = -Infinity;
  for (const logit of logits) if (!(logit <= largest)) largest = logit;
  let sum = 0;
  let weighted = 0;
  for (let step = 0; step < logits.length; step++) {
    const weight = Math.exp(logits[step]! - largest);
    sum += weight;
    weighted += step * weight;
  }
  return weighted / sum;
}

function description({ levels, classes, steps }: Heads, request: DecoderRequest, offset: number): string {
  const strides = levels.flatMap((level) => level.strides).join(', ');
  const corner = offset === 0 ? 'corners' : 'centers';
  return `${listed(request.outputs)}: ${classes} classes, ${steps} steps an edge from ${corner} of cells of strides ${strides}, NMS at IoU 0.6`;
}

export const NANODET: Form = {
  name: 'nanodet',
  wants:
    'one output [1, N, classes + 4 (reg_max + 1)], or scores [1, cells, classes] and distances [1, cells, 4 (reg_max + 1)] of each stride',
  fit(request): Fit | undefined {
    const one = together(request);
    const heads = one ?? apart(request);
    if (heads === undefined) return undefined;
    // NanoDet-Plus, which has a fourth stride, measures from the corners of its cells; NanoDet before it from the centers.
    const offset = heads.levels.flatMap(({ strides }) => strides).length === 4 && one !== undefined ? 0 : 0.5;
    const known = knownClasses(request);
    const isOwn = one !== undefined && familyOf(heads.classes + 4 * heads.steps, known) === 'nanodet';
    return {
      kind: 'boxes',
      description: description(heads, request, offset),
      classes: heads.classes,
      // Three strides apart are those of the first NanoDet; PicoDet has four.
      strength: isOwn || (one === undefined && heads.levels.length === 3) ? 'certain' : 'plausible',
      decode: decoded(heads, offset, true, 'nanodet'),
    };
  },
};

export const PICODET: Form = {
  name: 'picodet',
  wants:
    'scores [1, cells, classes] and distances [1, cells, 4 (reg_max + 1)] of each stride, or one output [1, N, classes + 4 (reg_max + 1)]',
  fit(request): Fit | undefined {
    const several = apart(request);
    const heads = several ?? together(request);
    if (heads === undefined) return undefined;
    return {
      kind: 'boxes',
      description: description(heads, request, 0.5),
      classes: heads.classes,
      strength: several !== undefined && heads.levels.length === 4 ? 'certain' : 'possible',
      decode: decoded(heads, 0.5, false, 'picodet'),
    };
  },
};
