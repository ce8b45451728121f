/**
 * Operators of ONNX Runtime's own domain, com.microsoft: what its optimizer fuses and its quantizer writes.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
import type { Shape } from '../graph.js';
import { intAttr } from '../graph.js';
import { conv, convShape } from './conv.js';
import { broadcast, toDim } from './dims.js';
import { gemmShape, matmul, matmulShape } from './matmul.js';
import { globalPoolShape, poolShape } from './pool.js';
import { QUANTIZE } from './quantize.js';
import { reduceShape } from './reduce.js';
import type { Call, Family, Rule, Value } from './rule.js';
import { flag, input, sameType, UNKNOWN } from './rule.js';
import { SELECT } from './select.js';

const same: Rule = (call) => [sameType(input(call, 0))];

/** Binary operator over (A, scale, zero point, B, scale, zero point, output scale, output zero point). */
const quantizedBinary: Rule = (call) => [
  { dtype: input(call, 0).dtype, shape: broadcast([input(call, 0).shape, input(call, 3).shape]) },
];

/** Condition, then X and Y with scale and zero point each. */
const quantizedWhere: Rule = (call) => [
  {
    dtype: input(call, 1).dtype,
    shape: broadcast([input(call, 0).shape, input(call, 1).shape, input(call, 4).shape]),
  },
];

/** Output scale and zero point, then (tensor, scale, zero point) for each part. */
const quantizedConcat: Rule = (call) => {
  const inputs = call.inputs.filter((_, slot) => slot >= 2 && (slot - 2) % 3 === 0);
  return SELECT.Concat({ ...call, inputs });
};

/** Runs a rule for [N, C, spatial...] on [N, spatial..., C]. */
function channelsLast(
  shapeOf: (call: Call, x: Value) => Shape | undefined,
): (call: Call, x: Value) => Shape | undefined {
  return (call, x) => {
    if (x.shape === undefined || x.shape.length < 2) return undefined;
    const [n = null, ...rest] = x.shape;
    const moved = shapeOf(call, { dtype: x.dtype, shape: [n, ...rest.slice(-1), ...rest.slice(0, -1)] });
    if (moved === undefined) return undefined;
    const [batch = null, channels = null, ...spatial] = moved;
    return [batch, ...spatial, channels];
  };
}

/** Pool that has `channels_last` as an attribute. */
function quantizedPool(shapeOf: (call: Call, x: Value) => Shape | undefined): Rule {
  return (call) => {
    const x = input(call, 0);
    const rule = flag(call.node, 'channels_last') ? channelsLast(shapeOf) : shapeOf;
    return [{ dtype: x.dtype, shape: rule(call, x) }];
  };
}

/** The weight stays [M, C/group, kernel...] under `channels_last`. */
const quantizedConv: Rule = (call) => {
  const shapeOf = (given: Call, x: Value): Shape | undefined => convShape(given.node, x, input(given, 3));
  const rule = flag(call.node, 'channels_last') ? channelsLast(shapeOf) : shapeOf;
  return [{ dtype: input(call, 7).dtype, shape: rule(call, input(call, 0)) }];
};

const nhwcConv: Rule = (call) => {
  const shapeOf = channelsLast((given, x) => convShape(given.node, x, input(given, 1)));
  return [{ dtype: input(call, 0).dtype, shape: shapeOf(call, input(call, 0)) }];
};

/** `transBatchA` and B, which move the first axis to the rows, are not followed. */
const fusedMatMul: Rule = (call) => {
  const { dtype } = input(call, 0);
  if (flag(call.node, 'transBatchA') || flag(call.node, 'transBatchB')) return [{ dtype }];
  const a = transposed(input(call, 0).shape, flag(call.node, 'transA'));
  const b = transposed(input(call, 1).shape, flag(call.node, 'transB'));
  return [{ dtype, shape: matmulShape(a, b) }];
};

function transposed(shape: Shape | undefined, swap: boolean): Shape | undefined {
  if (!swap || shape === undefined || shape.length < 2) return shape;
  return [...shape.slice(0, -2), ...shape.slice(-1), ...shape.slice(-2, -1)];
}

/** B is packed; its extents are the attributes K and N. */
const matMulNBits: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const columns = toDim(intAttr(call.node, 'N') ?? -1);
  return [{ dtype, shape: shape && [...shape.slice(0, -1), columns] }];
};

/** A, scale, zero point, B, scale, zero point, C, output scale, output zero point; float without the last two. */
const quantizedGemm: Rule = (call) => [
  {
    dtype: call.inputs[8] === undefined ? input(call, 1).dtype : input(call, 8).dtype,
    shape: gemmShape(call, input(call, 0), input(call, 3)),
  },
];

/** Output, mean and inverse deviation (unused by inference in ONNX Runtime), then the sum before normalization. */
const skipNormalization: Rule = (call) => {
  const x = sameType(input(call, 0));
  return [x, UNKNOWN, UNKNOWN, x];
};

/** Query [batch, sequence, hidden]; the output has the hidden extent of the value. */
const multiHeadAttention: Rule = (call) => {
  const { dtype, shape } = input(call, 0);
  const value = input(call, 2).shape;
  if (shape?.length !== 3 || value?.length !== 3) return [{ dtype }];
  return [{ dtype, shape: [...shape.slice(0, 2), value[2] ?? null] }];
};

export const MICROSOFT = {
  Gelu: same,
  FastGelu: same,
  QuickGelu: same,
  BiasGelu: same,
  BiasAdd: same,
  BiasSoftmax: same,
  GroupNorm: same,
  RotaryEmbedding: same,
  QLinearLeakyRelu: same,
  QLinearSigmoid: same,
  QLinearSoftmax: same,
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  MultiHeadAttention: multiHeadAttention,

  QuantizeLinear: QUANTIZE.QuantizeLinear,
  DequantizeLinear: QUANTIZE.DequantizeLinear,
  QLinearAdd: quantizedBinary,
  QLinearMul: quantizedBinary,
  QLinearWhere: quantizedWhere,
  QLinearConcat: quantizedConcat,
  QLinearConv: quantizedConv,
  QLinearAveragePool: quantizedPool((call, x) => poolShape(call.node, x)),
  QLinearGlobalAveragePool: quantizedPool((_, x) => globalPoolShape(x.shape)),
  QLinearReduceMean: (call) => [
    { dtype: input(call, 0).dtype, shape: reduceShape(call, input(call, 0).shape) },
  ],

  FusedConv: conv(1, ([x]) => x?.dtype),
  NhwcConv: nhwcConv,
  NhwcFusedConv: nhwcConv,
  FusedMatMul: fusedMatMul,
  FusedGemm: (call) => [
    { dtype: input(call, 0).dtype, shape: gemmShape(call, input(call, 0), input(call, 1)) },
  ],
  QGemm: quantizedGemm,
  MatMulInteger16: matmul(1, () => 'int32'),
  MatMulIntegerToFloat: matmul(1, (inputs) => inputs[2]?.dtype),
  DynamicQuantizeMatMul: matmul(1, ([a]) => a?.dtype),
  MatMulNBits: matMulNBits,
} as const satisfies Family;
