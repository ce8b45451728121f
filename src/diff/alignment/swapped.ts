/** Layers that have each other's weights: names and wires say which is which where weights say the opposite. */
import type { Anchor } from './anchors.js';
import type { Matching } from './matching.js';
import type { Skeleton, Unit } from './units.js';

/**
 * The anchors with those changed that take layers for each other which have the same names in both networks: weights that were
 * exchanged by the export. Undefined when weights and names agree, or names only say that other layers are missing.
 */
export function anchorsByName(
  reference: Skeleton,
  candidate: Skeleton,
  anchors: readonly Anchor[],
): Anchor[] | undefined {
  const [names, namesThere] = [ownersOf(reference), ownersOf(candidate)];
  const namesake = (unit: Unit | undefined): Unit | undefined => {
    if (unit === undefined) return undefined;
    const own = namesOf(reference, unit).filter((name) => names.get(name) === unit);
    const [found, ...others] = new Set(own.flatMap((name) => namesThere.get(name) ?? []));
    return others.length === 0 && found?.kind === unit.kind && found.size === unit.size ? found : undefined;
  };
  const wanted = new Map<Anchor, number>();
  for (const anchor of anchors) {
    const named = namesake(reference.units[anchor.reference]);
    if (named !== undefined && named.index !== anchor.candidate) wanted.set(anchor, named.index);
  }
  // What is left are layers in a circle: each has the weights of the next.
  for (let size = -1; size !== wanted.size;) {
    size = wanted.size;
    const taken = new Set(Array.from(wanted.keys(), (anchor) => anchor.candidate));
    for (const [anchor, unit] of wanted) if (!taken.has(unit)) wanted.delete(anchor);
  }
  if (wanted.size === 0) return undefined;
  return anchors.map((anchor) => ({
    reference: anchor.reference,
    candidate: wanted.get(anchor) ?? anchor.candidate,
  }));
}

/** Names in the file of what a unit writes, of its node and of its weights; without numbers, which every exporter counts its own way. */
function namesOf({ graph: { tensors } }: Skeleton, { node, regions, kernel }: Unit): string[] {
  const written = regions.flatMap(({ members }) => members.map(({ tensor }) => tensors[tensor]?.name ?? ''));
  const weights = kernel === undefined ? '' : (tensors[kernel.tensor]?.name ?? '');
  return [...new Set([...written, node?.origin.name ?? '', weights])].filter((name) => !/^\d*$/.test(name));
}

/** Linear operators by name; undefined where several have it. */
function ownersOf(skeleton: Skeleton): ReadonlyMap<string, Unit | undefined> {
  const owners = new Map<string, Unit | undefined>();
  for (const unit of skeleton.units) {
    if (unit.kernel === undefined) continue;
    for (const name of namesOf(skeleton, unit)) owners.set(name, owners.has(name) ? undefined : unit);
  }
  return owners;
}

/** Operands of matched units that are matched with the operand at the same place. */
export function agreement(matching: Matching): number {
  let agreed = 0;
  for (const { reference, candidate } of matching.matches()) {
    const there = matching.candidate.units[candidate]?.operands ?? [];
    matching.reference.units[reference]?.operands.forEach(({ region }, slot) => {
      const twin = matching.ofReference(region.unit);
      if (twin !== undefined && twin.index === there[slot]?.region.unit) agreed++;
    });
  }
  return agreed;
}
