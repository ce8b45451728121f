/**
 * Quantize-dequantize pairs as ONNX Runtime's Python quantizer places them: `quantize_static` with QuantFormat.QDQ and
 * default options, onnxruntime 1.31 (qdq_quantizer.py, registry.py, operators/). It walks the nodes in order, and what
 * an operator gets can depend on what was marked before it.
 *
 * Constants of Constant nodes count as initializers here, as they do after its own pre-processing step.
 */
import type { OperatorRule, Placement } from './rules.js';

/** QDQOperatorBase: every input and output has a range of its own. */
const PLAIN: OperatorRule = { inputs: 'all', output: 'observed' };

/** QDQDirect8BitOp: integers in, the same integers out; never the reason to quantize something. */
const DIRECT: OperatorRule = { requires: { slots: [0] }, output: 'as-input' };

/** QDQRemovableActivation: the clamp of the quantizer behind it does its work. */
const CLAMP: OperatorRule = {
  inputs: [0],
  output: 'observed',
  requires: { slots: [0] },
  fuses: { into: 'any', asymmetricOnly: true, narrowsInput: true },
};

/** QDQNormalization asks for axis 1 of a scale that has one dimension, so it is always per-tensor. */
const NORMALIZATION: OperatorRule = {
  inputs: [0],
  weights: [{ slot: 1, axis: 1 }],
  bias: 2,
  output: 'observed',
};

/** QDQGather: the table is quantized as an activation. */
const GATHER: OperatorRule = {
  inputs: [0],
  requires: { slots: [0], orConstant: true },
  output: 'as-input',
};

export const ORT: Placement = {
  name: 'ort',
  scope: 'edge',
  // The quantizer widens a weight's scale by the factor 1.0001 beyond what makes the bias fit int32.
  biasLimit: (2 ** 31 - 1) / 1.0001,
  rules: {
    Add: PLAIN,
    ArgMax: PLAIN,
    AveragePool: DIRECT,
    BatchNormalization: NORMALIZATION,
    Clip: CLAMP,
    Concat: PLAIN,
    Conv: { inputs: [0], weights: [{ slot: 1, axis: 0 }], bias: 2, output: 'observed' },
    ConvTranspose: { inputs: [0], weights: [{ slot: 1, axis: 1 }], bias: 2, output: 'observed' },
    CumSum: PLAIN,
    Flatten: DIRECT,
    Gather: GATHER,
    GatherElements: GATHER,
    Gemm: { inputs: [0], weights: [{ slot: 1, axis: 'transB' }], bias: 2, output: 'observed' },
    GlobalAveragePool: PLAIN,
    InstanceNormalization: NORMALIZATION,
    LayerNormalization: NORMALIZATION,
    LeakyRelu: PLAIN,
    // Axis 1 also where B is a batch of matrices, of which it is then the inner dimension.
    MatMul: {
      weights: [
        { slot: 0, axis: 1 },
        { slot: 1, axis: 1 },
      ],
      output: 'observed',
    },
    MaxPool: { ...DIRECT, minOpset: 12 },
    Mul: PLAIN,
    Pad: { inputs: 'all', output: 'as-input-if-padded-with-zero' },
    Relu: CLAMP,
    Reshape: DIRECT,
    Resize: { ...DIRECT, minOpset: 11 },
    Sigmoid: PLAIN,
    Slice: DIRECT,
    Softmax: { inputs: 'all', output: { limits: [0, 1] } },
    Split: { inputs: [0], output: 'as-input' },
    Squeeze: DIRECT,
    TopK: DIRECT,
    Transpose: DIRECT,
    Unsqueeze: DIRECT,
    Where: { requires: { slots: [1, 2] }, output: 'observed' },
    'com.microsoft:EmbedLayerNormalization': PLAIN,
  },
};
