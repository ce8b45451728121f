/** Bins of a histogram as they are drawn. */
import type { ReportedHistogram } from '../../report/report.js';

export interface Bin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** At most `most` bins: neighbours are put together where there are more. */
export function binsOf({ lo, hi, counts }: ReportedHistogram, most: number): Bin[] {
  const size = Math.max(1, Math.ceil(counts.length / Math.max(1, Math.floor(most))));
  const width = (hi - lo) / counts.length;
  return Array.from({ length: Math.ceil(counts.length / size) }, (_, i) => {
    const end = Math.min(counts.length, (i + 1) * size);
    const own = counts.slice(i * size, end);
    return {
      from: lo + i * size * width,
      to: end === counts.length ? hi : lo + end * width,
      count: own.reduce((sum, n) => sum + n, 0),
    };
  });
}

export const COUNT_AXES = ['log', 'square root', 'linear'] as const;
export type CountAxis = (typeof COUNT_AXES)[number];

/** Height of a count, 0 to 1 for the largest. */
export function countHeight(count: number, largest: number, axis: CountAxis): number {
  if (largest <= 0) return 0;
  // One more, so that a single value still shows.
  if (axis === 'log') return Math.log1p(count) / Math.log1p(largest);
  return axis === 'linear' ? count / largest : Math.sqrt(count / largest);
}

/** Round counts that tell the axis. */
export function countTicks(largest: number, axis: CountAxis): number[] {
  if (largest <= 0) return [];
  const power = Math.floor(Math.log10(largest));
  if (axis === 'log') {
    const step = Math.max(1, Math.ceil(power / 4));
    return [0, ...Array.from({ length: Math.floor(power / step) + 1 }, (_, i) => 10 ** (i * step))];
  }
  const unit = 10 ** power;
  const step = largest / unit >= 5 ? 2 * unit : largest / unit >= 2 ? unit : unit / 2;
  return Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step);
}
