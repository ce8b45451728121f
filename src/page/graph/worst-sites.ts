/** Where to look first. */
import type { Network, Site } from './network.js';
import type { Measure } from './reading.js';

const MOST = 20;

/** Operators that are coloured by a number, the worst first; none that are as good as can be. */
export function worstSites({ sites }: Network, measure: Measure | undefined): readonly Site[] {
  if (measure === undefined) return [];
  return sites
    .flatMap((site) => {
      const reading = site.kind === 'operator' ? measure.readings[site.at] : undefined;
      return reading === undefined
        ? []
        : [{ site, value: reading.value, position: measure.scale.position(reading.value) }];
    })
    .filter(({ position }) => position > 0)
    .sort((a, b) => b.position - a.position)
    .slice(0, MOST)
    .map(({ site }) => site);
}
