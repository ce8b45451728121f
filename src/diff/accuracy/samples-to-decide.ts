/** How many samples would tell what these cannot. */
import type { DiscordantCounts } from './intervals.js';
import { isOutsideScore } from './intervals.js';

export interface Undecided {
  /** Observed, in the unit of the threshold: positive is a loss. */
  readonly drop: number;
  readonly threshold: number;
  /** Half the width of the interval of the drop. */
  readonly halfWidth: number;
  readonly samples: number;
  /** Of metrics that count right samples, drop and threshold being in points of percent: the score interval itself is asked. */
  readonly paired?: DiscordantCounts;
}

/**
 * Samples with which the interval of the drop would just leave out the threshold, did they fall out at the same rates; at most
 * `samples` when it does already. undefined when the drop is the threshold, which no number of samples would part, and when there
 * are not as many samples in the world.
 *
 * With `paired` by Tango's score interval, which has a width even when nothing differs; otherwise from the width, which shrinks
 * with the square root of the number of samples.
 */
export function samplesToDecide({
  drop,
  threshold,
  halfWidth,
  samples,
  paired,
}: Undecided): number | undefined {
  const distance = Math.abs(drop - threshold);
  // A drop of 3 in 300 is 1 point, whatever rounding says.
  if (!(distance > 1e-9 * Math.max(Math.abs(drop), Math.abs(threshold))) || !(samples > 0)) return undefined;
  const enough =
    paired === undefined
      ? Math.ceil(samples * (halfWidth / distance) ** 2)
      : enoughForScore(paired, samples, -threshold / 100);
  return Number.isSafeInteger(enough) ? Math.max(1, enough) : undefined;
}

/** The smallest whole number of samples, by doubling and then by halves; Infinity when no safe integer is enough. */
function enoughForScore(counts: DiscordantCounts, samples: number, difference: number): number {
  const decides = (n: number): boolean =>
    isOutsideScore(
      {
        onlyReference: (counts.onlyReference * n) / samples,
        onlyCandidate: (counts.onlyCandidate * n) / samples,
      },
      n,
      difference,
    );
  let high = 1;
  while (!decides(high)) {
    high *= 2;
    if (!Number.isSafeInteger(high)) return Infinity;
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (decides(middle)) high = middle;
    else low = middle;
  }
  return high;
}
