import { LoadError, UnsupportedError } from '../../errors.js';
import { bitsPerElement, elementCount, formatDims, packedByteLength, toInts } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import type { SparseTensorProto } from '../../onnx/proto.js';
import type { ExternalFiles } from './external.js';
import { dimsOf, lazyData, tensorData } from '../../onnx/tensor.js';

/** A sparse tensor may claim any size for a handful of values; beyond this it is not made dense. */
const DENSE_LIMIT = 2 ** 28;

/**
 * A sparse tensor as the dense one it stands for.
 *
 * @throws LoadError when values, indices and dims do not agree.
 * @throws UnsupportedError beyond 256 MiB, and for strings and sub-byte types.
 */
export function denseData(sparse: SparseTensorProto, label: string, files: ExternalFiles): ConstantData {
  if (!sparse.values || !sparse.indices) throw new LoadError(`${label} is sparse without values or indices`);
  const dims = dimsOf(sparse.dims ?? [], label);
  const values = tensorData(sparse.values, `${label} (values)`, files);
  const indices = tensorData(sparse.indices, `${label} (indices)`, files);
  const { dtype } = values;
  const byteLength = packedByteLength(dtype, dims);
  const width = bitsPerElement(dtype) / 8;
  if (byteLength > DENSE_LIMIT || width < 1) {
    throw new UnsupportedError(
      `${label} is sparse (${dtype}, dims ${formatDims(dims)}); types of whole bytes up to 256 MiB are supported`,
    );
  }
  const positions = linearIndices(indices, elementCount(values.dims), dims, label);
  return lazyData(dtype, dims, () => {
    const dense = new Uint8Array(byteLength);
    const bytes = values.bytes();
    positions.forEach((position, i) => {
      dense.set(bytes.subarray(i * width, (i + 1) * width), position * width);
    });
    return dense;
  });
}

/** Indices are [NNZ] positions in the flattened tensor or [NNZ, rank] coordinates. */
function linearIndices(indices: ConstantData, nnz: number, dims: readonly number[], label: string): number[] {
  const [rows, columns] = indices.dims;
  const linear = indices.dims.length === 1;
  if (
    indices.dtype !== 'int64' ||
    rows !== nnz ||
    !(linear || (indices.dims.length === 2 && columns === dims.length))
  ) {
    throw new LoadError(
      `${label} is sparse with ${nnz} values and ${indices.dtype} indices ${formatDims(indices.dims)}; int64 [${nnz}] or [${nnz}, ${dims.length}] is wanted`,
    );
  }
  const numbers = toInts(indices);
  const extents = linear ? [elementCount(dims)] : dims;
  return Array.from({ length: nnz }, (_, row) => {
    let position = 0;
    extents.forEach((extent, column) => {
      const index = numbers[row * extents.length + column] ?? 0;
      if (index < 0 || index >= extent) {
        throw new LoadError(`${label} is sparse with index ${index}; 0 to ${extent - 1} is wanted`);
      }
      position = position * extent + index;
    });
    return position;
  });
}
