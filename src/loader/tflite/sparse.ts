/**
 * Constants that a TFLite file stores as their non-zero elements.
 * The dimensions, in an order of their own and followed by those of blocks inside them, form a tree whose levels are either complete
 * or list (as compressed rows do) the indices that occur. tensorflow/lite/kernels/internal/utils/sparsity_format_converter.cc
 */
import { LoadError } from '../../errors.js';
import { bitsPerElement, elementCount, formatDims } from '../../ir/elements.js';
import type { DType } from '../../ir/graph.js';
import type { Field, FlatTable } from './flatbuffer/flat-table.js';
import { DIMENSION_METADATA, INDEX_VECTOR, SPARSITY } from './flatbuffer/schema.js';
import { DIMENSION_TYPES, INDEX_VECTORS } from './flatbuffer/words.js';

/** Of tensors and their blocks together; interpreters stop at 8. */
const MAX_LEVELS = 32;

/** One level of the tree. Positions of a level count its nodes in order. */
interface Level {
  /** Distance in the dense tensor between neighbours along this dimension. */
  readonly stride: number;
  /** Children of the node at a position: `last - first` of them, at positions from `first` on. */
  readonly first: (position: number) => number;
  readonly last: (position: number) => number;
  /** Index along the dimension of the node at a position. */
  readonly index: (position: number) => number;
}

/**
 * Checks how the elements of a sparse constant lie, at the cost of reading its index vectors.
 *
 * @param stored the elements that the file has, leaf by leaf.
 * @returns the dense elements, made when called.
 * @throws LoadError when orders, indices, shape and stored elements do not agree, or elements are of less than a byte.
 */
export function denseFrom(
  sparsity: FlatTable,
  dtype: DType,
  shape: readonly number[],
  stored: Uint8Array,
  label: string,
): () => Uint8Array {
  const width = bitsPerElement(dtype) / 8;
  if (width < 1)
    throw new LoadError(`${label} is sparse with elements of type ${dtype}, less than a byte each`);
  const { levels, leaves } = levelsOf(sparsity, shape, label);
  if (leaves * width !== stored.length) {
    throw new LoadError(
      `${label} is sparse with ${leaves} elements of type ${dtype}: ${leaves * width} bytes; the file has ${stored.length}`,
    );
  }
  return () => {
    const dense = new Uint8Array(elementCount(shape) * width);
    scatter(levels, (element, to) => {
      for (let i = 0; i < width; i++) dense[to * width + i] = stored[element * width + i]!;
    });
    return dense;
  };
}

function levelsOf(
  sparsity: FlatTable,
  shape: readonly number[],
  label: string,
): { readonly levels: readonly Level[]; readonly leaves: number } {
  const metadata = sparsity.get(SPARSITY.dimMetadata);
  const blockMap = sparsity.get(SPARSITY.blockMap);
  const order = sparsity.get(SPARSITY.traversalOrder);
  const rank = shape.length;
  const refuse = (why: string): LoadError => new LoadError(`${label} is sparse, ${why}`);
  if (metadata.length > MAX_LEVELS)
    throw refuse(`with ${metadata.length} levels; up to ${MAX_LEVELS} are read`);
  if (metadata.length !== rank + blockMap.length || order.length !== metadata.length) {
    throw refuse(
      `with ${metadata.length} levels in an order of ${order.length}; dims ${formatDims(shape)} and ${blockMap.length} blocks take ${rank + blockMap.length}`,
    );
  }
  // Blocks lie inside all of the tensor's own dimensions.
  const isOwn = (place: number): boolean => place < rank;
  const inRange = order.every((dimension) => dimension >= 0 && dimension < order.length);
  const inPlace = order.every((dimension, level) => isOwn(dimension) === isOwn(level));
  if (!inRange || !inPlace || new Set(order).size !== order.length) {
    throw refuse(`with traversal order ${formatDims(order)}, which is none of ${order.length} dimensions`);
  }
  if (
    blockMap.some((dimension) => !(dimension >= 0 && dimension < rank)) ||
    new Set(blockMap).size !== blockMap.length
  ) {
    throw refuse(`with blocks of dimensions ${formatDims(blockMap)}; those of ${rank} are wanted`);
  }
  const extents = [...shape];
  const strides = shape.map((_, dimension) => elementCount(shape.slice(dimension + 1)));
  blockMap.forEach((dimension, block) => {
    const size = metadata[order.indexOf(rank + block)]!.get(DIMENSION_METADATA.denseSize);
    const extent = shape[dimension]!;
    if (size < 1 || extent % size !== 0) {
      throw refuse(`in blocks of ${size} along dimension ${dimension}, which has extent ${extent}`);
    }
    extents[dimension] = extent / size;
    extents.push(size);
    strides.push(strides[dimension]!);
    strides[dimension]! *= size;
  });
  let count = 1;
  const levels = metadata.map((table, i): Level => {
    const dimension = order[i]!;
    const level = levelOf(table, count, extents[dimension]!, strides[dimension]!, (why) =>
      refuse(`and level ${i} ${why}`),
    );
    count = level.last(count - 1);
    return level;
  });
  return { levels, leaves: count };
}

