/** A network as boxes and links between them, which layouts place. */
import { displayWidth } from '../text-width.js';
import type { ReportedGraph } from '../report-graph.js';

export interface Box {
  readonly width: number;
  readonly height: number;
}

export interface Link {
  /** Positions among the boxes. */
  readonly from: number;
  readonly to: number;
  readonly tensor: string;
}

export interface Boxes {
  /** Operators in the order of the graph, then inputs, then outputs of the network. */
  readonly boxes: readonly Box[];
  readonly links: readonly Link[];
}

export type Point = readonly [x: number, y: number];

export interface Placement {
  /** Of the boxes. */
  readonly centres: readonly Point[];
  /** Of the links: from one box to the other. */
  readonly lines: readonly (readonly Point[])[];
}

/** A character of the page's letters, about; longer names are cut in the middle. */
const CHARACTER = 7;
const LONGEST_LABEL = 30;
const PADDING = 18;
const NARROWEST = 56;
const NODE_HEIGHT = 42;
const END_HEIGHT = 26;
/** Of the longest kind that stands beside an operator. */
const NUMBER = '-12.3 dB';
/** A file can say that everything reads everything; more lines than this are a black square. */
const MOST_LINKS = 40_000;

export function boxesOf({ inputs, outputs, nodes }: ReportedGraph): Boxes {
  const sources = new Map<string, number>();
  for (const [at, tensor] of inputs.entries()) sources.set(tensor, nodes.length + at);
  // Of several writers the first, and a writer before an input of the same name, which is where the values come from.
  for (const [at, node] of [...nodes.entries()].reverse())
    for (const tensor of node.outputs) sources.set(tensor, at);
  const links: Link[] = [];
  const link = (tensor: string, to: number): void => {
    const from = sources.get(tensor);
    if (from !== undefined && from !== to && links.length < MOST_LINKS) links.push({ from, to, tensor });
  };
  for (const [at, node] of nodes.entries()) for (const tensor of new Set(node.inputs)) link(tensor, at);
  for (const [at, tensor] of outputs.entries()) link(tensor, nodes.length + inputs.length + at);
  return {
    boxes: [
      ...nodes.map(({ node, op }) => ({ width: widthOf([`${op} ${NUMBER}`, node]), height: NODE_HEIGHT })),
      ...[...inputs, ...outputs].map((tensor) => ({ width: widthOf([tensor]), height: END_HEIGHT })),
    ],
    links,
  };
}

function widthOf(lines: readonly string[]): number {
  // What is cut need not be measured.
  const longest = lines.reduce((most, line) => Math.max(most, displayWidth(line.slice(0, LONGEST_LABEL))), 0);
  return Math.max(NARROWEST, Math.min(longest, LONGEST_LABEL) * CHARACTER + PADDING);
}
