/**
 * How unequal the channels of a weight are, and what one int8 scale for all of them would leave to each. Needs only the
 * extremes of the channels, so it costs one pass over the weights of a model.
 */
import { codeRange } from './affine.js';
import { INT8_WEIGHTS } from './presets.js';
import { percentileOf } from './quantile.js';
import { outlierFence } from './weights.js';

/** A channel with fewer of the 256 levels of int8 than this is as good as lost. */
export const FEW_LEVELS = 16;
/** With fewer than LOST_LEVELS on more than this share of its channels, a depthwise convolution no longer computes its function. */
const LOST_LEVELS = 8;
const MANY_CHANNELS = 0.1;

const { qmin, qmax } = codeRange(INT8_WEIGHTS);
/** Steps of a symmetric int8 quantizer across its range. */
const STEPS = qmax - qmin;

export interface WeightSpread {
  /** Largest channel absmax over the median of those that are not 0; absent when all are 0. */
  readonly spread?: number;
  /** Channels whose absmax is above `fence`, ascending. */
  readonly outlierChannels: readonly number[];
  /** Of channel absmax: Q3 + 3 IQR. */
  readonly fence: number;
  /** Channels with fewer than FEW_LEVELS under one int8 scale, ascending. Channels of zeros lose nothing and are not among them. */
  readonly fewLevelChannels: readonly number[];
  /** Of the channel that has the fewest; absent when all are 0. */
  readonly fewestLevels?: number;
  /** So many channels keep so few levels that a depthwise convolution would not survive it. */
  readonly isLost: boolean;
}

/**
 * Levels of int8 that a channel spans when another channel of the same tensor sets the scale:
 * 2 absmax / (widest / 127).
 */
export function levelsUnderOneScale(absmax: number, widest: number): number {
  return widest === 0 ? 0 : (STEPS * absmax) / widest;
}

/** @param absmax of each channel; undefined for one without a finite value */
export function weightSpread(absmax: readonly (number | undefined)[]): WeightSpread {
  const finite = absmax.filter((a) => a !== undefined);
  const nonZero = Float64Array.from(finite.filter((a) => a > 0)).sort();
  const fence = outlierFence(finite);
  const widest = nonZero.at(-1);
  const narrowest = nonZero[0];
  const outlierChannels: number[] = [];
  const fewLevelChannels: number[] = [];
  if (widest === undefined || narrowest === undefined) {
    return { outlierChannels, fence, fewLevelChannels, isLost: false };
  }
  let lost = 0;
  for (const [channel, a = 0] of absmax.entries()) {
    if (a === 0) continue;
    const levels = levelsUnderOneScale(a, widest);
    if (a > fence) outlierChannels.push(channel);
    if (levels < FEW_LEVELS) fewLevelChannels.push(channel);
    if (levels < LOST_LEVELS) lost++;
  }
  return {
    spread: widest / percentileOf(nonZero, 50),
    outlierChannels,
    fence,
    fewLevelChannels,
    fewestLevels: levelsUnderOneScale(narrowest, widest),
    isLost: lost > MANY_CHANNELS * absmax.length,
  };
}
