/** Where the operators of a network are drawn. */
import type { ELK, ElkNode } from 'elkjs/lib/elk-api.js';
import type { ReportedGraph } from '../report-graph.js';
import { boxesOf, type Boxes, type Placement, type Point } from './graph-boxes.js';
import { layered } from './layered-layout.js';
import type { PlacedEdge, PlacedEnd, PlacedGraph, PlacedNode } from './page-document.js';

/** What elkjs draws in well under a second; most of that is its code getting warm. */
const MOST_BOXES = 300;
const MOST_LINKS = 900;
const MARGIN = 16;

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.randomSeed': '1',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '24',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.thoroughness': '3',
  // Its default drifts sideways, block by block: 15,000 pixels over a thousand operators of a residual network.
  'elk.layered.nodePlacement.bk.fixedAlignment': 'BALANCED',
} as const;

/** The same for the same graph, whatever is in it: names that nothing writes and circles included. */
export async function placedGraph(graph: ReportedGraph): Promise<PlacedGraph> {
  const boxes = boxesOf(graph);
  return graphOf(graph, boxes, (await drawnByElk(boxes)) ?? layered(boxes, orderOf(graph)));
}

/** Inputs, operators as they are computed, outputs: as positions among the boxes. */
function orderOf({ inputs, outputs, nodes }: ReportedGraph): number[] {
  return [
    ...inputs.map((_, at) => nodes.length + at),
    ...nodes.keys(),
    ...outputs.map((_, at) => nodes.length + inputs.length + at),
  ];
}

/** undefined where the network is too large for it. */
async function drawnByElk({ boxes, links }: Boxes): Promise<Placement | undefined> {
  if (boxes.length > MOST_BOXES || links.length > MOST_LINKS) return undefined;
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  // The declared type is that of an ES module; what is loaded is a function.
  const elk = new (Elk as unknown as new () => ELK)();
  const network: ElkNode = {
    id: 'network',
    layoutOptions: OPTIONS,
    children: boxes.map((box, at) => ({ id: `box ${at}`, ...box })),
    edges: links.map(({ from, to }, at) => ({
      id: `link ${at}`,
      sources: [`box ${from}`],
      targets: [`box ${to}`],
    })),
  };
  try {
    return placementOf(await elk.layout(network));
  } catch {
    // What it cannot draw, the other layout can.
    return undefined;
  }
}

function placementOf({ children = [], edges = [] }: ElkNode): Placement {
  return {
    centres: children.map(({ x = 0, y = 0, width = 0, height = 0 }) => [x + width / 2, y + height / 2]),
    lines: edges.map(({ sections = [] }) =>
      sections.flatMap(({ startPoint, bendPoints = [], endPoint }) =>
        [startPoint, ...bendPoints, endPoint].map(({ x, y }): Point => [x, y]),
      ),
    ),
  };
}

function graphOf(
  { inputs, outputs, nodes }: ReportedGraph,
  { boxes, links }: Boxes,
  placement: Placement,
): PlacedGraph {
  const corners = [
    ...placement.centres.flatMap(([x, y], at) => {
      const { width, height } = boxes[at]!;
      return [
        [x - width / 2, y - height / 2],
        [x + width / 2, y + height / 2],
      ] as const;
    }),
    ...placement.lines.flat(),
  ];
  const left = corners.reduce((least, [x]) => Math.min(least, x), Infinity);
  const top = corners.reduce((least, [, y]) => Math.min(least, y), Infinity);
  const right = corners.reduce((most, [x]) => Math.max(most, x), -Infinity);
  const bottom = corners.reduce((most, [, y]) => Math.max(most, y), -Infinity);
  const moved = ([x, y]: Point): Point => [Math.round(x - left + MARGIN), Math.round(y - top + MARGIN)];
  const place = (at: number): Omit<PlacedNode, 'node'> => {
    const [x, y] = moved(placement.centres[at]!);
    const { width, height } = boxes[at]!;
    return { x, y, width: Math.round(width), height };
  };
  const isNode = (at: number): boolean => at < nodes.length;
  const end =
    (kind: PlacedEnd['kind'], first: number) =>
    (tensor: string, at: number): PlacedEnd => ({
      kind,
      tensor,
      ...place(first + at),
    });
  return {
    width: boxes.length === 0 ? 0 : Math.round(right - left + 2 * MARGIN),
    height: boxes.length === 0 ? 0 : Math.round(bottom - top + 2 * MARGIN),
    nodes: nodes.map((_, node) => ({ node, ...place(node) })),
    edges: links.map(({ from, to, tensor }, at): PlacedEdge => ({
      ...(isNode(from) ? { from } : {}),
      ...(isNode(to) ? { to } : {}),
      tensor,
      points: withoutStraight((placement.lines[at] ?? []).map(moved)),
    })),
    ends: [
      ...inputs.map(end('input', nodes.length)),
      ...outputs.map(end('output', nodes.length + inputs.length)),
    ],
  };
}

/** Without points between two others on one line. */
function withoutStraight(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    const [a, b] = kept.slice(-2);
    if (
      a !== undefined &&
      b !== undefined &&
      (b[0] - a[0]) * (point[1] - a[1]) === (point[0] - a[0]) * (b[1] - a[1])
    )
      kept.pop();
    kept.push(point);
  }
  return kept;
}
