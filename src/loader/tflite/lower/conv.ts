/** Convolutions. The file has weights with the input channels last (2-D) or before the filters (3-D), ONNX has [M, C/group, ...]. */
import type { Lowering, Rule } from './lowering.js';
import { Unlowerable } from './lowering.js';
import type { Window } from './window.js';
import { requireOneType } from './operands.js';
import { dims4, dims5, paddingOf, spanOf, windowAttrs, windowCount, writeInRange } from './window.js';

const PLANE = ['H', 'W'] as const;
const VOLUME = ['D', 'H', 'W'] as const;
type SpatialAxes = typeof PLANE | typeof VOLUME;

function paddingOption(lowering: Lowering): string {
  return String(lowering.option('padding'));
}

function windows(
  lowering: Lowering,
  axes: SpatialAxes,
  extents: readonly number[],
  kernel: readonly number[],
  canDilate = true,
): Window[] {
  return axes.map((axis, i) => ({
    extent: extents[i] ?? 0,
    kernel: kernel[i] ?? 0,
    stride: lowering.intOption(`stride${axis}`),
    dilation: canDilate ? lowering.intOption(`dilation${axis}Factor`) : 1,
  }));
}

/** Groups of a convolution whose filters see only `seen` of the input's channels. */
function groupsOf(channels: number, seen: number, filters: number): number {
  const group = channels / seen;
  if (!Number.isInteger(group) || group < 1 || filters % group !== 0) {
    throw new Unlowerable(
      `${filters} filters over ${seen} channels do not fit an input of ${channels} channels`,
    );
  }
  return group;
}

/** Input 0 convolved with input 1, its axes as `perm` says; input 2 is the bias. */
function writeConv(
  lowering: Lowering,
  perm: readonly number[],
  group: number,
  along: readonly Window[],
): void {
  requireOneType(lowering, 0, 1);
  const inputs = [lowering.input(0, 'channels-first'), lowering.permuted(1, perm)];
  if (lowering.has(2)) inputs.push(lowering.input(2, 'file'));
  const attrs = { group, ...windowAttrs(paddingOption(lowering), along) };
  writeInRange(lowering, 'channels-first', 'Conv', inputs, attrs);
}

/** Weights [O, H, W, I / group]. */
const conv2d: Rule = (lowering) => {
  const [, height, width, channels] = dims4(lowering, 0);
  const [filters, kernelHeight, kernelWidth, seen] = dims4(lowering, 1);
  const along = windows(lowering, PLANE, [height, width], [kernelHeight, kernelWidth]);
  writeConv(lowering, [0, 3, 1, 2], groupsOf(channels, seen, filters), along);
};

/** Weights [1, H, W, C · multiplier]; the multiplier follows from them, as in the kernel, whatever `depthMultiplier` says. */
const depthwiseConv2d: Rule = (lowering) => {
  const [, height, width, channels] = dims4(lowering, 0);
  const [one, kernelHeight, kernelWidth, filters] = dims4(lowering, 1);
  if (one !== 1) throw new Unlowerable(`depthwise weights start with dimension ${one}, not 1`);
  const along = windows(lowering, PLANE, [height, width], [kernelHeight, kernelWidth]);
  writeConv(lowering, [3, 0, 1, 2], groupsOf(channels, 1, filters), along);
};

/** Weights [D, H, W, I, O]. */
const conv3d: Rule = (lowering) => {
  const [, depth, height, width, channels] = dims5(lowering, 0);
  const [kernelDepth, kernelHeight, kernelWidth, seen, filters] = dims5(lowering, 1);
  const kernel = [kernelDepth, kernelHeight, kernelWidth];
  const along = windows(lowering, VOLUME, [depth, height, width], kernel);
  writeConv(lowering, [4, 3, 0, 1, 2], groupsOf(channels, seen, filters), along);
};

/** Spatial extents of a transposed convolution's output: input 0, or the file's shape of the output where the network computes it. */
function transposedExtents(lowering: Lowering, along: readonly Window[]): number[] {
  const isConstant = lowering.constant(0) !== undefined;
  const declared = (isConstant ? lowering.integers(0) : lowering.outputShape()).slice(1, -1);
  return along.map((window, i) => {
    const extent = declared[i] ?? 0;
    if (extent < 1 || windowCount(paddingOption(lowering), { ...window, extent }) !== window.extent) {
      throw new Unlowerable(`${window.extent} elements do not become ${extent} with its window`);
    }
    return extent;
  });
}

/**
 * A transposed convolution writes what the convolution with the same window would have read: its padding is that of the
 * convolution over the output, its size the output's (tensorflow/lite/kernels/transpose_conv.cc). ONNX crops by `pads`.
 */
function writeTransposedConv(lowering: Lowering, perm: readonly number[], along: readonly Window[]): void {
  const padding = paddingOption(lowering);
  const extents = transposedExtents(lowering, along);
  const over = along.map((window, i) => ({ ...window, extent: extents[i] ?? 0 }));
  const before = over.map((window) => paddingOf(padding, window)[0]);
  const surplus = along.map((window, i) => {
    const full = (window.extent - 1) * window.stride + spanOf(window);
    return full - (before[i] ?? 0) - (extents[i] ?? 0);
  });
  requireOneType(lowering, 2, 1);
  const inputs = [lowering.input(2, 'channels-first'), lowering.permuted(1, perm)];
  if (lowering.has(3)) inputs.push(lowering.input(3, 'file'));
  writeInRange(lowering, 'channels-first', 'ConvTranspose', inputs, {
    ...windowAttrs(padding, over),
    pads: [...before, ...surplus.map((count) => Math.max(0, count))],
    output_padding: surplus.map((count) => Math.max(0, -count)),
  });
}

/** Weights [O, H, W, I]. */
const transposeConv: Rule = (lowering) => {
  const [, kernelHeight, kernelWidth, seen] = dims4(lowering, 1);
  const [, height, width, channels] = dims4(lowering, 2);
  if (seen !== channels) throw new Unlowerable(`weights over ${seen} channels, the input has ${channels}`);
  const along = windows(lowering, PLANE, [height, width], [kernelHeight, kernelWidth], false);
  writeTransposedConv(lowering, [3, 0, 1, 2], along);
};

/** Weights [D, H, W, O, I]. */
const conv3dTranspose: Rule = (lowering) => {
  const [kernelDepth, kernelHeight, kernelWidth, , seen] = dims5(lowering, 1);
  const [, depth, height, width, channels] = dims5(lowering, 2);
  if (seen !== channels) throw new Unlowerable(`weights over ${seen} channels, the input has ${channels}`);
  const kernel = [kernelDepth, kernelHeight, kernelWidth];
  writeTransposedConv(lowering, [4, 3, 0, 1, 2], windows(lowering, VOLUME, [depth, height, width], kernel));
};

export const CONV_RULES: Readonly<Record<string, Rule>> = {
  CONV_2D: conv2d,
  DEPTHWISE_CONV_2D: depthwiseConv2d,
  CONV_3D: conv3d,
  TRANSPOSE_CONV: transposeConv,
  CONV_3D_TRANSPOSE: conv3dTranspose,
};
