import type { QuantParams } from '../ir/lane.js';
import { fakeQuantize } from './affine.js';
import type { Histogram } from './histogram.js';

/** An error beyond this share of the value itself leaves it less than 12 dB. */
const LOST_ERROR = 1 / 4;

export interface LostValues {
  /** Values that the quantizer moves by more than a quarter of themselves. */
  readonly lost: number;
  /** All values other than zero; at least 1. */
  readonly values: number;
}

/**
 * How many of the counted values other than zero are lost under per-tensor `params`; undefined without such values.
 * Pooled SQNR does not see them: a few large values carry all the energy.
 *
 * Values count as the centre of their bin. Those in the bin of zero are closer to zero than half a bin: they count as zero.
 */
export function lostValues(histogram: Histogram, params: QuantParams): LostValues | undefined {
  const { counts, grid } = histogram;
  const centres = Float32Array.from(counts, (_, bin) => histogram.centre(bin));
  const quantized = fakeQuantize(centres, [centres.length], params);
  let lost = 0;
  let values = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin]!;
    if (count === 0 || bin === grid.zeroPoint) continue;
    values += count;
    if (Math.abs(quantized[bin]! - centres[bin]!) > LOST_ERROR * Math.abs(centres[bin]!)) lost += count;
  }
  return values === 0 ? undefined : { lost, values };
}
