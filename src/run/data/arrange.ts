/** How the array of a file divides into samples of one model input. */
import { DataError } from '../../errors.js';
import { elementCount, formatDims } from '../../ir/elements.js';
import type { Dim, Shape } from '../../ir/graph.js';
import type { InputSpec } from './dataset.js';
import { layoutOf, LAYOUTS } from './image-input.js';
import type { Layout } from './image-input.js';

export interface Arrangement {
  readonly samples: number;
  /** Elements of one sample; sample i begins at element i * elements of the array in row-major order. */
  readonly elements: number;
  /** Dims of the feed. */
  readonly dims: readonly number[];
  /** Axis of the stored sample for each axis of the feed; undefined when they are the same. */
  readonly permutation: readonly number[] | undefined;
  /** Dims of the stored sample, of the rank of the feed. */
  readonly stored: readonly number[];
  /** What had to be assumed, if anything. */
  readonly note: string | undefined;
}

/** Axes of one layout in the order of the other, with the batch in front. */
const TO_LAYOUT = { nchw: [0, 3, 1, 2], nhwc: [0, 2, 3, 1] } as const;

/**
 * @param fileDims dims of the array.
 * @param layout layout of the array when the user says so; by default that of the model.
 * @throws DataError when the array is not a sample or a stack of samples of this input; the message is the reason alone.
 */
export function arrange(
  fileDims: readonly number[],
  input: InputSpec,
  layout: Layout | undefined,
): Arrangement {
  const shown = formatDims(fileDims);
  if (fileDims.includes(0)) throw new DataError(`its shape is ${shown}: a dimension of size 0 holds no data`);
  const { shape } = input;
  // The convention of the format decides nothing by itself: only what the user's --layout is compared with.
  const convention = layout === undefined ? undefined : input.layout;
  const own = shape.length === 4 ? (layoutOf(shape.slice(1)) ?? convention) : undefined;
  const direct = divide(fileDims, shape) ?? withoutOnes(fileDims, shape);
  const others = LAYOUTS.filter((other) => other !== own).flatMap((other) => {
    const arrangement = transposed(fileDims, shape, other);
    return arrangement === undefined ? [] : [{ layout: other, arrangement }];
  });
  // A shape such as [N, 6, 64, 512] does not tell its layout: then the user's word counts where it is needed.
  if (layout !== undefined && layout !== own && (own !== undefined || direct === undefined)) {
    const other = others.find((candidate) => candidate.layout === layout);
    if (other !== undefined) return other.arrangement;
    throw mismatch(fileDims, input, layout);
  }
  if (direct !== undefined) {
    const note = `${shown} read as ${own}, as the model is; it would fit as ${others[0]?.layout} too`;
    return layout === undefined && own !== undefined && others.length > 0 ? { ...direct, note } : direct;
  }
  const [other] = others;
  if (other === undefined) throw mismatch(fileDims, input);
  throw new DataError(
    `its shape is ${shown}; input ${input.name} takes ${formatDims(shape)}: the channels are on another axis`,
    { hint: `--layout ${other.layout}` },
  );
}

function mismatch(fileDims: readonly number[], { name, shape }: InputSpec, layout?: Layout): DataError {
  const how = layout === undefined ? '' : `, from ${layout}`;
  const wanted = `input ${name} takes ${formatDims(shape)}${how}`;
  // The commonest case deserves its axis: a stack of samples that differ in one extent.
  const axes = fileDims.length === shape.length ? differing(fileDims.slice(1), shape.slice(1)) : [];
  const detail =
    axes.length === 1
      ? `: axis ${axes[0]! + 1} is ${fileDims[axes[0]! + 1]}, ${shape[axes[0]! + 1]} is wanted`
      : '';
  return new DataError(
    `its shape is ${formatDims(fileDims)}; ${wanted}, one sample or a stack of them${detail}`,
  );
}

function differing(dims: readonly number[], shape: Shape): number[] {
  return dims.flatMap((dim, axis) => (fits(dim, shape[axis] ?? null) ? [] : [axis]));
}

function fits(dim: number, wanted: Dim): boolean {
  return typeof wanted !== 'number' || wanted === dim;
}

function fitsAll(dims: readonly number[], shape: Shape): boolean {
  return dims.length === shape.length && differing(dims, shape).length === 0;
}

/** Names of a leading dimension that runs along one sample instead of counting samples. */
const ALONG_SAMPLE = /seq|time|len|step|frame|token/i;

/** The three ways in which arrays hold samples: stacked on the batch axis, stacked on a new axis, one without batch. */
function divide(fileDims: readonly number[], shape: Shape): Arrangement | undefined {
  const [rows = 1, ...rest] = fileDims;
  const [batch = null, ...sample] = shape;
  if (fileDims.length === shape.length && fitsAll(rest, sample)) {
    if (shape.length === 0) return plain(1, []);
    const whole = typeof batch === 'string' && ALONG_SAMPLE.test(batch);
    if (whole) return plain(1, fileDims, `axis 0 (${batch}) runs along one sample`);
    const perSample = typeof batch === 'number' ? batch : 1;
    return rows % perSample === 0 ? plain(rows / perSample, [perSample, ...rest]) : undefined;
  }
  if (fileDims.length === shape.length + 1 && fitsAll(rest, shape)) return plain(rows, rest);
  if (fileDims.length === shape.length - 1 && batch !== 0 && fitsAll(fileDims, sample) && isOne(batch)) {
    return plain(1, [1, ...fileDims]);
  }
  return undefined;
}

function isOne(batch: Dim): boolean {
  return typeof batch !== 'number' || batch === 1;
}

/** Arrays that differ from the model only by dimensions of size 1, such as [100, 28, 28] for [N, 1, 28, 28]. */
function withoutOnes(fileDims: readonly number[], shape: Shape): Arrangement | undefined {
  const [batch = null, ...sample] = shape;
  if (!isOne(batch) || !sample.every((dim) => typeof dim === 'number')) return undefined;
  const squeezed = (dims: readonly Dim[]): string => dims.filter((dim) => dim !== 1).join('x');
  const wanted = squeezed(sample);
  const note = `${formatDims(fileDims)} read as a stack of ${formatDims(sample)}`;
  if (squeezed(fileDims.slice(1)) === wanted) return plain(fileDims[0] ?? 1, [1, ...sample], note);
  if (squeezed(fileDims) === wanted) return plain(1, [1, ...sample], note);
  return undefined;
}

/** The array in the other layout than the model's; undefined when it does not fit so. */
function transposed(fileDims: readonly number[], shape: Shape, layout: Layout): Arrangement | undefined {
  if (shape.length !== 4) return undefined;
  const stored = divide(
    fileDims,
    TO_LAYOUT[layout].map((axis) => shape[axis] ?? null),
  );
  if (stored === undefined) return undefined;
  const permutation = TO_LAYOUT[layout === 'nchw' ? 'nhwc' : 'nchw'];
  const dims = permutation.map((axis) => stored.dims[axis]!);
  return { ...stored, dims, permutation, note: `${formatDims(fileDims)} transposed from ${layout}` };
}

function plain(samples: number, dims: readonly number[], note?: string): Arrangement {
  return { samples, elements: elementCount(dims), dims, stored: dims, permutation: undefined, note };
}
