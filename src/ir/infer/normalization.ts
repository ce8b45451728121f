/** Normalizations, softmax and what else keeps the shape while looking beyond one element. */
import type { DType, Shape } from '../graph.js';
import { intAttr } from '../graph.js';
import { dtypeAttr } from './datatype.js';
import { axisOf } from './dims.js';
import type { Call, Family, Rule } from './rule.js';
import { input, sameType } from './rule.js';

const same: Rule = (call) => [sameType(input(call, 0))];

/** Training outputs hold one number per channel. */
const batchNormalization: Rule = (call) => {
  const x = input(call, 0);
  const perChannel = { dtype: input(call, 3).dtype ?? x.dtype, shape: input(call, 3).shape };
  return [sameType(x), perChannel, perChannel, perChannel, perChannel];
};

/** Mean and inverse deviation have extent 1 along the normalized axes, in the dtype they were computed in. */
const layerNormalization: Rule = (call) => {
  const x = input(call, 0);
  const statistics = {
    dtype: dtypeAttr(call.node, 'stash_type') ?? 'float32',
    shape: outer(call, x.shape),
  } as const;
  return [sameType(x), statistics, statistics];
};

function outer(call: Call, shape: Shape | undefined): Shape | undefined {
  const axis = axisOf(intAttr(call.node, 'axis') ?? -1, shape?.length ?? 0);
  return axis === undefined ? undefined : shape?.map((dim, i) => (i < axis ? dim : 1));
}

/** The mask is bool from opset 10. */
const dropout: Rule = (call) => {
  const x = input(call, 0);
  const mask: DType | undefined = call.opset < 10 ? x.dtype : 'bool';
  return [x, { dtype: mask, shape: x.shape }];
};

export const NORMALIZATION = {
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  /** Of the default domain in files that ONNX Runtime wrote, without a specification. */
  SimplifiedLayerNormalization: layerNormalization,
  RMSNormalization: same,
  InstanceNormalization: same,
  GroupNormalization: same,
  MeanVarianceNormalization: same,
  LpNormalization: same,
  LRN: same,
  Softmax: same,
  LogSoftmax: same,
  Hardmax: same,
  Dropout: dropout,
} as const satisfies Family;
