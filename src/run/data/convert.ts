/** Elements of a file as elements of a model input. */
import ndarray, { type NdArray } from 'ndarray';
import { DataError } from '../../errors.js';
import { toFloat32, toFloat64 } from '../../ir/elements.js';
import type { DType } from '../../ir/graph.js';
import type { Elements, InputQuant } from './dataset.js';
import { toFloat16Bits } from './float16.js';

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bool: Uint8Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

/** A typed array of either kind, where only the positions of the elements matter. */
interface Cells {
  [index: number]: number | bigint;
}

/** Types that can be fed to a model. */
export type FeedDType = keyof typeof ARRAYS;

export function isFeedable(dtype: DType): dtype is FeedDType {
  return Object.hasOwn(ARRAYS, dtype);
}

export function elementBytes(dtype: FeedDType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** A new array of zeros. */
export function zeros(dtype: FeedDType, length: number): Elements {
  return new ARRAYS[dtype](length);
}

/** Little-endian elements as a typed array: a view where the bytes are aligned, else a copy. */
export function asElements(bytes: Uint8Array, dtype: FeedDType): Elements {
  const width = elementBytes(dtype);
  const { buffer, byteOffset } = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new ARRAYS[dtype](buffer as ArrayBuffer, byteOffset, Math.floor(bytes.byteLength / width));
}

const FLOATS: ReadonlySet<DType> = new Set<DType>(['float16', 'float32', 'float64']);

/**
 * Why elements of one type must not be fed as another; undefined when they may.
 * 8-bit codes as floats: whether 255 stands for 1.0, 2.64 or 255 is what a calibration must not guess. Nor whether integers of
 * another type than a quantized input's are its codes or its values.
 */
export function conversionProblem(from: FeedDType, to: FeedDType, quant?: InputQuant): string | undefined {
  if (from === to) return undefined;
  if (quant !== undefined && !FLOATS.has(from)) {
    return `it holds ${from}; the input takes ${quant.dtype} codes, or the values they stand for as floats`;
  }
  if (FLOATS.has(to))
    return from === 'uint8' || from === 'int8' ? `it holds ${from} codes, not ${to}` : undefined;
  return FLOATS.has(from) ? `it holds ${from}; the input takes ${to}` : undefined;
}

/**
 * Elements converted to the type of the input: floats rounded to nearest, integers only if they fit.
 *
 * @throws DataError when an integer does not fit; the message is the reason alone.
 */
export function convertElements(data: Elements, from: FeedDType, to: FeedDType): Elements {
  if (from === to) return to === 'bool' ? checkedIntegers(data, to) : data;
  if (!FLOATS.has(to)) return checkedIntegers(data, to);
  const bytes = (): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const constant = { dtype: from, dims: [data.length], byteLength: data.byteLength, bytes };
  if (to === 'float32') return toFloat32(constant);
  const exact = toFloat64(constant);
  return to === 'float64' ? exact : toFloat16Bits(exact);
}

const INTEGER_RANGE: Readonly<Partial<Record<FeedDType, readonly [bigint, bigint]>>> = {
  bool: [0n, 1n],
  int8: [-128n, 127n],
  uint8: [0n, 255n],
  int16: [-32768n, 32767n],
  uint16: [0n, 65535n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

function checkedIntegers(data: Elements, to: FeedDType): Elements {
  const [lowest, highest] = INTEGER_RANGE[to] ?? [0n, 0n];
  const out = zeros(to, data.length);
  const cells: Cells = out;
  const wide = to === 'int64' || to === 'uint64';
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (value < lowest || value > highest) {
      throw new DataError(`its element ${i} is ${value}; ${lowest} to ${highest} fit ${to}`);
    }
    cells[i] = wide ? BigInt(value) : Number(value);
  }
  return out;
}

/**
 * @throws DataError when a float is NaN or infinite: one such value would make every statistic of the run worthless.
 */
export function checkFinite(data: Elements, dtype: FeedDType): void {
  let nan = 0;
  let infinite = 0;
  if (dtype === 'float16') {
    for (const bits of data as Uint16Array) {
      if ((bits & 0x7c00) !== 0x7c00) continue;
      if ((bits & 0x3ff) !== 0) nan++;
      else infinite++;
    }
  } else if (dtype === 'float32' || dtype === 'float64') {
    for (const value of data as Float32Array) {
      if (value - value === 0) continue;
      if (Number.isNaN(value)) nan++;
      else infinite++;
    }
  }
  if (nan + infinite === 0) return;
  const counts = [...(nan > 0 ? [`${nan} NaN`] : []), ...(infinite > 0 ? [`${infinite} infinite`] : [])];
  throw new DataError(`of its ${data.length} values ${counts.join(' and ')}`);
}

/** Reverses the bytes of every element, in place. */
export function swapBytes(bytes: Uint8Array, dtype: FeedDType): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = elementBytes(dtype);
  if (width === 2) buffer.swap16();
  else if (width === 4) buffer.swap32();
  else if (width === 8) buffer.swap64();
}

/** Elements of a row-major array in the order of other axes: axis i of the result is axis `permutation[i]`. */
export function transpose(
  data: Elements,
  dtype: FeedDType,
  dims: readonly number[],
  permutation: readonly number[],
): Elements {
  return gather(viewOf(data, dims).transpose(...permutation), dtype);
}

/** A view of the elements; without strides they are in row-major order. */
export function viewOf(data: Elements, dims: readonly number[], strides?: number[], offset?: number): View {
  // Only positions matter to a view, so one element type stands for all that ndarray's declarations tell apart.
  return ndarray(data as Float32Array<ArrayBuffer>, [...dims], strides, offset);
}

type View = NdArray<Float32Array<ArrayBuffer>>;

/** Elements of a view, in row-major order of its shape. One run of the last axis at a time: `get` checks every index. */
export function gather({ data, shape, stride, offset }: View, dtype: FeedDType): Elements {
  const out = zeros(
    dtype,
    shape.reduce((product, dim) => product * dim, 1),
  );
  const cells: Cells = out;
  const lastDim = shape.at(-1) ?? 1;
  const lastStride = stride.at(-1) ?? 1;
  const index = new Array<number>(Math.max(0, shape.length - 1)).fill(0);
  let from = offset;
  for (let to = 0; to < out.length; to += lastDim) {
    for (let i = 0; i < lastDim; i++) cells[to + i] = data[from + i * lastStride]!;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
