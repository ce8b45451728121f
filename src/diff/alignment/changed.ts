/** Operators that stand in the same place of both networks and are not the same operator: an Add that became a Sub. */
import type { Matching } from './matching.js';
import type { Skeleton, Unit } from './units.js';

/**
 * Pairs of unmatched units of different kinds that read what the same matched units write, are read by the same matched units, and
 * are as large; only where no other unit stands in that place.
 */
export function changedPairs(matching: Matching): [a: Unit, b: Unit][] {
  const { reference, candidate } = matching;
  const own = (unit: number): number | undefined => matching.ofCandidate(unit) && unit;
  const twin = (unit: number): number | undefined => matching.ofReference(unit)?.index;
  const right = places(candidate, own);
  return [...places(reference, twin)].flatMap(([place, units]): [Unit, Unit][] => {
    const others = right.get(place) ?? [];
    const [a, b] = [units[0], others[0]];
    const isSingle = units.length === 1 && others.length === 1;
    return isSingle && a !== undefined && b !== undefined && a.kind !== b.kind ? [[a, b]] : [];
  });
}

/** Unmatched units by what is around them, in the candidate's numbers. */
function places(
  { units, graph }: Skeleton,
  numberOf: (unit: number) => number | undefined,
): ReadonlyMap<string, Unit[]> {
  const found = new Map<string, Unit[]>();
  for (const unit of units) {
    if (numberOf(unit.index) !== undefined || unit.node === undefined || unit.size === undefined) continue;
    const before = [...new Set(unit.operands.map(({ region }) => region.unit))];
    const around = [before.map(numberOf), unit.readers.map(numberOf)];
    // What only the network's data surround could be anything.
    const isKnown = around.flat().every((number) => number !== undefined);
    const isInside = [...before, ...unit.readers].some((index) => units[index]?.node !== undefined);
    const isRead = unit.readers.length > 0 || leaves(unit, graph.outputs);
    if (!isKnown || !isInside || !isRead) continue;
    const [sources, readers] = around.map((numbers) =>
      [...numbers].sort((a, b) => (a ?? 0) - (b ?? 0)).join(),
    );
    const place = `${sources}>${readers}@${unit.size}*${unit.regions.length}${unit.isCompute ? '!' : ''}`;
    const same = found.get(place);
    if (same === undefined) found.set(place, [unit]);
    else same.push(unit);
  }
  return found;
}

function leaves({ regions }: Unit, outputs: readonly number[]): boolean {
  return regions.some(({ members }) => members.some(({ tensor }) => outputs.includes(tensor)));
}
