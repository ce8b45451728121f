/** How an input of the model takes an image: which of its dimensions are channels, height and width. */
import { DataError, UsageError } from '../../errors.js';
import { formatDims } from '../../ir/elements.js';
import type { Dim, Shape } from '../../ir/graph.js';
import type { InputSpec } from './dataset.js';

export const LAYOUTS = ['nchw', 'nhwc'] as const;
/** Channels before or after the pixels; the batch dimension may be missing. */
export type Layout = (typeof LAYOUTS)[number];

export interface ImageInput {
  readonly layout: Layout;
  /** Whether the model, by its shape or the convention of its format, says so. */
  readonly layoutFrom: 'flag' | 'model' | 'default';
  /** Undefined when the model leaves it open. */
  readonly channels: 1 | 3 | undefined;
  readonly height: number | undefined;
  readonly width: number | undefined;
  /** Dims of a feed: a 1 for the batch if the input has one. */
  dims(channels: number, height: number, width: number): readonly number[];
}

/** Extents that are taken for a number of channels when the layout is read off a shape, the likelier ones first. */
const CHANNEL_COUNTS: readonly (readonly Dim[])[] = [[1, 3], [4]];

/**
 * @param layout the user's choice.
 * @param flag the flag that data is given with, for hints.
 * @throws DataError when the input cannot take one image.
 * @throws UsageError when the layout contradicts the shape.
 */
export function imageInput(input: InputSpec, layout: Layout | undefined, flag: string): ImageInput {
  const { name, shape } = input;
  const asArrays = { hint: `${flag} ${name}=FILE.npy feeds any shape` };
  if (shape.length !== 4 && shape.length !== 3) {
    throw new DataError(
      `input ${name} has shape ${formatDims(shape)}; images need 3 or 4 dimensions`,
      asArrays,
    );
  }
  const image = shape.length === 4 ? shape.slice(1) : withoutBatch(shape);
  if (shape.length === 4 && typeof shape[0] === 'number' && shape[0] !== 1) {
    throw new DataError(
      `input ${name} has shape ${formatDims(shape)}, a fixed batch of ${shape[0]}; images are fed one at a time`,
      asArrays,
    );
  }
  const read = layoutOf(image);
  const chosen = layout ?? read ?? input.layout ?? 'nchw';
  const [channelDim, height, width] =
    chosen === 'nchw' ? [image[0], image[1], image[2]] : [image[2], image[0], image[1]];
  const channels = fixed(channelDim);
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    const message = `input ${name} has shape ${formatDims(shape)}, ${channels} channels as ${chosen}; images give 1 or 3`;
    if (layout !== undefined && read !== undefined && read !== layout) {
      throw new UsageError(message, { hint: `--layout ${read}` });
    }
    throw new DataError(message, asArrays);
  }
  const batch = shape.length === 4 ? [1] : [];
  return {
    layout: chosen,
    layoutFrom: layout !== undefined ? 'flag' : (read ?? input.layout) !== undefined ? 'model' : 'default',
    channels,
    height: fixed(height),
    width: fixed(width),
    dims: (c, h, w) => [...batch, ...(chosen === 'nchw' ? [c, h, w] : [h, w, c])],
  };
}

/** A leading extent that is open or 1 beside two fixed ones is a batch without a channel dimension: one grey channel. */
function withoutBatch(shape: Shape): Shape {
  return typeof shape[0] === 'number' ? shape : [1, shape[1] ?? null, shape[2] ?? null];
}

/** Of a shape without its batch; undefined when it does not tell. */
export function layoutOf([first = null, , last = null]: Shape): Layout | undefined {
  for (const counts of CHANNEL_COUNTS) {
    const isFirst = counts.includes(first);
    const isLast = counts.includes(last);
    if (isFirst !== isLast) return isFirst ? 'nchw' : 'nhwc';
    if (isFirst) return undefined;
  }
  return undefined;
}

function fixed(dim: Dim | undefined): number | undefined {
  return typeof dim === 'number' ? dim : undefined;
}
