/** Elements of a constant as a TFLite file stores them. */
import { LoadError } from '../../errors.js';
import { elementCount, formatDims, packedByteLength } from '../../ir/elements.js';
import type { ConstantData, DType } from '../../ir/graph.js';
import type { FlatTable } from './flatbuffer/flat-table.js';
import type { TfliteType } from './model.js';
import type { ReadContext } from './read-context.js';
import { denseFrom } from './sparse.js';
import { stringsIn } from './strings.js';

/** Element types of constants; handles to what an interpreter holds have no elements. */
export const STORAGE_DTYPES: Readonly<Record<TfliteType, DType | undefined>> = {
  FLOAT32: 'float32',
  FLOAT16: 'float16',
  INT32: 'int32',
  UINT8: 'uint8',
  INT64: 'int64',
  STRING: 'string',
  BOOL: 'bool',
  INT16: 'int16',
  COMPLEX64: 'complex64',
  INT8: 'int8',
  FLOAT64: 'float64',
  COMPLEX128: 'complex128',
  UINT64: 'uint64',
  RESOURCE: undefined,
  VARIANT: undefined,
  UINT32: 'uint32',
  UINT16: 'uint16',
  INT4: 'int4',
  BFLOAT16: 'bfloat16',
  INT2: 'int2',
  UINT4: 'uint4',
  FLOAT8_E4M3FN: 'float8e4m3fn',
  FLOAT8_E5M2: 'float8e5m2',
};

/** A few bytes may claim to be a sparse tensor of any size; beyond this, all sparse ones together, they are not made dense. */
const DENSE_LIMIT = 2 ** 29;

const NO_BYTES = new Uint8Array(0);

/**
 * The elements of a constant; sparse ones are made dense when first asked for, all others are a view of `stored`.
 *
 * @param shape of no more than 2^53 elements.
 * @param label how messages call the tensor.
 * @returns undefined for types without elements, and for more sparse ones than are read, which the context then notes.
 * @throws LoadError when type, shape and what is stored do not agree.
 */
export function storedConstant(
  type: TfliteType,
  shape: readonly number[],
  stored: Uint8Array,
  sparsity: FlatTable | undefined,
  label: string,
  context: ReadContext,
): ConstantData | undefined {
  const dtype = STORAGE_DTYPES[type];
  if (dtype === undefined) return undefined;
  const dims = formatDims(shape);
  if (shape.some((extent) => extent < 0)) {
    throw new LoadError(`${label} is a constant of dims ${dims}; each must be 0 or more`);
  }
  if (dtype === 'string') return stringConstant(shape, stringsIn(stored, context.file, label), label);
  const byteLength = packedByteLength(dtype, shape);
  if (sparsity !== undefined) {
    const dense = denseFrom(sparsity, dtype, shape, stored, label);
    const total = context.dense.bytes + byteLength;
    if (total > DENSE_LIMIT) {
      context.unknowns.add(
        `${label} is sparse: it and those before it take ${total} bytes when dense; up to ${DENSE_LIMIT} are read`,
      );
      return undefined;
    }
    context.dense.bytes = total;
    return { dtype, dims: shape, byteLength, bytes: once(dense) };
  }
  if (stored.length !== byteLength) {
    throw new LoadError(
      `${label} (${type}, dims ${dims}) takes ${byteLength} bytes; the file has ${stored.length}`,
    );
  }
  return { dtype, dims: shape, byteLength, bytes: () => stored };
}

/** The constant of a shape with an extent of 0, which needs no buffer. Undefined for types without elements. */
export function emptyConstant(type: TfliteType, shape: readonly number[]): ConstantData | undefined {
  const dtype = STORAGE_DTYPES[type];
  if (dtype === undefined) return undefined;
  const data: ConstantData = { dtype, dims: shape, byteLength: 0, bytes: () => NO_BYTES };
  return dtype === 'string' ? { ...data, strings: [] } : data;
}

function stringConstant(
  shape: readonly number[],
  strings: readonly Uint8Array[],
  label: string,
): ConstantData {
  const count = elementCount(shape);
  if (strings.length !== count) {
    throw new LoadError(
      `${label} (STRING, dims ${formatDims(shape)}) takes ${count} strings; the file has ${strings.length}`,
    );
  }
  return { dtype: 'string', dims: shape, byteLength: 0, bytes: () => NO_BYTES, strings };
}

function once(make: () => Uint8Array): () => Uint8Array {
  let made: Uint8Array | undefined;
  return () => (made ??= make());
}
