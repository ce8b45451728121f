/**
 * What changed between versions of ai.onnx, and what it has. https://github.com/onnx/onnx/blob/main/docs/Changelog.md
 *
 * Found by comparing every pair of neighbouring schemas (fixtures/upgrade/changes.py lists them). Changes that keep the meaning of
 * older nodes have no rule: further types of elements, optional inputs, attributes whose default is what was before.
 */
import { INPUTS_10, INPUTS_11, INPUTS_13, INPUTS_18, INPUTS_20, INPUTS_9 } from './attribute-inputs.js';
import type { Family, Rule } from './call.js';
import {
  NORMALIZATION_10,
  NORMALIZATION_12,
  NORMALIZATION_14,
  NORMALIZATION_21,
  NORMALIZATION_9,
} from './normalization.js';
import { RESIZE_10, RESIZE_11, RESIZE_13 } from './resize.js';
import { SOFTMAX_13 } from './softmax.js';

/** Opset 11: Scatter is ScatterElements by its older name. */
const SCATTER_11 = {
  Scatter: (call) => {
    call.replace({ op: 'ScatterElements' });
  },
} as const satisfies Family;

/** Opset 16: half a point less, which is now the default. */
const ROI_ALIGN_16 = {
  RoiAlign: (call) => {
    if (call.string('coordinate_transformation_mode') !== undefined) return;
    call.replace({ attrs: { coordinate_transformation_mode: 'output_half_pixel' } });
  },
} as const satisfies Family;

const MODES_20: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };

/** Opset 20: modes by other names, the default one included. */
const GRID_SAMPLE_20 = {
  GridSample: (call) => {
    const mode = MODES_20[call.string('mode') ?? ''];
    if (mode !== undefined) call.replace({ attrs: { mode } });
  },
} as const satisfies Family;

/** Oldest and newest version whose operators are known here. */
export const OPSETS = [7, 26] as const;

/** In the order in which they are applied; each holds from its version on. */
export const CHANGES: readonly { readonly opset: number; readonly rules: ReadonlyMap<string, Rule> }[] = [
  { opset: 9, rules: merged(INPUTS_9, NORMALIZATION_9) },
  { opset: 10, rules: merged(INPUTS_10, RESIZE_10, NORMALIZATION_10) },
  { opset: 11, rules: merged(INPUTS_11, RESIZE_11, SCATTER_11) },
  { opset: 12, rules: merged(NORMALIZATION_12) },
  { opset: 13, rules: merged(INPUTS_13, RESIZE_13, SOFTMAX_13) },
  { opset: 14, rules: merged(NORMALIZATION_14) },
  { opset: 16, rules: merged(ROI_ALIGN_16) },
  { opset: 18, rules: merged(INPUTS_18) },
  { opset: 20, rules: merged(INPUTS_20, GRID_SAMPLE_20) },
  { opset: 21, rules: merged(NORMALIZATION_21) },
];

function merged(...families: readonly Family[]): ReadonlyMap<string, Rule> {
  return new Map(families.flatMap((family) => Object.entries(family)));
}

/** Operators of ai.onnx that the newest version has. */
export const OPERATORS: ReadonlySet<string> = new Set(
  `Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
  BatchNormalization Bernoulli BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
  BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat
  ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumProd CumSum
  DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu
  Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm
  GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization
  HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If ImageDecoder
  InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log
  LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
  MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg
  NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement
  OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN
  RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2
  ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
  RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan
  ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase
  SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax
  SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze
  StringConcat StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer
  ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Where Xor`.split(/\s+/),
);
