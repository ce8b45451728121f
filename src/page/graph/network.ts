/** The network as it is drawn: operators and ends with their places, and how they hang together. */
import type { PageReport, PlacedEdge, PlacedGraph } from '../../report/html/page-document.js';
import type { ReportedGraph, ReportedNode } from '../../report/report-graph.js';

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** An operator, or an input or output of the network. */
export interface Site {
  /** Position among the sites: operators in graph order, then the ends. */
  readonly at: number;
  readonly kind: 'operator' | 'input' | 'output';
  /** Of the operator as the file has it, or of the tensor. */
  readonly name: string;
  readonly op: string;
  /** That it stands for in tables: what it writes, or what an end is. */
  readonly tensors: readonly string[];
  readonly node?: ReportedNode;
  /** Centre. */
  readonly x: number;
  readonly y: number;
  readonly box: Box;
  /** Sites it reads from, and those that read from it, without repetition. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Positions among the edges, of those that begin or end here. */
  readonly edges: readonly number[];
}

export interface Network {
  readonly sites: readonly Site[];
  readonly edges: readonly PlacedEdge[];
  /** Around all of it. */
  readonly bounds: Box;
}

/** The graph that a page draws: of several inspected models that of the first. */
export function graphOf(report: PageReport): ReportedGraph | undefined {
  return report.command === 'inspect' ? report.models[0]?.graph : report.graph;
}

export function networkOf(graph: ReportedGraph, layout: PlacedGraph): Network {
  const placed = layout.nodes.flatMap((place) => {
    const node = graph.nodes[place.node];
    return node === undefined ? [] : [{ place, node }];
  });
  const ends = layout.ends ?? [];
  const siteOf = new Map(placed.map(({ place }, at) => [place.node, at]));
  const endOf = new Map(ends.map(({ kind, tensor }, i) => [`${kind} ${tensor}`, placed.length + i]));
  const before = new Map<number, Set<number>>();
  const after = new Map<number, Set<number>>();
  const own = new Map<number, Set<number>>();
  for (const [i, { from, to, tensor }] of layout.edges.entries()) {
    const source = from === undefined ? endOf.get(`input ${tensor}`) : siteOf.get(from);
    const target = to === undefined ? endOf.get(`output ${tensor}`) : siteOf.get(to);
    for (const end of [source, target]) if (end !== undefined) into(own, end, i);
    if (source === undefined || target === undefined) continue;
    into(after, source, target);
    into(before, target, source);
  }
  const linked = (at: number): Pick<Site, 'at' | 'before' | 'after' | 'edges'> => ({
    at,
    before: [...(before.get(at) ?? [])],
    after: [...(after.get(at) ?? [])],
    edges: [...(own.get(at) ?? [])],
  });
  const sites: Site[] = [
    ...placed.map(({ place, node }, at): Site => ({
      ...linked(at),
      kind: 'operator',
      name: node.node,
      op: node.op,
      tensors: node.outputs,
      node,
      ...placeOf(place),
    })),
    ...ends.map((end, i): Site => ({
      ...linked(placed.length + i),
      kind: end.kind,
      name: end.tensor,
      op: end.kind,
      tensors: [end.tensor],
      ...placeOf(end),
    })),
  ];
  return { sites, edges: layout.edges, bounds: boundsOf(sites, layout) };
}

function into(map: Map<number, Set<number>>, key: number, value: number): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}

function placeOf({
  x,
  y,
  width,
  height,
}: {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}): Pick<Site, 'x' | 'y' | 'box'> {
  return {
    x,
    y,
    box: { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 },
  };
}

const MARGIN = 14;

function boundsOf(sites: readonly Site[], { width, height }: PlacedGraph): Box {
  let [left, top, right, bottom] = [0, 0, width, height];
  for (const { box } of sites) {
    left = Math.min(left, box.left);
    top = Math.min(top, box.top);
    right = Math.max(right, box.right);
    bottom = Math.max(bottom, box.bottom);
  }
  return { left: left - MARGIN, top: top - MARGIN, right: right + MARGIN, bottom: bottom + MARGIN };
}

export function overlap(a: Box, b: Box): boolean {
  return a.left <= b.right && a.right >= b.left && a.top <= b.bottom && a.bottom >= b.top;
}

export function boxOfEdge({ points }: PlacedEdge): Box {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** The site under a point. */
export function siteAt({ sites }: Network, x: number, y: number): Site | undefined {
  return sites.find(({ box }) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
}

/** By name of the operator, of a node merged into it or of a tensor; an operator before an end of the same name. */
export function siteNamed({ sites }: Network, name: string): Site | undefined {
  return (
    sites.find((site) => site.name === name && site.kind === 'operator') ??
    sites.find(({ tensors }) => tensors.includes(name)) ??
    sites.find(({ node }) => node?.members?.includes(name) === true)
  );
}

/** Sites whose operator, names or tensors hold every word, in graph order; none for no words. */
export function sitesFound({ sites }: Network, wanted: string): readonly Site[] {
  const words = wanted
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return [];
  return sites.filter(({ name, op, tensors, node }) => {
    const text = [name, op, ...tensors, ...(node?.members ?? [])].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/**
 * Where an arrow key leads: along edges up to what it reads and down to what reads it, nearest first; sideways to the neighbours
 * that stand at the same height, connected or not.
 */
export function neighbour({ sites }: Network, site: Site, direction: Direction): Site | undefined {
  if (direction === 'up' || direction === 'down') {
    const ways = (direction === 'up' ? site.before : site.after).flatMap((at) => sites[at] ?? []);
    return nearest(ways, (other) => Math.hypot(other.x - site.x, other.y - site.y));
  }
  const sign = direction === 'left' ? -1 : 1;
  const beside = sites.filter(
    (other) =>
      sign * (other.x - site.x) > 0 && other.box.top <= site.box.bottom && other.box.bottom >= site.box.top,
  );
  return nearest(beside, (other) => Math.abs(other.x - site.x));
}

function nearest(sites: readonly Site[], distance: (site: Site) => number): Site | undefined {
  return sites.reduce<Site | undefined>(
    (best, site) => (best === undefined || distance(site) < distance(best) ? site : best),
    undefined,
  );
}