/** @param parents nodes of the level above. */
function levelOf(
  metadata: FlatTable,
  parents: number,
  extent: number,
  stride: number,
  refuse: (why: string) => LoadError,
): Level {
  const format = metadata.get(DIMENSION_METADATA.format);
  switch (DIMENSION_TYPES[format]) {
    case 'DENSE': {
      const size = metadata.get(DIMENSION_METADATA.denseSize);
      if (size !== extent) throw refuse(`has ${size} dense elements; ${extent} are wanted`);
      return {
        stride,
        first: (position) => position * size,
        last: (position) => (position + 1) * size,
        index: (position) => position % size,
      };
    }
    case 'SPARSE_CSR': {
      const { arraySegments, arrayIndices, arraySegmentsType, arrayIndicesType } = DIMENSION_METADATA;
      const segments = indexVector(metadata, arraySegmentsType, arraySegments);
      const indices = indexVector(metadata, arrayIndicesType, arrayIndices);
      if (segments.length !== parents + 1 || segments.some((end, i) => end < (segments[i - 1] ?? 0))) {
        throw refuse(
          `has ${segments.length} segments; ${parents + 1} are wanted, none smaller than the one before`,
        );
      }
      if (segments[0] !== 0 || segments[parents] !== indices.length) {
        throw refuse(`has ${indices.length} indices in segments from ${segments[0]} to ${segments[parents]}`);
      }
      const outside = indices.find((index) => index < 0 || index >= extent);
      if (outside !== undefined) throw refuse(`has index ${outside}; 0 to ${extent - 1} are wanted`);
      return {
        stride,
        first: (position) => segments[position]!,
        last: (position) => segments[position + 1]!,
        index: (position) => indices[position]!,
      };
    }
    default:
      throw refuse(`has format ${format}; 0 (dense) and 1 (compressed) are wanted`);
  }
}

function indexVector(metadata: FlatTable, type: Field<'uint8'>, value: Field<'table'>): readonly number[] {
  const name = INDEX_VECTORS[metadata.get(type)] ?? 'none';
  const vector = name === 'none' ? undefined : metadata.get(value);
  return vector === undefined || name === 'none' ? [] : vector.get(INDEX_VECTOR[name]);
}

/** Calls `place` with every stored element and where it goes. */
function scatter(levels: readonly Level[], place: (element: number, to: number) => void): void {
  const descend = (depth: number, position: number, to: number): void => {
    const level = levels[depth];
    if (level === undefined) return place(position, to);
    const last = level.last(position);
    for (let child = level.first(position); child < last; child++) {
      descend(depth + 1, child, to + level.index(child) * level.stride);
    }
  };
  descend(0, 0, 0);
}
