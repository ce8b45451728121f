/**
 * Where the fields of the file's own tables lie: slot in the vtable, type, default. Written by hand from the schema
 * (tensorflow/compiler/mlir/lite/schema/schema.fbs); what nothing here reads is left out.
 */
import { field } from './flat-table.js';

/** The only value of Model.version that interpreters accept. */
export const SCHEMA_VERSION = 3;

export const MODEL = {
  version: field(0, 'uint32'),
  operatorCodes: field(1, 'tables'),
  subgraphs: field(2, 'tables'),
  description: field(3, 'string'),
  buffers: field(4, 'tables'),
  metadata: field(6, 'tables'),
  signatureDefs: field(7, 'tables'),
} as const;

export const OPERATOR_CODE = {
  deprecatedBuiltinCode: field(0, 'int8'),
  customCode: field(1, 'string'),
  version: field(2, 'int32', 1),
  builtinCode: field(3, 'int32'),
} as const;

export const SUBGRAPH = {
  tensors: field(0, 'tables'),
  inputs: field(1, 'int32s'),
  outputs: field(2, 'int32s'),
  operators: field(3, 'tables'),
  name: field(4, 'string'),
} as const;

export const OPERATOR = {
  opcodeIndex: field(0, 'uint32'),
  inputs: field(1, 'int32s'),
  outputs: field(2, 'int32s'),
  builtinOptionsType: field(3, 'uint8'),
  builtinOptions: field(4, 'table'),
  customOptions: field(5, 'bytes'),
  largeCustomOptionsOffset: field(9, 'uint64'),
  largeCustomOptionsSize: field(10, 'uint64'),
  builtinOptions2Type: field(11, 'uint8'),
  builtinOptions2: field(12, 'table'),
} as const;

export const TENSOR = {
  shape: field(0, 'int32s'),
  type: field(1, 'int8'),
  buffer: field(2, 'uint32'),
  name: field(3, 'string'),
  quantization: field(4, 'table'),
  isVariable: field(5, 'bool'),
  sparsity: field(6, 'table'),
  shapeSignature: field(7, 'int32s'),
  externalBuffer: field(10, 'uint32'),
} as const;

export const QUANTIZATION = {
  min: field(0, 'float32s'),
  max: field(1, 'float32s'),
  scale: field(2, 'float32s'),
  zeroPoint: field(3, 'int64s'),
  detailsType: field(4, 'uint8'),
  details: field(5, 'table'),
  quantizedDimension: field(6, 'int32'),
} as const;

export const BLOCKWISE_QUANTIZATION = {
  scales: field(0, 'int32'),
  zeroPoints: field(1, 'int32'),
  blockSize: field(2, 'int32'),
} as const;

export const SPARSITY = {
  traversalOrder: field(0, 'int32s'),
  blockMap: field(1, 'int32s'),
  dimMetadata: field(2, 'tables'),
} as const;

export const DIMENSION_METADATA = {
  format: field(0, 'int8'),
  denseSize: field(1, 'int32'),
  arraySegmentsType: field(2, 'uint8'),
  arraySegments: field(3, 'table'),
  arrayIndicesType: field(4, 'uint8'),
  arrayIndices: field(5, 'table'),
} as const;

/** Int32Vector, Uint16Vector, Uint8Vector: tables of one field. */
export const INDEX_VECTOR = {
  Int32Vector: field(0, 'int32s'),
  Uint16Vector: field(0, 'uint16s'),
  Uint8Vector: field(0, 'uint8s'),
} as const;

export const BUFFER = {
  data: field(0, 'bytes'),
  /** From the beginning of the file, for what does not fit into the FlatBuffer; 0 and 1 mean that it does. */
  offset: field(1, 'uint64'),
  size: field(2, 'uint64'),
} as const;

export const METADATA = {
  name: field(0, 'string'),
  buffer: field(1, 'uint32'),
} as const;

export const SIGNATURE = {
  inputs: field(0, 'tables'),
  outputs: field(1, 'tables'),
  signatureKey: field(2, 'string'),
  subgraphIndex: field(4, 'uint32'),
} as const;

export const TENSOR_MAP = {
  name: field(0, 'string'),
  tensorIndex: field(1, 'uint32'),
} as const;
