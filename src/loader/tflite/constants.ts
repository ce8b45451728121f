/** Constants of a TFLite file as the IR wants them: values instead of codes, axes in another order. */
import { elementCount, toFloat32, toFloat64 } from '../../ir/elements.js';
import type { ConstantData, DType } from '../../ir/graph.js';
import type { QuantParams } from '../../ir/lane.js';

type Elements =
  Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | BigInt64Array | Uint8Array;

function constantOf(
  dtype: DType,
  dims: readonly number[],
  bytesPer: number,
  make: () => Elements,
): ConstantData {
  // Several programs are compiled one after the other: what was made is kept while there is memory to spare.
  let made: WeakRef<Uint8Array> | undefined;
  return {
    dtype,
    dims,
    byteLength: elementCount(dims) * bytesPer,
    bytes() {
      const known = made?.deref();
      if (known !== undefined) return known;
      const { buffer, byteOffset, byteLength } = make();
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      made = new WeakRef(bytes);
      return bytes;
    },
  };
}

/** (code - zeroPoint) * scale in float32, computed when asked for. Axes of `codes` and `params` are the same. */
export function dequantized(codes: ConstantData, params: QuantParams): ConstantData {
  return constantOf('float32', codes.dims, 4, () => {
    const { scale, zeroPoint } = params;
    const indexOf = scaleIndex(codes.dims, params);
    const elements = toFloat64(codes);
    const values = new Float32Array(elements.length);
    for (let i = 0; i < values.length; i++) {
      const at = indexOf(i);
      values[i] = (elements[i]! - (zeroPoint[at] ?? 0)) * (scale[at] ?? 0);
    }
    return values;
  });
}

/** Which scale the i-th element (row-major) has. */
function scaleIndex(dims: readonly number[], { granularity }: QuantParams): (element: number) => number {
  if (granularity.kind === 'per-tensor') return () => 0;
  const extent = dims[granularity.axis] ?? 1;
  const inner = elementCount(dims.slice(granularity.axis + 1));
  if (granularity.kind === 'per-axis') return (i) => Math.floor(i / inner) % extent;
  const { blockSize } = granularity;
  const blocks = Math.ceil(extent / blockSize);
  return (i) => {
    const outer = Math.floor(i / (inner * extent));
    const block = Math.floor((Math.floor(i / inner) % extent) / blockSize);
    return (outer * blocks + block) * inner + (i % inner);
  };
}

/** float16 and bfloat16 as float32, which the rest of the network computes in. */
export function widened(data: ConstantData): ConstantData {
  return constantOf('float32', data.dims, 4, () => toFloat32(data));
}

/** The same elements with other extents. */
export function reshaped(data: ConstantData, dims: readonly number[]): ConstantData {
  if (elementCount(dims) !== elementCount(data.dims)) {
    throw new RangeError(`dims ${dims.join('x')} do not hold the elements of ${data.dims.join('x')}`);
  }
  return { ...data, dims, bytes: () => data.bytes() };
}

/** As ONNX Transpose: dimension j of the result is dimension perm[j] of `data`. 4-bit elements come out as int8 or uint8. */
export function transposed(data: ConstantData, perm: readonly number[]): ConstantData {
  const dims = perm.map((axis) => data.dims[axis] ?? 1);
  if (movesNothing(data.dims, perm)) return reshaped(data, dims);
  const { dtype, width } = unpackedType(data);
  return constantOf(dtype, dims, width, () => {
    const bytes = width === data.byteLength / elementCount(dims) ? data.bytes() : unpackedBytes(data);
    return permutedBytes(bytes, data.dims, perm, width);
  });
}

/** True when only extents of 1 change places, so that the elements stay in order. */
export function movesNothing(dims: readonly number[], perm: readonly number[]): boolean {
  const kept = perm.filter((axis) => dims[axis] !== 1);
  return kept.every((axis, i) => i === 0 || axis > (kept[i - 1] ?? -1));
}

function unpackedType({ dtype, dims, byteLength }: ConstantData): { dtype: DType; width: number } {
  if (/^int[24]$/.test(dtype)) return { dtype: 'int8', width: 1 };
  if (/^uint[24]$/.test(dtype)) return { dtype: 'uint8', width: 1 };
  return { dtype, width: byteLength / Math.max(1, elementCount(dims)) };
}

function unpackedBytes(data: ConstantData): Uint8Array {
  const elements = Int8Array.from(toFloat64(data));
  return new Uint8Array(elements.buffer);
}

/** Hand-written for bytes of any width: ndarray's views know numbers of one type each, and copy element by element through calls. */
function permutedBytes(
  bytes: Uint8Array,
  dims: readonly number[],
  perm: readonly number[],
  width: number,
): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const strides = dims.map((_, axis) => elementCount(dims.slice(axis + 1)));
  const extents = perm.map((axis) => dims[axis] ?? 1);
  const steps = perm.map((axis) => strides[axis] ?? 0);
  const counter = extents.map(() => 0);
  const total = elementCount(dims);
  let from = 0;
  for (let to = 0; to < total; to++) {
    for (let b = 0; b < width; b++) out[to * width + b] = bytes[from * width + b]!;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      from += steps[axis]!;
      if (++counter[axis]! < extents[axis]!) break;
      from -= steps[axis]! * extents[axis]!;
      counter[axis] = 0;
    }
  }
  return out;
}
