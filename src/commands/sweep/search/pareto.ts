/** Which of many trade-offs are worth a look: those that no other beats in everything. */

/** What a point costs, and what is left of the loss. Smaller is better of all. */
export interface TradeOff {
  /** 0..1. */
  readonly macsShare: number;
  readonly extraBytes: number;
  readonly layers: number;
  /** Absent for a point that could not be evaluated. */
  readonly loss?: number;
}

/**
 * For each point whether it is on the Pareto front: no other one costs no more (multiply-accumulates and bytes) and loses no more,
 * and is better in one of these. Of points equal in all that with the fewest layers counts, the first of several.
 */
export function paretoFront(points: readonly TradeOff[]): boolean[] {
  return points.map(
    (point, at) =>
      point.loss !== undefined &&
      !points.some((other, otherAt) => otherAt !== at && beats(other, point, otherAt < at)),
  );
}

function beats(a: TradeOff, b: TradeOff, isEarlier: boolean): boolean {
  if (a.loss === undefined || b.loss === undefined) return false;
  if (a.macsShare > b.macsShare || a.extraBytes > b.extraBytes || a.loss > b.loss) return false;
  if (a.macsShare < b.macsShare || a.extraBytes < b.extraBytes || a.loss < b.loss) return true;
  return a.layers < b.layers || (a.layers === b.layers && isEarlier);
}
