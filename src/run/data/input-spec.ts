/** Questions about the inputs of a model that every kind of data asks. */
import { UsageError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import { isFeedable } from './convert.js';
import type { FeedDType } from './convert.js';
import type { InputSpec } from './dataset.js';

/** @throws UsageError for strings, sub-byte types and the like, which cannot be fed. */
export function feedType({ name, dtype }: InputSpec): FeedDType {
  if (isFeedable(dtype)) return dtype;
  throw new UsageError(`input ${name} has type ${dtype}, which cannot be fed`);
}

/**
 * Dims of one sample: an open batch is 1.
 *
 * @param data what needs them, for the message.
 * @throws UsageError when another dimension is open or 0.
 */
export function fixedDims({ name, shape }: InputSpec, data: string): readonly number[] {
  const dims = shape.map((dim, axis) => (axis === 0 && typeof dim !== 'number' ? 1 : dim));
  const fixed = dims.filter((dim) => typeof dim === 'number');
  if (fixed.length === dims.length && elementCount(fixed) > 0) return fixed;
  const example = dims.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 128)).join('x');
  throw new UsageError(`input ${name} has shape ${formatDims(shape)}; ${data} needs fixed sizes`, {
    hint: `--shape ${name}=${example}`,
  });
}

/** A list of the inputs for messages. */
export function describeInputs(inputs: readonly InputSpec[]): string {
  return inputs
    .map(({ name, dtype, shape, quant }) => `${name} (${quant?.dtype ?? dtype} ${formatDims(shape)})`)
    .join(', ');
}
