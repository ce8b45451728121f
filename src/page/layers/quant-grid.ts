/** The values that a quantizer's codes stand for. */
import type { ReportedQuant } from '../../report/report.js';

export interface Grid {
  /** Of the lowest and of the highest code. */
  readonly lo: number;
  readonly hi: number;
  readonly step: number;
  readonly codes: number;
}

/** Of one scale for all; undefined where channels have their own, and where the file has no number for a scale. */
export function gridOf(quant: ReportedQuant | undefined): Grid | undefined {
  if (quant?.scale.length !== 1) return undefined;
  const { qmin, qmax } = quant;
  const [scale = NaN, zeroPoint] = [quant.scale[0], quant.zeroPoint[0] ?? 0];
  const [lo, hi] = [(qmin - zeroPoint) * scale, (qmax - zeroPoint) * scale];
  // Text stands for what is no number.
  if (![scale, lo, hi].every(Number.isFinite) || !(scale > 0) || !(hi > lo)) return undefined;
  return { lo, hi, step: scale, codes: qmax - qmin + 1 };
}

export interface GridTicks {
  readonly values: readonly number[];
  /** 1 where every code has its tick. */
  readonly every: number;
}

/**
 * Values of codes inside of a part of the axis: of all codes, or of every 2nd, 4th, ..., so that they are at least `apart` pixels apart.
 * Zero has its tick.
 */
export function gridTicks(
  { lo, hi, step }: Grid,
  [from, to]: readonly [number, number],
  pixels: number,
  apart = 3,
): GridTicks {
  const each = (step / (to - from)) * pixels;
  let every = 1;
  while (each * every < apart && Number.isFinite(every)) every *= 2;
  const wide = step * every;
  const [low, high] = [Math.max(lo, from), Math.min(hi, to)];
  const [first, last] = [Math.ceil(low / wide - 1e-6), Math.floor(high / wide + 1e-6)];
  // `|| 0`: never -0.
  const values = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * wide || 0);
  return { values, every };
}
