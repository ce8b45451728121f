/** Error of a constant under a quantizer, computed on the spot: weights need no run. */
import { axisLayout, fakeQuantize } from '../quant/affine.js';
import type { QuantParams } from '../ir/lane.js';
import { emptyErrorSums, type ErrorSums, type ValueSums } from '../ir/sums.js';

export interface ConstantSums {
  readonly value: ValueSums;
  readonly error: ErrorSums;
  /** Σx² of each channel. */
  readonly channelXX: Float64Array;
}

/**
 * Sums of x and of e = fakeQuantize(x) - x, per index of `axis` (all together when undefined).
 * `data` is row-major with shape `dims`; values that are not finite are counted and left out.
 */
export function constantError(
  data: Float32Array,
  dims: readonly number[],
  params: QuantParams,
  axis: number | undefined,
): ConstantSums {
  const { channels, inner } = axisLayout(data.length, dims, axis);
  const error = emptyErrorSums(channels);
  const channelXX = new Float64Array(channels);
  const value: ValueSums = { count: data.length, nonFinite: 0, sumXX: 0, clipped: 0 };
  const quantized = fakeQuantize(data, dims, params);
  const limits = limitsOf(params);
  const scaleAxis = params.granularity.kind === 'per-axis' ? params.granularity.axis : undefined;
  const scaleLayout = axisLayout(data.length, dims, scaleAxis);
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    const e = (quantized[i] as number) - x;
    if (!Number.isFinite(e)) {
      value.nonFinite++;
      error.nonFinite++;
      continue;
    }
    const c = Math.floor(i / inner) % channels;
    const s = Math.floor(i / scaleLayout.inner) % scaleLayout.channels;
    channelXX[c] = (channelXX[c] as number) + x * x;
    error.sumEE[c] = (error.sumEE[c] as number) + e * e;
    error.sumE[c] = (error.sumE[c] as number) + e;
    if (Math.abs(e) > (error.maxAbsE[c] as number)) error.maxAbsE[c] = Math.abs(e);
    if (x < (limits.low[s] as number) || x > (limits.high[s] as number)) {
      value.clipped++;
      error.clipEE += e * e;
    }
  }
  for (const xx of channelXX) value.sumXX += xx;
  return { value, error, channelXX };
}

/** Values beyond these round to a code outside [qmin, qmax]; one pair per scale. */
export function limitsOf({ scale, zeroPoint, qmin, qmax }: QuantParams): {
  low: Float64Array;
  high: Float64Array;
} {
  const at = (q: number): Float64Array => Float64Array.from(scale, (s, i) => s * (q - (zeroPoint[i] ?? 0)));
  return { low: at(qmin - 0.5), high: at(qmax + 0.5) };
}
