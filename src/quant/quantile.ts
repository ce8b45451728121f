/** Order statistics the way numpy.percentile(method="linear") takes them. */

/**
 * Where percentile `p` (0 to 100) of `count` values lies: between the order statistics `rank` and `rank + 1`
 * (counted from 0), a `fraction` of the way.
 */
export function percentileRank(
  count: number,
  p: number,
): { readonly rank: number; readonly fraction: number } {
  if (!(p >= 0 && p <= 100)) throw new RangeError(`percentile is ${p}, wants 0 to 100`);
  if (count < 1) throw new RangeError('percentile of no values');
  const position = (count - 1) * (p / 100);
  const rank = Math.floor(position);
  return { rank, fraction: position - rank };
}

/** Between two order statistics; the two forms are numpy's, which keeps its result monotonic and within [a, b]. */
export function interpolate(a: number, b: number, fraction: number): number {
  const difference = b - a;
  return fraction < 0.5 ? a + difference * fraction : b - difference * (1 - fraction);
}

/** Percentile `p` of ascending values, at least one. */
export function percentileOf(sorted: Float64Array, p: number): number {
  const { rank, fraction } = percentileRank(sorted.length, p);
  const value = sorted[rank]!;
  return interpolate(value, sorted[rank + 1] ?? value, fraction);
}

/** Five-number summary of the finite values of one channel. */
export interface FiveNumbers {
  readonly min: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly max: number;
}

/**
 * Five-number summary of `values[0 .. count)`: at least one, no NaN. Reorders them.
 * Quartiles equal numpy.percentile's of the same values in float64.
 */
export function fiveNumbers(values: Float32Array, count: number): FiveNumbers {
  const last = count - 1;
  // Every selection parts the values at its rank, so the quartiles are searched on one side of the median only.
  const median = selectPercentile(values, 0, last, count, 50);
  const middle = percentileRank(count, 50).rank;
  const q1 = selectPercentile(values, 0, Math.min(middle + 1, last), count, 25);
  const q3 = selectPercentile(values, middle, last, count, 75);
  let min = values[0]!;
  for (let i = percentileRank(count, 25).rank; i > 0; i--) if (values[i]! < min) min = values[i]!;
  let max = values[last]!;
  for (let i = percentileRank(count, 75).rank; i < last; i++) if (values[i]! > max) max = values[i]!;
  return { min, q1, median, q3, max };
}

/** Percentile `p` of `count` values when the order statistics it needs lie in `values[low .. high]`. */
function selectPercentile(values: Float32Array, low: number, high: number, count: number, p: number): number {
  const { rank, fraction } = percentileRank(count, p);
  select(values, low, high, rank);
  if (rank === high) return values[rank]!;
  let next = rank + 1;
  for (let i = rank + 2; i <= high; i++) if (values[i]! < values[next]!) next = i;
  swap(values, rank + 1, next);
  return interpolate(values[rank]!, values[rank + 1]!, fraction);
}

/**
 * Quickselect: puts the value of sorted position `rank` there, nothing larger before it, nothing smaller after it.
 * Three to five times faster than the typed-array sort for whole layers, which is why it is written out here; values
 * arranged to defeat the pivots fall back to that sort.
 */
function select(values: Float32Array, low: number, high: number, rank: number): void {
  let budget = 4 * Math.ceil(Math.log2(high - low + 2));
  while (high - low > 16 && budget-- > 0) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < values[low]!) swap(values, middle, low);
    if (values[high]! < values[low]!) swap(values, high, low);
    if (values[high]! < values[middle]!) swap(values, high, middle);
    const pivot = values[middle]!;
    let left = low;
    let right = high;
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left <= right) swap(values, left++, right--);
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else return;
  }
  values.subarray(low, high + 1).sort();
}

function swap(values: Float32Array, i: number, j: number): void {
  const value = values[i]!;
  values[i] = values[j]!;
  values[j] = value;
}
