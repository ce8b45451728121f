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
  const { outer, channels, inner } = axisLayout(data.length, dims, axis);
  const error = emptyErrorSums(channels);
  const channelXX = new Float64Array(channels);
  const value: ValueSums = { count: data.length, nonFinite: 0, sumXX: 0, clipped: 0 };
  const quantized = fakeQuantize(data, dims, params);
  const { low, high } = limitsOf(params);
  const scaleOf = scaleIndex(data.length, dims, params);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      let xx = 0;
      let ee = 0;
      let sum = 0;
      let most = error.maxAbsE[c]!;
      for (const end = i + inner; i < end; i++) {
        const x = data[i]!;
        const e = quantized[i]! - x;
        if (e - e !== 0) {
          value.nonFinite++;
          error.nonFinite++;
          continue;
        }
        xx += x * x;
        ee += e * e;
        sum += e;
        if (e > most || -e > most) most = Math.abs(e);
        const s = scaleOf === undefined ? 0 : scaleOf(i);
        if (x < low[s]! || x > high[s]!) {
          value.clipped++;
          error.clipEE += e * e;
        }
      }
      channelXX[c]! += xx;
      error.sumEE[c]! += ee;
      error.sumE[c]! += sum;
      error.maxAbsE[c] = most;
    }
  }
  for (const xx of channelXX) value.sumXX += xx;
  return { value, error, channelXX };
}

/** Which scale element `i` has; undefined when there is one for all. */
function scaleIndex(
  length: number,
  dims: readonly number[],
  { granularity }: QuantParams,
): ((i: number) => number) | undefined {
  if (granularity.kind === 'per-tensor') return undefined;
  const { channels, inner } = axisLayout(length, dims, granularity.axis);
  return (i) => Math.floor(i / inner) % channels;
}

/** Values beyond these round to a code outside [qmin, qmax]; one pair per scale. */
export function limitsOf({ scale, zeroPoint, qmin, qmax }: QuantParams): {
  low: Float64Array;
  high: Float64Array;
} {
  const at = (q: number): Float64Array => Float64Array.from(scale, (s, i) => s * (q - (zeroPoint[i] ?? 0)));
  return { low: at(qmin - 0.5), high: at(qmax + 0.5) };
}
