/** Which operators have an integer form in the runtime that a file is made for. */
import type { Graph, Node } from '../../ir/graph.js';
import { ORT } from './ort.js';

/**
 * Builtin operators of TensorFlow Lite with kernels for int8 or uint8 activations. Source: register.cc and the type checks in Prepare
 * of tensorflow/lite/kernels, tensorflow/lite/tools/optimize/operator_property.cc.
 */
const TFLITE: ReadonlySet<string> = new Set([
  ...['ABS', 'ADD', 'ARG_MAX', 'ARG_MIN', 'AVERAGE_POOL_2D', 'BATCH_MATMUL', 'BATCH_TO_SPACE_ND'],
  ...['BROADCAST_TO', 'CONCATENATION', 'CONV_2D', 'DEPTH_TO_SPACE', 'DEPTHWISE_CONV_2D', 'DIV', 'ELU'],
  ...['EMBEDDING_LOOKUP', 'EQUAL', 'EXP', 'EXPAND_DIMS', 'FILL', 'FULLY_CONNECTED', 'GATHER', 'GATHER_ND'],
  ...['GELU', 'GREATER', 'GREATER_EQUAL', 'HARD_SWISH', 'L2_NORMALIZATION', 'LEAKY_RELU', 'LESS'],
  ...['LESS_EQUAL', 'LOG', 'LOG_SOFTMAX', 'LOGISTIC', 'MAX_POOL_2D', 'MAXIMUM', 'MEAN', 'MINIMUM'],
  ...['MIRROR_PAD', 'MUL', 'NOT_EQUAL', 'PACK', 'PAD', 'PADV2', 'PRELU', 'REDUCE_MAX', 'REDUCE_MIN'],
  ...['REDUCE_PROD', 'RELU', 'RELU6', 'RELU_0_TO_1', 'RELU_N1_TO_1', 'RESHAPE', 'RESIZE_BILINEAR'],
  ...['RESIZE_NEAREST_NEIGHBOR', 'REVERSE_V2', 'RSQRT', 'SELECT', 'SELECT_V2', 'SLICE', 'SOFTMAX'],
  ...['SPACE_TO_BATCH_ND', 'SPACE_TO_DEPTH', 'SPLIT', 'SPLIT_V', 'SQUARED_DIFFERENCE', 'SQUEEZE'],
  ...['STRIDED_SLICE', 'SUB', 'SUM', 'SVDF', 'TANH', 'TILE', 'TOPK_V2', 'TRANSPOSE', 'TRANSPOSE_CONV'],
  ...['UNIDIRECTIONAL_SEQUENCE_LSTM', 'UNPACK'],
]);

/** Operators of ONNX that are integer by definition: of codes, whatever the runtime. */
const ON_CODES = /^(?:QLinear|QGemm|QAttention|QEmbed|QOrdered)|Integer/;
/** They only move codes, which takes no kernel of its own; the quantizer's table has the others. */
const MOVING: ReadonlySet<string> = new Set([
  ...['DepthToSpace', 'Dropout', 'Expand', 'GatherND', 'Identity', 'SpaceToDepth', 'Tile', 'GlobalMaxPool'],
  ...['Max', 'Min', 'ReduceMax', 'ReduceMin', 'Upsample'],
]);

/** Whether the runtime could compute the operator with integers, as far as its type tells. */
export function hasIntegerForm({ format }: Graph, { op, domain, origin }: Node): boolean {
  if (format === 'tflite') return TFLITE.has(origin.op);
  if (ON_CODES.test(origin.op) || MOVING.has(op)) return true;
  return Object.hasOwn(ORT.rules, domain === '' ? op : `${domain}:${op}`);
}
