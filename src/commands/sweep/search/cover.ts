/** The cheapest items that together give back enough, as if what they give added up. */

export interface CoverItem {
  /** What it gives back, more than 0. */
  readonly gain: number;
  readonly cost: number;
}

/** Resolution of gains, in parts of the highest level: as many as a table of this size has, within limits. */
const TABLE = 1e7;
const STEPS = [1000, 10_000] as const;
/** So that of two covers that cost the same, the one of fewer items is found. */
const EACH = 1e-7;

/**
 * For each level the positions of the items with the least cost whose gains reach it, ascending; undefined where all together do
 * not. The 0/1 knapsack problem by dynamic programming over gains, which are rounded up to a step: at the level itself a
 * cover may fall short of it by less than a step for each item.
 */
export function cheapestCovers(
  items: readonly CoverItem[],
  levels: readonly number[],
): (number[] | undefined)[] {
  const most = Math.max(STEPS[0], Math.min(STEPS[1], Math.floor(TABLE / Math.max(1, items.length))));
  const unit = Math.max(...levels) / most;
  if (!(unit > 0)) return levels.map(() => []);
  const steps = items.map(({ gain }) => Math.min(most, Math.ceil(gain / unit - 1e-6)));
  const least = new Float64Array(most + 1).fill(Infinity);
  least[0] = 0;
  const taken = items.map(({ cost }, at) => {
    const isTaken = new Uint8Array(most + 1);
    for (let level = most; level > 0; level--) {
      const rest = least[Math.max(0, level - steps[at]!)]! + cost + EACH;
      if (steps[at]! <= 0 || rest >= least[level]!) continue;
      least[level] = rest;
      isTaken[level] = 1;
    }
    return isTaken;
  });
  return levels.map((wanted) => {
    let level = Math.min(most, Math.max(0, Math.ceil(wanted / unit - 1e-6)));
    if (least[level] === Infinity) return undefined;
    const chosen: number[] = [];
    for (let at = items.length - 1; at >= 0 && level > 0; at--) {
      if (taken[at]![level] !== 1) continue;
      chosen.unshift(at);
      level = Math.max(0, level - steps[at]!);
    }
    return chosen;
  });
}
