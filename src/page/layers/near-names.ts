/** Names like one that is not there. */

const MOST = 5;
/** Share of pairs of letters in common, below which names are no longer alike. */
const LEAST = 0.3;
/** Letters that are looked at: names out of files have no limit. */
const LONGEST = 400;

/** The most alike first, by the pairs of neighbouring letters that both have (Dice's coefficient). */
export function nearNames(wanted: string, names: readonly string[]): string[] {
  const own = pairsOf(wanted);
  return names
    .map((name) => ({ name, likeness: likeness(own, pairsOf(name)) }))
    .filter((near) => near.likeness >= LEAST)
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, MOST)
    .map(({ name }) => name);
}

function pairsOf(name: string): ReadonlySet<string> {
  const letters = `^${name.slice(0, LONGEST).toLowerCase()}$`;
  return new Set(Array.from({ length: letters.length - 1 }, (_, i) => letters.slice(i, i + 2)));
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0;
  for (const pair of a) if (b.has(pair)) both++;
  return (2 * both) / (a.size + b.size);
}
