/**
 * All rules, in the order in which they are told where nothing else decides: what is cheap to see and makes everything behind it
 * meaningless first.
 */
import type { Rule } from './rule.js';
import { clipped } from './rules/act/clipped.js';
import { concatSharedScale } from './rules/act/concat-shared-scale.js';
import { nonFinite } from './rules/act/non-finite.js';
import { outlierChannel } from './rules/act/outlier-channel.js';
import { outlierRange } from './rules/act/outlier-range.js';
import { requantizeClip } from './rules/act/requantize-clip.js';
import { shiftedRange } from './rules/act/shifted-range.js';
import { wideRange } from './rules/act/wide-range.js';
import { graphChanged } from './rules/base/graph-changed.js';
import { opDiffers } from './rules/base/op-differs.js';
import { outputOrder } from './rules/io/output-order.js';
import { preproc } from './rules/io/preproc.js';
import { degenerate } from './rules/q/degenerate.js';
import { mismatch } from './rules/rt/mismatch.js';
import { saturation } from './rules/rt/u8s8-saturation.js';
import { axis } from './rules/w/axis.js';
import { biasOverflow } from './rules/w/bias-overflow.js';
import { coarseScale } from './rules/w/coarse-scale.js';
import { notSameModel } from './rules/w/not-same-model.js';
import { perTensorSpread } from './rules/w/per-tensor-spread.js';
import { spec } from './rules/w/spec.js';

export const CATALOGUE: readonly Rule[] = [
  // The wrong model.
  notSameModel,
  graphChanged,
  // Parameters that cannot be.
  degenerate,
  axis,
  spec,
  requantizeClip,
  // Inputs and outputs.
  preproc,
  outputOrder,
  nonFinite,
  // Structure.
  concatSharedScale,
  // Weights.
  coarseScale,
  perTensorSpread,
  biasOverflow,
  // Activations.
  clipped,
  wideRange,
  shiftedRange,
  outlierRange,
  // Targets.
  mismatch,
  saturation,
  // Where nothing else says why.
  outlierChannel,
  opDiffers,
];
