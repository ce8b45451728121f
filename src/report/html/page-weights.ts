/** Weights as pages show them: the channels of all of them are thinned to what one document may hold. */
import type { AnyReport } from '../any-report.js';
import type { ReportedWeight } from '../report.js';
import type { PageChannel, PageWeight } from './page-document.js';
import { spreadWith } from './spread-picks.js';
import { orderOf } from './worst-layers.js';

/** Channels of all weights together: about 40 bytes of page each. */
const MOST_CHANNELS = 32_000;
/** Half of them are shared out evenly, so that every weight has a shape; the worst layers take the rest until they are whole. */
const SHARED = 0.5;
/** Channels that a list of outliers or of dead channels may name. */
const LONGEST_LIST = 256;

export function pageWeights(weights: readonly ReportedWeight[], report: AnyReport): PageWeight[] {
  const shares = sharesOf(weights, orderOf(weights, report));
  return weights.map((weight, at) => pageWeight(weight, shares[at] ?? 0));
}

/** How many channels each weight keeps. */
function sharesOf(weights: readonly ReportedWeight[], worstFirst: readonly number[]): number[] {
  const even = Math.floor((MOST_CHANNELS * SHARED) / Math.max(1, weights.length));
  const shares = weights.map(({ channels }) => Math.min(channels.length, even));
  let left = MOST_CHANNELS - shares.reduce((sum, share) => sum + share, 0);
  for (const at of worstFirst) {
    const missing = Math.min(left, (weights[at]?.channels.length ?? 0) - (shares[at] ?? 0));
    shares[at] = (shares[at] ?? 0) + missing;
    left -= missing;
  }
  return shares;
}

function pageWeight(weight: ReportedWeight, share: number): PageWeight {
  const { channels, perTensorLevels, outlierChannels, deadChannels, ...rest } = weight;
  const absmax = (at: number): number => channels[at]?.absmax ?? 0;
  const outliers = [...outlierChannels].sort((a, b) => absmax(b) - absmax(a) || a - b);
  const kept = spreadWith(channels.length, share, inTurns(outliers, deadChannels));
  return {
    ...rest,
    channelCount: channels.length,
    channels: kept.map((channel): PageChannel => {
      const levels = perTensorLevels[channel];
      return {
        channel,
        ...channels[channel],
        ...(levels === undefined ? {} : { perTensorLevels: levels }),
      };
    }),
    outlierChannels: first(outliers, LONGEST_LIST),
    ...(outliers.length > LONGEST_LIST ? { outlierCount: outliers.length } : {}),
    deadChannels: first(deadChannels, LONGEST_LIST),
    ...(deadChannels.length > LONGEST_LIST ? { deadCount: deadChannels.length } : {}),
  };
}

/** The most wanted, ascending. */
function first(channels: readonly number[], most: number): number[] {
  return channels.slice(0, most).sort((a, b) => a - b);
}

function inTurns(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => [a[i], b[i]])
    .flat()
    .filter((item) => item !== undefined);
}
