/** Words for what is drawn. */
import { plural } from '../frame/numbers.js';
import { shortName, visible } from '../frame/layer-name.js';
import type { Network, Site } from './network.js';
import type { Measure } from './reading.js';

export function describeNetwork({ sites }: Network, measure: Measure | undefined): string {
  const operators = sites.filter(({ kind }) => kind === 'operator').length;
  const inputs = sites.filter(({ kind }) => kind === 'input').length;
  const outputs = sites.filter(({ kind }) => kind === 'output').length;
  const coloured = measure === undefined ? '' : `, coloured by ${measure.title}`;
  return `The network as a graph: ${plural(operators, 'operator')}, ${plural(inputs, 'input')}, ${plural(outputs, 'output')}${coloured}.`;
}

const MOST_NAMES = 3;

/** One line about a site: what it is, its number, what it hangs on. */
export function describeSite(network: Network, site: Site, measure: Measure | undefined): string {
  const what = site.kind === 'operator' ? visible(site.op) : `${site.kind} of the network`;
  const reading = measure?.readings[site.at];
  const number =
    measure === undefined || site.kind !== 'operator'
      ? undefined
      : `${measure.title}: ${reading?.text ?? 'none'}`;
  const float = site.node?.float;
  const parts = [
    `${shortName(site.name)}, ${what}`,
    site.kind !== 'operator' && reading !== undefined && measure !== undefined
      ? `${measure.title}: ${reading.text}`
      : number,
    float === undefined ? undefined : `in float: ${visible(float)}`,
    names('reads', network, site.before),
    names('read by', network, site.after),
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

function names(verb: string, { sites }: Network, places: readonly number[]): string | undefined {
  if (places.length === 0) return undefined;
  const shown = places.slice(0, MOST_NAMES).map((at) => shortName(sites[at]?.name ?? '', 40));
  const more = places.length - shown.length;
  return `${verb} ${shown.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}
