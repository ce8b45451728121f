/** Words of the schema's enumerations, by number. tensorflow/compiler/mlir/lite/schema/schema.fbs */
import type { TfliteType } from '../model.js';

export const TENSOR_TYPES: readonly TfliteType[] = [
  'FLOAT32',
  'FLOAT16',
  'INT32',
  'UINT8',
  'INT64',
  'STRING',
  'BOOL',
  'INT16',
  'COMPLEX64',
  'INT8',
  'FLOAT64',
  'COMPLEX128',
  'UINT64',
  'RESOURCE',
  'VARIANT',
  'UINT32',
  'UINT16',
  'INT4',
  'BFLOAT16',
  'INT2',
  'UINT4',
  'FLOAT8_E4M3FN',
  'FLOAT8_E5M2',
];

/** Numbers of unions that tell which table follows. */
export const QUANTIZATION_DETAILS = { blockwise: 2, multiAxis: 3 } as const;
export const INDEX_VECTORS = ['none', 'Int32Vector', 'Uint16Vector', 'Uint8Vector'] as const;

export const DIMENSION_TYPES = ['DENSE', 'SPARSE_CSR'] as const;

export const PADDINGS: readonly string[] = ['SAME', 'VALID'];
export const ACTIVATIONS: readonly string[] = ['NONE', 'RELU', 'RELU_N1_TO_1', 'RELU6', 'TANH', 'SIGN_BIT'];
export const MIRROR_PAD_MODES: readonly string[] = ['REFLECT', 'SYMMETRIC'];
export const LSH_PROJECTION_TYPES: readonly string[] = ['UNKNOWN', 'SPARSE', 'DENSE'];
export const WEIGHTS_FORMATS: readonly string[] = ['DEFAULT', 'SHUFFLED4x16INT8'];
export const LSTM_KERNEL_TYPES: readonly string[] = ['FULL', 'BASIC'];
export const COMBINER_TYPES: readonly string[] = ['SUM', 'MEAN', 'SQRTN'];
export const REDUCE_WINDOW_FUNCTIONS: readonly string[] = [
  'UNSUPPORTED',
  'ADD',
  'MUL',
  'MINIMUM',
  'MAXIMUM',
  'ALL',
  'ANY',
];
export const CUSTOM_OPTIONS_FORMATS: readonly string[] = ['FLEXBUFFERS'];
export const RNG_ALGORITHMS: readonly string[] = ['DEFAULT', 'PHILOX', 'THREEFRY'];
export const COMPARISON_DIRECTIONS: readonly string[] = [
  'STABLEHLO_COMPARISON_DIRECTION_EQ',
  'STABLEHLO_COMPARISON_DIRECTION_NE',
  'STABLEHLO_COMPARISON_DIRECTION_GE',
  'STABLEHLO_COMPARISON_DIRECTION_GT',
  'STABLEHLO_COMPARISON_DIRECTION_LE',
  'STABLEHLO_COMPARISON_DIRECTION_LT',
];
export const COMPARISON_TYPES: readonly string[] = [
  'STABLEHLO_COMPARISON_TYPE_NOTYPE',
  'STABLEHLO_COMPARISON_TYPE_FLOAT',
  'STABLEHLO_COMPARISON_TYPE_FLOAT_TOTAL_ORDER',
  'STABLEHLO_COMPARISON_TYPE_SIGNED',
  'STABLEHLO_COMPARISON_TYPE_UNSIGNED',
];
