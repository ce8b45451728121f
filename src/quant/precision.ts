/** Forecasts: what a quantizer would do to a tensor, from its statistics alone. */
import type { QuantParams } from '../ir/lane.js';
import type { Histogram } from './histogram.js';

/** Sum of squared errors over all counted values, by cause; in squared units of the tensor. */
export interface NoiseForecast {
  /** Values within half a step of the representable range. */
  readonly round: number;
  /** Values beyond it. */
  readonly clip: number;
}

/**
 * Squared error that per-tensor `params` are expected to cause on the values of a histogram.
 *
 * Model: values are spread evenly over their bin, except exact zeros, which cost nothing. The error of
 * x -> clamp(round(x)) is integrated over each bin in closed form, so it is right when the quantizer's step is many
 * bins (a bin centre has its own rounding error), when it is a fraction of one (step^2 / 12), and in between, where
 * rounding the bin centres would only show how the two grids beat. Values that repeat, other than zero (a constant
 * tensor, a Clip's upper bound), are not known to the model: it expects more noise than they have.
 * What it knows to half a bin shows at 16 bits only: a sharp peak at zero passes for exact zeros (too little noise),
 * and the one largest value of a small tensor for slightly clipped (too much, below 1 dB).
 *
 * @throws RangeError for per-axis parameters: a histogram knows no channels
 */
export function expectedNoise(histogram: Histogram, params: QuantParams): NoiseForecast {
  const { counts, grid } = histogram;
  const [scale, zeroPoint] = perTensor(params);
  const low = params.qmin - zeroPoint;
  const high = params.qmax - zeroPoint;
  const zeros = histogram.exactZeros();
  // All in steps of the quantizer from here on: a value u has the error u - nearest code.
  const width = grid.scale / scale;
  const spread = (width * width) / 12;
  let round = 0;
  let clip = 0;
  let integral = 0;
  let integratedTo = -1;
  for (let i = 0; i < counts.length; i++) {
    const count = i === grid.zeroPoint ? counts[i]! - zeros : counts[i]!;
    if (count === 0) continue;
    const centre = (i - grid.zeroPoint) * width;
    const from = centre - width / 2;
    const to = centre + width / 2;
    if (from >= high + 0.5) {
      clip += count * ((centre - high) * (centre - high) + spread);
    } else if (to <= low - 0.5) {
      clip += count * ((centre - low) * (centre - low) + spread);
    } else {
      const before = integratedTo === i ? integral : roundIntegral(from, low, high);
      integral = roundIntegral(to, low, high);
      integratedTo = i + 1;
      round += (count * (integral - before)) / width;
      if (to > high + 0.5) clip += (count * ((to - high) ** 3 - 0.125)) / (3 * width);
      if (from < low - 0.5) clip += (count * ((low - from) ** 3 - 0.125)) / (3 * width);
    }
  }
  return { round: round * scale * scale, clip: clip * scale * scale };
}

/** Antiderivative of (u - round(u))^2 within half a step of the codes low..high, constant outside. */
function roundIntegral(u: number, low: number, high: number): number {
  const inside = u < low - 0.5 ? low - 0.5 : u > high + 0.5 ? high + 0.5 : u;
  const nearest = Math.floor(inside + 0.5);
  const rest = inside - nearest;
  return nearest / 12 + (rest * rest * rest) / 3;
}

/** Sum of x^2 over the counted values, on the same model as `expectedNoise`. */
function signalEnergy(histogram: Histogram): number {
  const { counts, grid } = histogram;
  const spread = (grid.scale * grid.scale) / 12;
  let energy = -histogram.exactZeros() * spread;
  for (let i = 0; i < counts.length; i++) energy += counts[i]! * (histogram.centre(i) ** 2 + spread);
  return energy;
}

/**
 * Forecast of the `self` SQNR of a tensor under per-tensor `params`, in dB: signal energy over expected noise.
 * Undefined when there is no signal, or nothing but exact zeros and so no noise.
 */
export function expectedSqnrDb(histogram: Histogram, params: QuantParams): number | undefined {
  const { round, clip } = expectedNoise(histogram, params);
  const signal = signalEnergy(histogram);
  return signal > 0 && round + clip > 0 ? 10 * Math.log10(signal / (round + clip)) : undefined;
}

/** Quantizer steps across the central 98 % of the values: below about 32 the bulk of a tensor is hardly resolved. */
export function effectiveLevels(p01: number, p99: number, scale: number): number {
  return (p99 - p01) / scale;
}

function perTensor(params: QuantParams): [scale: number, zeroPoint: number] {
  const { granularity, scale, zeroPoint } = params;
  if (granularity.kind !== 'per-tensor' || scale[0] === undefined || zeroPoint[0] === undefined) {
    throw new RangeError(`forecast from a histogram wants per-tensor parameters, got ${granularity.kind}`);
  }
  return [scale[0], zeroPoint[0]];
}
