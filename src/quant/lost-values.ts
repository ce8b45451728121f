import type { QuantParams } from '../ir/lane.js';
import { fakeQuantize } from './affine.js';
import type { Histogram } from './histogram.js';

/** An error beyond this share of the value itself leaves it less than 12 dB. */
const LOST_ERROR = 1 / 4;

/**
 * Of the counted values other than zero, the share (0 to 1) that per-tensor `params` move by more than a quarter of
 * themselves; undefined without such values. Pooled SQNR does not see them: a few large values carry all the energy.
 *
 * Values count as the centre of their bin. Those in the bin of zero are closer to zero than half a bin: they count as zero.
 */
export function lostShare(histogram: Histogram, params: QuantParams): number | undefined {
  const { counts, grid } = histogram;
  const centres = Float32Array.from(counts, (_, bin) => histogram.centre(bin));
  const quantized = fakeQuantize(centres, [centres.length], params);
  let lost = 0;
  let all = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count === 0 || bin === grid.zeroPoint) continue;
    all += count;
    if (Math.abs(quantized[bin]! - centres[bin]!) > LOST_ERROR * Math.abs(centres[bin]!)) lost += count;
  }
  return all === 0 ? undefined : lost / all;
}
