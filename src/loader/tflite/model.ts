/**
 * A TFLite file as plain data: what the flatbuffer says, in the file's own words, order and indices.
 * Fields are named as in the schema (tensorflow/compiler/mlir/lite/schema/schema.fbs), in camel case.
 */
import type { ConstantData } from '../../ir/graph.js';

/** TensorType of the schema. */
export type TfliteType =
  | 'FLOAT32'
  | 'FLOAT16'
  | 'INT32'
  | 'UINT8'
  | 'INT64'
  | 'STRING'
  | 'BOOL'
  | 'INT16'
  | 'COMPLEX64'
  | 'INT8'
  | 'FLOAT64'
  | 'COMPLEX128'
  | 'UINT64'
  | 'RESOURCE'
  | 'VARIANT'
  | 'UINT32'
  | 'UINT16'
  | 'INT4'
  | 'BFLOAT16'
  | 'INT2'
  | 'UINT4'
  | 'FLOAT8_E4M3FN'
  | 'FLOAT8_E5M2';

/** As stored: nothing is checked against the tensor here. Lengths of 0 mean absent. */
export interface TfliteQuantization {
  readonly scale: Float32Array;
  /** int64 in the file; numbers here, since legal ones are small. */
  readonly zeroPoint: readonly number[];
  readonly quantizedDimension: number;
  /** Range that calibration recorded, which some converters leave in float tensors. */
  readonly min: readonly number[];
  readonly max: readonly number[];
  /** Indices of the tensors that hold scales and zero points (-1: none) of blocks. */
  readonly blockwise?: { readonly scales: number; readonly zeroPoints: number; readonly blockSize: number };
}

export interface TfliteTensor {
  /** Position in its subgraph. */
  readonly index: number;
  readonly name: string;
  readonly type: TfliteType;
  /** [] for scalars and where the file gives no shape. */
  readonly shape: readonly number[];
  /** -1 for what may change when the interpreter resizes. */
  readonly shapeSignature?: readonly number[];
  readonly isVariable: boolean;
  readonly quantization?: TfliteQuantization;
  /**
   * Elements as stored, made dense where the file has them sparse; the dtype is the storage type ('int8', 'int4' packed low nibble
   * first, 'float16'). Undefined for activations, and for constants of types that ONNX does not have.
   */
  readonly data?: ConstantData;
}

export type OptionValue = number | boolean | string | readonly number[];

export interface TfliteOperator {
  /** Position in its subgraph. */
  readonly index: number;
  /** BuiltinOperator of the schema such as 'CONV_2D', or the name of a custom operator. */
  readonly op: string;
  readonly custom: boolean;
  readonly version: number;
  /** Tensor indices; -1 = omitted optional input. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /**
   * Builtin options by the schema's field name in camel case (`strideW`, `fusedActivationFunction`), with the schema's defaults
   * filled in; enumerations as the schema's words (`'SAME'`, `'RELU6'`, `'REFLECT'`, TensorType as TfliteType). Empty where the
   * operator has none.
   */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Of custom operators; mostly a FlexBuffer. Empty where there are none. */
  readonly customOptions: Uint8Array;
}

export interface TfliteSubgraph {
  readonly name: string;
  readonly tensors: readonly TfliteTensor[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** In execution order. */
  readonly operators: readonly TfliteOperator[];
}

export interface TfliteSignature {
  readonly key: string;
  readonly subgraph: number;
  /** Names for callers, by tensor index. */
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
}

export interface TfliteModel {
  readonly version: number;
  readonly description: string;
  /** The first is the main one. */
  readonly subgraphs: readonly TfliteSubgraph[];
  readonly signatures: readonly TfliteSignature[];
  /** Metadata buffers by name ('TFLITE_METADATA', 'min_runtime_version', ...). */
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}
