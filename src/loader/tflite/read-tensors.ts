/** The tensors of one subgraph. */
import { formatDims } from '../../ir/elements.js';
import type { ConstantData } from '../../ir/graph.js';
import type { FlatTable } from './flatbuffer/flat-table.js';
import { BLOCKWISE_QUANTIZATION, QUANTIZATION, TENSOR } from './flatbuffer/schema.js';
import { QUANTIZATION_DETAILS, TENSOR_TYPES } from './flatbuffer/words.js';
import type { TfliteQuantization, TfliteTensor, TfliteType } from './model.js';
import { ofSubgraph, quoted } from './read-context.js';
import type { ReadContext } from './read-context.js';
import { storedConstant } from './stored-constant.js';

/** How messages call a tensor. */
export function tensorLabel(index: number, name: string, subgraph: number): string {
  return `tensor ${index} (${quoted(name)})${ofSubgraph(subgraph)}`;
}

/** Interpreters stop at 8 dimensions. */
const MAX_RANK = 32;

export interface StoredTensors {
  readonly tensors: readonly TfliteTensor[];
  /** Indices of those that have bytes in the file, be they of a type without elements. */
  readonly constants: ReadonlySet<number>;
}

/** What is wrong with single tensors is noted in the context. */
export function readTensors(
  tables: readonly FlatTable[],
  subgraph: number,
  context: ReadContext,
): StoredTensors {
  const constants = new Set<number>();
  const tensors = tables.map((table, index) => {
    const name = table.get(TENSOR.name) ?? '';
    const label = tensorLabel(index, name, subgraph);
    const bytes = context.problems.attempt(() => context.buffers.contents(table.get(TENSOR.buffer), label));
    const isConstant = bytes !== undefined && bytes.length > 0;
    if (isConstant) constants.add(index);
    return readTensor(table, { index, name }, isConstant ? bytes : undefined, label, context);
  });
  return { tensors, constants };
}

function readTensor(
  table: FlatTable,
  { index, name }: Pick<TfliteTensor, 'index' | 'name'>,
  bytes: Uint8Array | undefined,
  label: string,
  context: ReadContext,
): TfliteTensor {
  const type = typeOf(table, label, context);
  const shape = shapeOf(table, label, context);
  const shapeSignature = table.get(TENSOR.shapeSignature);
  const isVariable = table.get(TENSOR.isVariable);
  const quantization = quantizationOf(table, label, context);
  if (table.get(TENSOR.externalBuffer) !== 0) {
    context.unknowns.add(`${label} has its data in a file of its own (external buffer), which is not read`);
  }
  if (bytes !== undefined && isVariable) {
    context.problems.add(`${label} is a variable and has data, which no interpreter takes`);
  }
  let data: ConstantData | undefined;
  if (bytes !== undefined && type !== undefined && shape !== undefined) {
    data = context.problems.attempt(() =>
      storedConstant(type, shape, bytes, table.get(TENSOR.sparsity), label, context),
    );
  }
  return {
    index,
    name,
    // What is unknown is of a file that is going to be refused.
    type: type ?? 'VARIANT',
    shape: shape ?? [],
    ...(shapeSignature.length === 0 ? {} : { shapeSignature }),
    isVariable,
    ...(quantization === undefined ? {} : { quantization }),
    ...(data === undefined ? {} : { data }),
  };
}

/** Undefined, with the problem noted, for a shape that no tensor can have. */
function shapeOf(table: FlatTable, label: string, { problems }: ReadContext): readonly number[] | undefined {
  const shape = table.get(TENSOR.shape);
  if (shape.length > MAX_RANK) {
    problems.add(`${label} has ${shape.length} dimensions; up to ${MAX_RANK} are read`);
    return undefined;
  }
  // Of activations, signs are left to who computes them: interpreters may find other extents than the file says.
  const count = shape.reduce((product, extent) => product * Math.max(0, extent), 1);
  if (Number.isSafeInteger(count)) return shape;
  problems.add(`${label} has dims ${formatDims(shape)}: more than 2^53 elements`);
  return undefined;
}

function typeOf(table: FlatTable, label: string, { unknowns }: ReadContext): TfliteType | undefined {
  const number = table.get(TENSOR.type);
  const type = TENSOR_TYPES[number];
  if (type === undefined) {
    unknowns.add(`${label} has type ${number}; 0 to ${TENSOR_TYPES.length - 1} are known`);
  }
  return type;
}

function quantizationOf(
  tensor: FlatTable,
  label: string,
  { unknowns }: ReadContext,
): TfliteQuantization | undefined {
  const table = tensor.get(TENSOR.quantization);
  if (table === undefined) return undefined;
  const kind = table.get(QUANTIZATION.detailsType);
  if (kind === QUANTIZATION_DETAILS.multiAxis) {
    unknowns.add(`${label} is quantized along several axes at once, which is not read`);
  }
  const details = kind === QUANTIZATION_DETAILS.blockwise ? table.get(QUANTIZATION.details) : undefined;
  return {
    scale: Float32Array.from(table.get(QUANTIZATION.scale)),
    zeroPoint: table.get(QUANTIZATION.zeroPoint),
    quantizedDimension: table.get(QUANTIZATION.quantizedDimension),
    min: table.get(QUANTIZATION.min),
    max: table.get(QUANTIZATION.max),
    ...(details === undefined ? {} : { blockwise: blockwiseOf(details) }),
  };
}

function blockwiseOf(details: FlatTable): NonNullable<TfliteQuantization['blockwise']> {
  const { scales, zeroPoints, blockSize } = BLOCKWISE_QUANTIZATION;
  return {
    scales: details.get(scales),
    // Writers of symmetric blocks leave the field out; its default, 0, would be the first tensor.
    zeroPoints: details.has(zeroPoints) ? details.get(zeroPoints) : -1,
    blockSize: details.get(blockSize),
  };
}
