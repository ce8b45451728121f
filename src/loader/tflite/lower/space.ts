/** Pictures whose elements move between space and channels, or between space and the batch. */
import type { TensorId } from '../../../ir/graph.js';
import type { Layout, Lowering, Rule } from './lowering.js';
import { Unlowerable } from './lowering.js';
import { checkOutput, dims4 } from './window.js';

/** The file's order of channels is ONNX's depth-column-row: which element of the block, then which channel. */
const depthToSpace: Rule = (lowering) => {
  const channels = dims4(lowering, 0)[3];
  const blocksize = lowering.intOption('blockSize');
  if (blocksize < 1 || channels % blocksize ** 2 !== 0) {
    throw new Unlowerable(`${channels} channels in blocks of ${blocksize} by ${blocksize}`);
  }
  const input = lowering.input(0, 'channels-first');
  lowering.write(0, 'channels-first', 'DepthToSpace', [input], { blocksize, mode: 'DCR' });
};

const spaceToDepth: Rule = (lowering) => {
  const [, height, width] = dims4(lowering, 0);
  const blocksize = lowering.intOption('blockSize');
  if (blocksize < 1 || height % blocksize !== 0 || width % blocksize !== 0) {
    throw new Unlowerable(`${height} by ${width} elements in blocks of ${blocksize} by ${blocksize}`);
  }
  const input = lowering.input(0, 'channels-first');
  lowering.write(0, 'channels-first', 'SpaceToDepth', [input], { blocksize });
};

/** One axis of a tensor that is split into blocks: `block` is 1 for the batch and the channels. */
interface BlockAxis {
  readonly extent: number;
  readonly block: number;
  /** Elements added (or cut off) at both ends. */
  readonly margin: readonly [before: number, after: number];
}

/** Axes of [N, spatial..., C] in the file's order, blocks from input 1 and margins from input 2. */
function blockAxes(lowering: Lowering): BlockAxis[] {
  const dims = lowering.shape(0);
  const blocks = lowering.integers(1);
  const margins = lowering.integers(2);
  const spatial = dims.length - 2;
  if (spatial < 1 || spatial > 2 || blocks.length !== spatial || margins.length !== 2 * spatial) {
    throw new Unlowerable(`${blocks.length} blocks and ${margins.length} margins for rank ${dims.length}`);
  }
  const wrong = [...blocks.filter((block) => block < 1), ...margins.filter((margin) => margin < 0)];
  if (wrong.length > 0) throw new Unlowerable(`a block or margin of ${wrong[0] ?? 0}`);
  return dims.map((extent, axis) => {
    const inner = axis > 0 && axis <= spatial;
    const margin = inner
      ? ([margins[2 * axis - 2] ?? 0, margins[2 * axis - 1] ?? 0] as const)
      : ([0, 0] as const);
    return { extent, block: inner ? (blocks[axis - 1] ?? 1) : 1, margin };
  });
}

function hasMargins(axes: readonly BlockAxis[]): boolean {
  return axes.some(({ margin }) => margin.some((count) => count > 0));
}

function padded(lowering: Lowering, input: TensorId, axes: readonly BlockAxis[]): TensorId {
  if (!hasMargins(axes)) return input;
  const pads = [...axes.map(({ margin }) => margin[0]), ...axes.map(({ margin }) => margin[1])];
  return lowering.step('Pad', [input, lowering.ints(pads)]);
}

function blocked(axes: readonly BlockAxis[]): number[] {
  return axes.flatMap(({ block }, axis) => (block > 1 ? [axis] : []));
}

/**
 * Element (y, x) of every block becomes picture y · blockWidth + x, with the batch inside
 * (tensorflow/lite/kernels/internal/reference/space_to_batch_nd.h). Axes with blocks are split in two, the elements of the
 * blocks are brought to the front, and joined with the batch.
 */
