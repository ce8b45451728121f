/**
 * Integer-only networks as the TensorFlow Lite converter makes them: every operator has integer inputs and outputs,
 * behind its fused activation function.
 *
 * Sources: the 8-bit quantization specification (https://ai.google.dev/edge/litert/models/quantization_spec), for
 * operators that must have the same parameters on all edges and for prescribed outputs; tensorflow/lite/tools/optimize/
 * operator_property.cc, for which operators have integer kernels; tensorflow/compiler/mlir/lite/transforms/
 * optimize_patterns.td, for fusion.
 *
 * Fully connected weights are per-axis as convolution weights are: today's converter does that unless told not to.
 * Operators that the converter would break up (LayerNormalization, GRU, ...) are left in floating point.
 */
import type { Fusion, OperatorRule, Placement } from './rules.js';

const PLAIN: OperatorRule = { inputs: 'all', output: 'observed' };

/** Moves values without computing new ones, or averages them. */
const SAME_SCALE: OperatorRule = { inputs: 'all', output: 'same-scale' };

/** Of the first input only: the others are indices, sizes and padding. */
const SAME_SCALE_OF_FIRST: OperatorRule = { inputs: [0], output: 'same-scale' };

/** Reads quantized values, gives none: comparisons and indices. */
const READER: OperatorRule = { inputs: 'all' };

const CLAMPED = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add', 'Sub', 'Mul', 'AveragePool', 'MaxPool'];

/** RELU, RELU6 and RELU_N1_TO_1 are attributes of the operator before; other clips are Minimum and Maximum. */
const RELU: Fusion = {
  into: CLAMPED,
  limits: [
    [0, Infinity],
    [0, 6],
    [-1, 1],
  ],
};

const UNIT = [1 / 32768, 0] as const;

export const TFLITE: Placement = {
  name: 'tflite',
  scope: 'edge',
  // quantization_driver.cc keeps biases below INT32_MAX / 2, to leave room in the accumulator.
  biasLimit: 2 ** 30 - 1,
  rules: {
    Abs: PLAIN,
    Add: { ...PLAIN, addsBiasTo: ['MatMul'] },
    ArgMax: READER,
    ArgMin: READER,
    AveragePool: SAME_SCALE,
    BatchNormalization: { inputs: [0], output: 'observed' },
    Clip: { inputs: [0], output: 'observed', fuses: { ...RELU, narrowsInput: true } },
    Concat: SAME_SCALE,
    Conv: { inputs: [0], weights: [{ slot: 1, axis: 0 }], bias: 2, output: 'observed' },
    ConvTranspose: { inputs: [0], weights: [{ slot: 1, axis: 1 }], bias: 2, output: 'observed' },
    DepthToSpace: SAME_SCALE,
    Dropout: SAME_SCALE_OF_FIRST,
    Elu: PLAIN,
    Equal: READER,
    Exp: PLAIN,
    Expand: SAME_SCALE_OF_FIRST,
    Flatten: SAME_SCALE,
    Gather: SAME_SCALE_OF_FIRST,
    GatherND: SAME_SCALE_OF_FIRST,
    Gelu: PLAIN,
    Gemm: { inputs: [0], weights: [{ slot: 1, axis: 'transB' }], bias: 2, output: 'observed' },
    GlobalAveragePool: PLAIN,
    GlobalMaxPool: SAME_SCALE,
    Greater: READER,
    GreaterOrEqual: READER,
    HardSwish: PLAIN,
    Identity: SAME_SCALE,
    LeakyRelu: PLAIN,
    Less: READER,
    LessOrEqual: READER,
    LogSoftmax: { inputs: 'all', output: { fixed: { int8: [16 / 256, 127] } } },
    LpNormalization: { inputs: 'all', output: { fixed: { int8: [1 / 128, 0], int16: UNIT } } },
    MatMul: { inputs: [0], weights: [{ slot: 1, axis: 1, rank: 2 }], output: 'observed' },
    Max: SAME_SCALE,
    MaxPool: SAME_SCALE,
    Min: SAME_SCALE,
    Mul: PLAIN,
    PRelu: PLAIN,
    Pad: SAME_SCALE_OF_FIRST,
    ReduceMax: SAME_SCALE_OF_FIRST,
    ReduceMean: PLAIN,
    ReduceMin: SAME_SCALE_OF_FIRST,
    ReduceSum: PLAIN,
    Relu: { ...PLAIN, fuses: RELU },
    Reshape: SAME_SCALE_OF_FIRST,
    Resize: SAME_SCALE_OF_FIRST,
    Sigmoid: { inputs: 'all', output: { fixed: { int8: [1 / 256, -128], int16: UNIT } } },
    Slice: SAME_SCALE_OF_FIRST,
    Softmax: { inputs: 'all', output: { fixed: { int8: [1 / 256, -128], int16: UNIT } } },
    SpaceToDepth: SAME_SCALE,
    Split: SAME_SCALE_OF_FIRST,
    Squeeze: SAME_SCALE_OF_FIRST,
    Sub: PLAIN,
    Tanh: { inputs: 'all', output: { fixed: { int8: [1 / 128, 0], int16: UNIT } } },
    Tile: SAME_SCALE_OF_FIRST,
    TopK: SAME_SCALE_OF_FIRST,
    Transpose: SAME_SCALE,
    Unsqueeze: SAME_SCALE_OF_FIRST,
    Upsample: SAME_SCALE_OF_FIRST,
    Where: SAME_SCALE,
  },
};
