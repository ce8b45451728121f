/** One look at every element of a constant: its extremes, and whether anything in it is not a number. */
import { elementCount, toFloat32, type Scratch } from '../ir/elements.js';
import type { ConstantData } from '../ir/graph.js';
import { axisLayout } from './affine.js';
import { channelRanges } from './weights.js';

export interface ConstantScan {
  /** Finite extremes; absent when there is no finite value. */
  readonly min?: number;
  readonly max?: number;
  /** Largest finite magnitude of each channel; undefined for one without a finite value. Empty for an empty constant. */
  readonly absmax: readonly (number | undefined)[];
  /** NaN and infinite values, and float64 ones beyond float32. */
  readonly nonFinite: number;
  /** Channels that hold them, ascending. */
  readonly nonFiniteChannels: readonly number[];
}

/**
 * @param data of a float type
 * @param axis dimension of the channels; without one, the whole constant is one channel
 * @param scratch memory for a whole series of constants
 * @throws LoadError when the elements lie in a file that cannot be read
 */
export function scanConstant(data: ConstantData, axis?: number, scratch?: Scratch): ConstantScan {
  // An extent of 0 may stand beside one of 10^12: there is nothing to look at and no memory for a result.
  if (elementCount(data.dims) === 0) return { absmax: [], nonFinite: 0, nonFiniteChannels: [] };
  const values = toFloat32(data, scratch);
  const dims = axis === undefined ? [1, values.length] : data.dims;
  const { min, max, nonFinite } = channelRanges(values, dims, axis ?? 0);
  const perChannel = values.length / min.length;
  const bad = nonFinite === 0 ? undefined : nonFinitePerChannel(values, dims, axis ?? 0);
  const absmax: (number | undefined)[] = [];
  let low = Infinity;
  let high = -Infinity;
  for (let c = 0; c < min.length; c++) {
    if (bad?.[c] === perChannel) {
      absmax.push(undefined);
      continue;
    }
    absmax.push(Math.max(-min[c]!, max[c]!));
    low = Math.min(low, min[c]!);
    high = Math.max(high, max[c]!);
  }
  return {
    ...(low > high ? {} : { min: low, max: high }),
    absmax,
    nonFinite,
    nonFiniteChannels: bad === undefined ? [] : [...bad.keys()].filter((c) => bad[c]! > 0),
  };
}

function nonFinitePerChannel(values: Float32Array, dims: readonly number[], axis: number): Float64Array {
  const { outer, channels, inner } = axisLayout(values.length, dims, axis);
  const counts = new Float64Array(channels);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    for (let c = 0; c < channels; c++) {
      for (const end = i + inner; i < end; i++) if (!Number.isFinite(values[i])) counts[c]!++;
    }
  }
  return counts;
}
