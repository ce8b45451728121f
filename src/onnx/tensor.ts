/**
 * TensorProto -> ConstantData: the elements stay where they are (a view of the model file, the external file) until asked
 * for. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, message TensorProto
 */
import { LoadError } from '../errors.js';
import { elementCount, formatDims, packedByteLength } from '../ir/elements.js';
import type { ConstantData, DType } from '../ir/graph.js';
import { dtypeName } from '../ir/onnx-data-type.js';
import { onnx, toNumber } from './proto.js';
import type { Int64, TensorProto } from './proto.js';

const NO_BYTES = new Uint8Array(0);

/** Finds the bytes of tensors that lie outside the message. */
export interface ExternalSource {
  /**
   * @param byteLength what dims and type ask for.
   * @throws LoadError when they are not there.
   */
  resolve(tensor: TensorProto, label: string, byteLength: number): Pick<ConstantData, 'bytes' | 'external'>;
}

/**
 * The elements of a tensor, not yet read.
 *
 * @param label how messages call the tensor.
 * @param external without it, tensors with external data are refused.
 * @throws LoadError when type, dims and the bytes that are there do not agree.
 */
export function tensorData(tensor: TensorProto, label: string, external?: ExternalSource): ConstantData {
  const dtype = dtypeOf(tensor, label);
  const dims = dimsOf(tensor.dims ?? [], label);
  const byteLength = packedByteLength(dtype, dims);
  if (tensor.segment) throw new LoadError(`${label} is stored in segments, which ONNX no longer defines`);
  if (dtype === 'string') return stringData(tensor.stringData ?? [], dims, label);
  if (tensor.dataLocation === onnx.TensorProto.DataLocation.EXTERNAL) {
    if (external === undefined) throw new LoadError(`${label} has external data, which has no place here`);
    return { dtype, dims, byteLength, ...external.resolve(tensor, label, byteLength) };
  }
  const raw = tensor.rawData ?? NO_BYTES;
  if (raw.byteLength > 0) {
    if (raw.byteLength !== byteLength) {
      throw new LoadError(
        `${label} (${dtype}, dims ${formatDims(dims)}) takes ${byteLength} bytes; the file has ${raw.byteLength}`,
      );
    }
    return { dtype, dims, byteLength, bytes: () => raw };
  }
  return typedData(tensor, dtype, dims, label);
}

function dtypeOf(tensor: TensorProto, label: string): DType {
  const dtype = dtypeName(tensor.dataType);
  if (dtype === undefined) {
    throw new LoadError(`${label} has data type ${tensor.dataType ?? 0}, which ONNX does not define`);
  }
  return dtype;
}

/**
 * Extents of a tensor.
 *
 * @throws LoadError when one is negative or they multiply to more than 2^53.
 */
export function dimsOf(dims: readonly Int64[], label: string): number[] {
  const extents = dims.map(toNumber);
  if (extents.some((dim) => dim < 0 || !Number.isSafeInteger(dim))) {
    throw new LoadError(
      `${label} has dims ${formatDims(extents)}; each must be an integer from 0 to 2^53 - 1`,
    );
  }
  try {
    elementCount(extents);
  } catch (cause) {
    throw new LoadError(`${label} has dims ${formatDims(extents)}: more than 2^53 elements`, { cause });
  }
  return extents;
}

function stringData(strings: readonly Uint8Array[], dims: readonly number[], label: string): ConstantData {
  checkCount(strings.length, elementCount(dims), 'string', dims, label);
  return { dtype: 'string', dims, byteLength: 0, bytes: () => NO_BYTES, strings };
}

function checkCount(
  found: number,
  wanted: number,
  dtype: DType,
  dims: readonly number[],
  label: string,
): void {
  if (found === wanted) return;
  throw new LoadError(
    `${label} (${dtype}, dims ${formatDims(dims)}) takes ${wanted} values; the file has ${found}`,
  );
}

/** Elements in one of the typed fields, one value an element (complex: two; sub-byte types: one value a byte). */
function typedData(tensor: TensorProto, dtype: DType, dims: readonly number[], label: string): ConstantData {
  const byteLength = packedByteLength(dtype, dims);
  const field = typedField(tensor, dtype);
  checkCount(field.length, byteLength / field.width, dtype, dims, label);
  return lazyData(dtype, dims, () => field.encode());
}

/** A constant whose bytes are made when first asked for, and then kept. */
export function lazyData(dtype: DType, dims: readonly number[], make: () => Uint8Array): ConstantData {
  let pending: (() => Uint8Array) | undefined = make;
  let bytes: Uint8Array = NO_BYTES;
  return {
    dtype,
    dims,
    byteLength: packedByteLength(dtype, dims),
    bytes() {
      if (pending !== undefined) bytes = pending();
      pending = undefined; // lets go of what the bytes were made from
      return bytes;
    },
  };
}

interface TypedField {
  /** Values in the file. */
  readonly length: number;
  /** Bytes that each makes. */
  readonly width: number;
  encode(): Uint8Array;
}

function typedField(tensor: TensorProto, dtype: DType): TypedField {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return field(tensor.floatData, 4, (values) => Float32Array.from(values));
    case 'float64':
    case 'complex128':
      return field(tensor.doubleData, 8, (values) => Float64Array.from(values));
    case 'int64':
      return field(tensor.int64Data, 8, fromInt64s);
    case 'uint64':
      return field(tensor.uint64Data, 8, fromInt64s);
    case 'uint32':
      return field(tensor.uint64Data, 4, (values) => Uint32Array.from(values, toNumber));
    case 'int32':
      return field(tensor.int32Data, 4, (values) => Int32Array.from(values));
    case 'int16':
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return field(tensor.int32Data, 2, (values) => Uint16Array.from(values));
    default:
      return field(tensor.int32Data, 1, (values) => Uint8Array.from(values));
  }
}

function field<T>(
  values: readonly T[] | null | undefined,
  width: number,
  toArray: (values: readonly T[]) => ArrayBufferView,
): TypedField {
  const list = values ?? [];
  return {
    length: list.length,
    width,
    encode() {
      const { buffer, byteOffset, byteLength } = toArray(list);
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
  };
}

function fromInt64s(values: readonly Int64[]): BigInt64Array {
  const out = new BigInt64Array(values.length);
  const words = new Int32Array(out.buffer);
  values.forEach((value, i) => {
    if (typeof value === 'number') out[i] = BigInt(value);
    else {
      words[2 * i] = value.low;
      words[2 * i + 1] = value.high;
    }
  });
  return out;
}
