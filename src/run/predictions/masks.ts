/** Networks that say a class for every cell of a grid, and those that end in ArgMax. */
import { squeezed, isWhole, listed, unbatched } from './form.js';
import type { DecoderRequest, Fit, Form, OutputForm } from './form.js';
import { LARGEST_CLASS, classOf } from './classes.js';
import type { MaskPrediction, NetworkOutput } from './prediction.js';
import { areLogits, byRow, outputOf } from './rows.js';

interface Grid {
  readonly output: OutputForm;
  readonly width: number;
  readonly height: number;
  /** Scores for each cell. */
  readonly channels: number;
  /** Value of channel c at cell i: i * cellStep + c * channelStep. */
  readonly cellStep: number;
  readonly channelStep: number;
  /** The grid covers the input in whole strides. */
  readonly isOfInput: boolean;
}

/** Whether cells of this grid divide the input alike in both directions. */
function covers(height: number, width: number, { context: { input } }: DecoderRequest): boolean {
  if (input === undefined) return false;
  if (height > input.height || width > input.width || height < 1 || width < 1) return false;
  // Feature maps of padded convolutions are rounded up, of aligned corners one larger.
  const stride = Math.round(input.height / height);
  return Math.abs(input.width / stride - width) <= 1 && Math.abs(input.height / stride - height) <= 1;
}

/** The dimension of three that holds the classes is the first or the last. */
function gridOf(output: OutputForm, request: DecoderRequest): Grid | undefined {
  const dims = unbatched(output.dims);
  if (output.dims.length < 3 || output.dims.length > 4) return undefined;
  if (dims.length === 2) {
    const [height = 0, width = 0] = dims;
    const isOfInput = covers(height, width, request);
    return { output, width, height, channels: 1, cellStep: 1, channelStep: 1, isOfInput };
  }
  if (dims.length !== 3) return undefined;
  const [a = 0, b = 0, c = 0] = dims;
  const first = { output, width: c, height: b, channels: a, cellStep: 1, channelStep: b * c };
  const last = { output, width: b, height: a, channels: c, cellStep: c, channelStep: 1 };
  const isFirst = covers(b, c, request);
  const isLast = covers(a, b, request);
  if (isFirst !== isLast) return { ...(isFirst ? first : last), isOfInput: true };
  const smaller = a === c ? undefined : a < c ? first : last;
  const byFormat = request.format === 'tflite' ? last : first;
  return { ...(isFirst ? byFormat : (smaller ?? byFormat)), isOfInput: isFirst };
}

/** The output among several that is the likeliest mask; undefined when none or several are. */
function soleGrid(request: DecoderRequest, isWanted: (grid: Grid) => boolean): Grid | undefined {
  const grids = request.outputs
    .flatMap((output) => gridOf(output, request) ?? [])
    .filter((grid) => grid.width * grid.height > 1 && isWanted(grid));
  return grids.length === 1 ? grids[0] : undefined;
}

/** Without a dimension for scores: one value for each cell is its class, more likely than its score. */
function isPlain({ output }: Grid): boolean {
  return unbatched(output.dims).length === 2;
}

export const ARGMAX: Form = {
  name: 'argmax',
  wants: 'one output of classes as whole numbers: one number, or [1, H, W]',
  fit(request): Fit | undefined {
    const [output] = request.outputs;
    if (output === undefined || request.outputs.length !== 1) return undefined;
    if (squeezed(output.dims).length === 0) {
      return {
        kind: 'class',
        description: `output ${listed([output])}: the class`,
        strength: isWhole(output) ? 'certain' : 'possible',
        decode: (outputs) => ({ kind: 'class', label: classOf(outputOf(outputs, output).data[0]!, output) }),
      };
    }
    const grid = soleGrid(request, ({ channels }) => channels === 1);
    if (grid === undefined) return undefined;
    const { width, height } = grid;
    return {
      kind: 'mask',
      description: `output ${listed([output])}: the class of each of ${height}x${width} cells`,
      strength: isWhole(output) ? 'certain' : isPlain(grid) && grid.isOfInput ? 'plausible' : 'possible',
      decode: (outputs) => {
        const data = Uint16Array.from(outputOf(outputs, output).data, (value) => classOf(value, output));
        return { kind: 'mask', width, height, data, ties: 0, nonFinite: 0 };
      },
    };
  },
};

export const SEGMENTATION: Form = {
  name: 'segmentation',
  wants: 'one output [1, H, W, classes] or [1, classes, H, W] of scores',
  fit(request): Fit | undefined {
    const grid = soleGrid(
      request,
      ({ output, channels }) => !isWhole(output) && channels >= 1 && channels <= LARGEST_CLASS,
    );
    if (grid === undefined) return undefined;
    const { output, channels, width, height, isOfInput } = grid;
    const classes = Math.max(2, channels);
    const scores = channels === 1 ? 'one score, of class 1' : `scores of ${channels} classes`;
    return {
      kind: 'mask',
      description: `output ${listed([output])}: ${scores} for each of ${height}x${width} cells`,
      classes,
      strength: isPlain(grid) ? 'possible' : isOfInput ? 'certain' : 'plausible',
      decode: (outputs) => {
        const { data } = outputOf(outputs, output);
        return channels === 1 ? thresholded(data, grid) : largest(data, grid);
      },
    };
  },
};

/** Class with the largest score; NaN counts as the smallest. */
function largest(data: NetworkOutput['data'], grid: Grid): MaskPrediction {
  const { width, height, channels, cellStep, channelStep } = grid;
  const labels = new Uint16Array(width * height);
  let ties = 0;
  let nonFinite = 0;
  for (let cell = 0; cell < labels.length; cell++) {
    const from = cell * cellStep;
    let best = -Infinity;
    let label = 0;
    let isTied = false;
    let isFinite = true;
    for (let channel = 0; channel < channels; channel++) {
      const score = data[from + channel * channelStep]!;
      // Neither NaN nor an infinite value equals 0 after taking it from itself.
      if (score - score !== 0) isFinite = false;
      if (score > best) {
        best = score;
        label = channel;
        isTied = false;
      } else if (score === best) isTied = true;
    }
    labels[cell] = label;
    if (!isFinite) nonFinite++;
    else if (isTied) ties++;
  }
  return { kind: 'mask', width, height, data: labels, classes: channels, ties, nonFinite };
}

/** Class 1 where a probability is above 0.5, a logit above 0. */
function thresholded(data: NetworkOutput['data'], { width, height }: Grid): MaskPrediction {
  const labels = new Uint16Array(width * height);
  const level = areLogits(data, byRow(labels.length, 1), 0, 1) ? 0 : 0.5;
  let ties = 0;
  let nonFinite = 0;
  for (let cell = 0; cell < labels.length; cell++) {
    const score = data[cell]!;
    if (score > level) labels[cell] = 1;
    if (score === level) ties++;
    if (!Number.isFinite(score)) nonFinite++;
  }
  return { kind: 'mask', width, height, data: labels, classes: 2, ties, nonFinite };
}
