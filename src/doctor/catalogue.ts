/**
 * All rules, in the order in which they are told where nothing else decides: what is cheap to see and makes everything behind it
 * meaningless first.
 */
import type { Rule } from './rule.js';
import { biasShift } from './rules/act/bias-shift.js';
import { clipped } from './rules/act/clipped.js';
import { concatSharedScale } from './rules/act/concat-shared-scale.js';
import { decodeQuantized } from './rules/act/decode-quantized.js';
import { defaultRange } from './rules/act/default-range.js';
import { maskConstant } from './rules/act/mask-constant.js';
import { nonFinite } from './rules/act/non-finite.js';
import { normDecomposed } from './rules/act/norm-decomposed.js';
import { outlierChannel } from './rules/act/outlier-channel.js';
import { outlierRange } from './rules/act/outlier-range.js';
import { preActivationQdq } from './rules/act/pre-activation-qdq.js';
import { requantizeClip } from './rules/act/requantize-clip.js';
import { residualAdd } from './rules/act/residual-add.js';
import { shiftedRange } from './rules/act/shifted-range.js';
import { skewedSymmetric } from './rules/act/skewed-symmetric.js';
import { state } from './rules/act/state.js';
import { wideRange } from './rules/act/wide-range.js';
import { doubleQuantized } from './rules/base/double-quantized.js';
import { floatBroken } from './rules/base/float-broken.js';
import { graphChanged } from './rules/base/graph-changed.js';
import { harnessMismatch } from './rules/base/harness-mismatch.js';
import { opDiffers } from './rules/base/op-differs.js';
import { method } from './rules/cal/method.js';
import { qatGap } from './rules/cal/qat-gap.js';
import { stale } from './rules/cal/stale.js';
import { unrepresentative } from './rules/cal/unrepresentative.js';
import { pairing } from './rules/eval/pairing.js';
import { tooFew } from './rules/eval/too-few.js';
import { unansweredClasses } from './rules/eval/unanswered-classes.js';
import { channelOrder } from './rules/io/channel-order.js';
import { fileFormat } from './rules/io/file-format.js';
import { heteroChannels } from './rules/io/hetero-channels.js';
import { intInput } from './rules/io/int-input.js';
import { layout } from './rules/io/layout.js';
import { outputOrder } from './rules/io/output-order.js';
import { preproc } from './rules/io/preproc.js';
import { rawOutput } from './rules/io/raw-output.js';
import { constant } from './rules/out/constant.js';
import { fewLevels } from './rules/out/few-levels.js';
import { probInvariant } from './rules/out/prob-invariant.js';
import { degenerate } from './rules/q/degenerate.js';
import { partial } from './rules/q/partial.js';
import { pow2 } from './rules/q/pow2.js';
import { dynamicConv } from './rules/rt/dynamic-conv.js';
import { floatRequantized } from './rules/rt/float-requantized.js';
import { mismatch } from './rules/rt/mismatch.js';
import { saturation } from './rules/rt/u8s8-saturation.js';
import { axis } from './rules/w/axis.js';
import { biasOverflow } from './rules/w/bias-overflow.js';
import { coarseScale } from './rules/w/coarse-scale.js';
import { noBnReparam } from './rules/w/no-bn-reparam.js';
import { notSameModel } from './rules/w/not-same-model.js';
import { opsetPerChannel } from './rules/w/opset-per-channel.js';
import { outlierWithinChannel } from './rules/w/outlier-within-channel.js';
import { perTensorSpread } from './rules/w/per-tensor-spread.js';
import { spec } from './rules/w/spec.js';

export const CATALOGUE: readonly Rule[] = [
  // Not quantization.
  harnessMismatch,
  floatBroken,
  // The wrong model.
  notSameModel,
  graphChanged,
  doubleQuantized,
  partial,
  // Parameters that cannot be.
  degenerate,
  axis,
  spec,
  requantizeClip,
  defaultRange,
  pow2,
  // Inputs and outputs. What int-input says of an input, preproc does not say again.
  fileFormat,
  layout,
  intInput,
  preproc,
  channelOrder,
  heteroChannels,
  rawOutput,
  outputOrder,
  nonFinite,
  // Structure.
  concatSharedScale,
  decodeQuantized,
  normDecomposed,
  maskConstant,
  preActivationQdq,
  state,
  // Weights.
  coarseScale,
  perTensorSpread,
  opsetPerChannel,
  biasOverflow,
  noBnReparam,
  outlierWithinChannel,
  // Activations.
  clipped,
  wideRange,
  shiftedRange,
  outlierRange,
  residualAdd,
  skewedSymmetric,
  biasShift,
  // Outputs.
  fewLevels,
  // Targets.
  pairing,
  mismatch,
  saturation,
  floatRequantized,
  dynamicConv,
  // Calibration.
  unrepresentative,
  stale,
  qatGap,
  method,
  // Where nothing else says why.
  outlierChannel,
  opDiffers,
  // What follows from something else.
  probInvariant,
  constant,
  // How it was evaluated.
  unansweredClasses,
  tooFew,
];

/** By its id, or by one that it had. */
export function ruleNamed(id: string): Rule | undefined {
  return CATALOGUE.find((rule) => rule.id === id || rule.formerly?.includes(id) === true);
}