const spaceToBatch: Rule = (lowering) => {
  const fileAxes = blockAxes(lowering);
  const pictures = fileAxes.reduce((product, { block }) => product * block, lowering.shape(0)[0] ?? 1);
  const extents = fileAxes.slice(1).map(({ extent, block, margin }) => {
    const total = extent + margin[0] + margin[1];
    if (total % block !== 0) throw new Unlowerable(`${total} elements in blocks of ${block}`);
    return total / block;
  });
  checkOutput(lowering, [pictures, ...extents]);

  const layout = lowering.commonLayout([0]);
  const axes = lowering.inLayout(layout, fileAxes);
  // 0 keeps the batch as it is, -1 is whatever it becomes.
  const shape = [-1, ...lowering.inLayout(layout, [pictures, ...extents]).slice(1)];
  const split: number[] = [];
  const within: number[] = [];
  const outer: number[] = [];
  for (const [axis, { block }] of axes.entries()) {
    outer.push(split.length);
    split.push(axis === 0 ? 0 : (shape[axis] ?? 1));
    if (block === 1) continue;
    within.push(split.length);
    split.push(block);
  }
  const input = padded(lowering, lowering.input(0, layout), axes);
  const parts = lowering.step('Reshape', [input, lowering.ints(split)]);
  const moved = lowering.main('Transpose', [parts], { perm: [...within, ...outer] });
  lowering.write(0, layout, 'Reshape', [moved, lowering.ints(shape)]);
};

/** The inverse; what was padding is cut off. */
const batchToSpace: Rule = (lowering) => {
  const layout = lowering.commonLayout([0]);
  const axes = lowering.inLayout(layout, blockAxes(lowering));
  const inBlocks = blocked(axes);
  const pictures = axes[0]?.extent ?? 0;
  const perBlock = inBlocks.reduce((product, axis) => product * (axes[axis]?.block ?? 1), 1);
  if (pictures % perBlock !== 0) throw new Unlowerable(`${pictures} pictures in blocks of ${perBlock}`);

  const split = [
    ...inBlocks.map((axis) => axes[axis]?.block ?? 1),
    -1,
    ...axes.slice(1).map((axis) => axis.extent),
  ];
  const perm = axes.flatMap((_, axis) => {
    const block = inBlocks.indexOf(axis);
    return block < 0 ? [inBlocks.length + axis] : [inBlocks.length + axis, block];
  });
  const joined = axes.map(({ extent, block }, axis) => (axis === 0 ? -1 : extent * block));
  const parts = lowering.step('Reshape', [lowering.input(0, layout), lowering.ints(split)]);
  const moved = lowering.main('Transpose', [parts], { perm });
  if (!hasMargins(axes)) {
    lowering.write(0, layout, 'Reshape', [moved, lowering.ints(joined)]);
    return;
  }
  const whole = lowering.step('Reshape', [moved, lowering.ints(joined)]);
  writeCropped(lowering, layout, whole, axes);
};

/** Output 0 is `input` without its margins. */
function writeCropped(lowering: Lowering, layout: Layout, input: TensorId, axes: readonly BlockAxis[]): void {
  const cropped = axes.flatMap((axis, at) =>
    axis.margin.some((count) => count > 0) ? [{ ...axis, at }] : [],
  );
  for (const { extent, block, margin } of cropped) {
    const total = extent * block;
    if (margin[0] + margin[1] >= total)
      throw new Unlowerable(`crops of ${margin.join(' and ')} from ${total}`);
  }
  lowering.write(0, layout, 'Slice', [
    input,
    lowering.ints(cropped.map(({ margin }) => margin[0])),
    lowering.ints(cropped.map(({ extent, block, margin }) => extent * block - margin[1])),
    lowering.ints(cropped.map(({ at }) => at)),
  ]);
}

export const SPACE_RULES: Readonly<Record<string, Rule>> = {
  DEPTH_TO_SPACE: depthToSpace,
  SPACE_TO_DEPTH: spaceToDepth,
  SPACE_TO_BATCH_ND: spaceToBatch,
  BATCH_TO_SPACE_ND: batchToSpace,
};
