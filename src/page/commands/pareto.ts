/** What the plot of a search is made of. */
import type { ReportedSearch, SearchedPoint } from '../../report/sweep-report.js';
import type { SweepPage } from './sweep-numbers.js';

export type Cost = 'macs' | 'bytes';

export interface ParetoPoint extends SearchedPoint {
  /** Position in the order of evaluation. */
  readonly at: number;
  readonly cost: number;
  readonly isChosen: boolean;
  /** Loses least, where none meets the target. */
  readonly isBest: boolean;
}

/** Met by what was seen, or by all that it can be. */
export function metText({ meetsTarget, dropInterval, isCertain }: SearchedPoint): string {
  if (!meetsTarget) return 'missed';
  return dropInterval === undefined || isCertain === true ? 'met' : 'met, unsure';
}

export function paretoPoints({ points, chosen, best }: ReportedSearch, cost: Cost): ParetoPoint[] {
  return points.map((point, at) => ({
    ...point,
    at,
    cost: cost === 'macs' ? 100 * point.macsShare : point.extraBytes,
    isChosen: at === chosen,
    isBest: at === best,
  }));
}

/**
 * Corners of the line that the best of all evaluated sets make: what can be had for a cost, which is as good for any higher one.
 * Of this cost alone; a set may be on the report's front for its other cost.
 */
export function frontOf(points: readonly ParetoPoint[]): ParetoPoint[] {
  const known = points
    .filter(({ drop }) => drop !== undefined)
    .sort((a, b) => a.cost - b.cost || (a.drop ?? 0) - (b.drop ?? 0));
  let least = Infinity;
  return known.filter(({ drop = Infinity }) => {
    if (drop >= least) return false;
    least = drop;
    return true;
  });
}

/** Which costs tell sets apart. */
export function costsOf({ points }: ReportedSearch): Cost[] {
  const varies = (of: (point: SearchedPoint) => number): boolean => new Set(points.map(of)).size > 1;
  return [
    ...(varies(({ macsShare }) => macsShare) ? ['macs' as const] : []),
    ...(varies(({ extraBytes }) => extraBytes) ? ['bytes' as const] : []),
  ];
}

/**
 * The largest drop that is within the target, read from its text and held against what was judged with it; undefined where the two
 * do not agree, or it cannot be read.
 */
export function targetDrop({ search, float, basis, accuracy }: SweepPage): number | undefined {
  const read = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*(pt|%|dB)\s*$/i.exec(search?.target ?? '');
  if (search === undefined || read === null) return undefined;
  const value = Number(read[1]);
  const unit = read[2]?.toLowerCase();
  const isScored = basis.metric !== undefined && accuracy?.reference !== undefined;
  // Without labels a target in dB is the least SQNR, and a drop is what is missing to that.
  const limit =
    unit === 'db' && !isScored
      ? 0
      : unit === '%' && isScored
        ? (value / 100) * Math.abs(float.accuracy ?? accuracy.reference)
        : value;
  const tolerance = 1e-6 * Math.max(1, Math.abs(limit));
  const agrees = search.points.every(
    ({ drop, meetsTarget }) =>
      drop === undefined || (meetsTarget ? drop <= limit + tolerance : drop >= limit - tolerance),
  );
  return agrees ? limit : undefined;
}
