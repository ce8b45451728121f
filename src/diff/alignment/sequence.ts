/** Units that are left between matched ones, paired in the order in which both networks have them. */
import type { Matching } from './matching.js';
import { canBeSame, type Skeleton, type Unit } from './units.js';

/** Cells of the table that is filled at most: beyond it what is left stays unmatched. */
const MOST_CELLS = 4_000_000;

/** The longest common subsequence of what is left, of units that can be the same and lie between the same matched units. */
export function orderedPairs(matching: Matching): [a: Unit, b: Unit][] {
  const left = matching.reference.units.filter(({ index }) => matching.ofReference(index) === undefined);
  const right = matching.candidate.units.filter(({ index }) => matching.ofCandidate(index) === undefined);
  if (left.length === 0 || right.length === 0 || left.length * right.length > MOST_CELLS) return [];
  const bounds = boundsOf(matching.reference, (unit) => matching.ofReference(unit)?.index);
  const width = right.length + 1;
  const weight = new Uint16Array((left.length + 1) * width);
  const gain = (a: Unit, b: Unit): number => {
    const { low, high } = bounds[a.index] ?? { low: -1, high: Infinity };
    const isBetween = low < b.index && b.index < high;
    if (!isBetween || !canBeSame(a, b) || !matching.agreesAround(a, b)) return 0;
    return matching.isNear(a, b) ? 3 : a.isCompute ? 2 : 0;
  };
  const gains = new Uint8Array(weight.length);
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const own = gain(left[i] as Unit, right[j] as Unit);
      gains[i * width + j] = own;
      const skip = Math.max(weight[(i + 1) * width + j] ?? 0, weight[i * width + j + 1] ?? 0);
      weight[i * width + j] = Math.max(skip, own === 0 ? 0 : own + (weight[(i + 1) * width + j + 1] ?? 0));
    }
  }
  const pairs: [Unit, Unit][] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const here = weight[i * width + j] ?? 0;
    const own = gains[i * width + j] ?? 0;
    if (own > 0 && here === own + (weight[(i + 1) * width + j + 1] ?? 0)) {
      pairs.push([left[i] as Unit, right[j] as Unit]);
      i++;
      j++;
    } else if (here === (weight[(i + 1) * width + j] ?? 0)) i++;
    else j++;
  }
  return pairs;
}

interface Bounds {
  low: number;
  high: number;
}

/** Between which units of the other network, in its order, the twin of each unit must lie: behind those before it, before those behind it. */
function boundsOf({ units }: Skeleton, twinOf: (unit: number) => number | undefined): Bounds[] {
  const bounds = units.map((): Bounds => ({ low: -1, high: Infinity }));
  const at = (unit: number): Bounds => bounds[unit] as Bounds;
  for (const { index, operands } of units) {
    for (const { region } of operands) {
      at(index).low = Math.max(at(index).low, twinOf(region.unit) ?? at(region.unit).low);
    }
  }
  for (const { index, readers } of units.toReversed()) {
    for (const reader of readers)
      at(index).high = Math.min(at(index).high, twinOf(reader) ?? at(reader).high);
  }
  return bounds;
}
