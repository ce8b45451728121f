import type { WeightSqnr, WeightStats } from '../quant/weights.js';
import type { ReportedWeight } from './report.js';

/** A weight as both commands report it. */
export function reportedWeight(
  place: Pick<ReportedWeight, 'tensor' | 'node' | 'axis'>,
  stats: WeightStats,
  sqnr: WeightSqnr,
): ReportedWeight {
  return {
    ...place,
    channels: stats.channels.map((channel) => channel ?? {}),
    outlierChannels: stats.outlierChannels,
    fence: stats.fence,
    ...(sqnr.perTensorDb === undefined ? {} : { perTensorSqnrDb: sqnr.perTensorDb }),
    ...(sqnr.perAxisDb === undefined ? {} : { perAxisSqnrDb: sqnr.perAxisDb }),
    deadChannels: sqnr.deadChannels,
    perTensorLevels: sqnr.levels,
  };
}
