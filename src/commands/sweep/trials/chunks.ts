/**
 * Which lanes are computed in one program. The more, the more they share: everything before the first place where they differ, and
 * the float network that they are compared with. Against that stand memory, and that opening a session takes more than twice as long
 * for twice as many nodes.
 */
import type { Edge } from '../../../compile/edges.js';
import { elementCount } from '../../../ir/elements.js';
import { tensorOf, type Graph } from '../../../ir/graph.js';
import type { Lane } from '../../../ir/lane.js';
import { LaneCosts, type Piece } from './lane-cost.js';

/** What one program may be. */
export interface ChunkLimits {
  /** Nodes of the compiled program. */
  readonly nodes: number;
  /** Bytes that are alive at once, beside the network itself: what lanes share, and what is handed out. */
  readonly bytes: number;
}

const CHUNK_LIMITS: ChunkLimits = { nodes: 20_000, bytes: 2 ** 29 };

export interface ChunkOptions {
  /** Processes that are to be busy. */
  readonly processes: number;
  /** Outputs are handed out, not only compared. */
  readonly fetched: boolean;
  readonly limits?: ChunkLimits;
}

/** Lanes that follow each other, from `start` up to but not including `end`. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
  /** Estimated nanoseconds a sample. */
  readonly cost: number;
}

/** Below this a process more costs more, by the float network that every program computes, than it saves. */
const FEWEST_LANES = 4;
const BISECTIONS = 12;

/** Every lane in one chunk, in order; the same for the same lanes and options. A lane that is beyond the limits is alone. */
export function chunksOf(
  graph: Graph,
  ends: readonly Edge[],
  lanes: readonly Lane[],
  { processes, fetched, limits = CHUNK_LIMITS }: ChunkOptions,
): Chunk[] {
  const costs = new LaneCosts(graph, ends);
  const pieces = lanes.map((lane) => costs.lane(lane));
  const outputs = fetched ? bytesOf(graph) : 0;
  const cut = (most: number): Chunk[] => filled(costs, pieces, { ...limits, cost: most, outputs });
  const fewest = cut(Infinity);
  if (processes <= 1 || lanes.length < 2 * FEWEST_LANES) return fewest;
  // Of the same cost, one for every process: more would compute more than once what lanes share.
  const wanted = Math.min(
    roundedUp(fewest.length, processes),
    Math.max(fewest.length, Math.floor(lanes.length / FEWEST_LANES)),
  );
  if (wanted <= fewest.length) return fewest;
  // The smallest bound on the cost of a chunk with which there are not more than that.
  let [low, high] = [0, Math.max(...fewest.map(({ cost }) => cost))];
  let best = fewest;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    const chunks = cut(middle);
    if (chunks.length > wanted) low = middle;
    else [high, best] = [middle, chunks];
  }
  return best;
}

/** As many in every chunk as fit. */
function filled(
  costs: LaneCosts,
  lanes: readonly (readonly Piece[])[],
  most: ChunkLimits & { readonly cost: number; readonly outputs: number },
): Chunk[] {
  const chunks: Chunk[] = [];
  let chunk = new Filling(costs, most.outputs);
  lanes.forEach((pieces, at) => {
    const next = chunk.with(pieces);
    const fits = next.nodes <= most.nodes && next.bytes <= most.bytes && next.cost <= most.cost;
    if (chunk.isEmpty || fits) {
      chunk.add(pieces, next);
      return;
    }
    chunks.push({ start: chunks.at(-1)?.end ?? 0, end: at, cost: chunk.size.cost });
    chunk = new Filling(costs, most.outputs);
    chunk.add(pieces, chunk.with(pieces));
  });
  if (!chunk.isEmpty) {
    chunks.push({ start: chunks.at(-1)?.end ?? 0, end: lanes.length, cost: chunk.size.cost });
  }
  return chunks;
}

interface Size {
  readonly nodes: number;
  readonly bytes: number;
  readonly cost: number;
}

/** A chunk that lanes are put into. */
class Filling {
  isEmpty = true;
  size: Size = { nodes: 0, bytes: 0, cost: 0 };
  readonly #costs: LaneCosts;
  readonly #outputs: number;
  readonly #present = new Set<Piece>();
  /** Read by another lane than the one that they were first computed for. */
  readonly #kept = new Set<Piece>();

  constructor(costs: LaneCosts, outputs: number) {
    this.#costs = costs;
    this.#outputs = outputs;
    const { nodes, cost } = this.with(costs.float);
    this.size = { nodes, cost, bytes: outputs };
    for (const piece of costs.float) this.#present.add(piece);
  }

  /** What the chunk would be with that lane, too. */
  with(lane: readonly Piece[]): Size {
    const { nodes, time, bytes, reads, isConstant } = this.#costs;
    let [moreNodes, moreTime, moreBytes] = [0, 0, this.#outputs];
    const kept = new Set<Piece>();
    for (const piece of lane) {
      if (this.#present.has(piece)) continue;
      moreNodes += nodes[piece]!;
      moreTime += time[piece]!;
      if (isConstant[piece]!) moreBytes += bytes[piece]!;
      for (const read of reads[piece]!) {
        if (!this.#present.has(read) || isConstant[read]! || this.#kept.has(read) || kept.has(read)) continue;
        kept.add(read);
        moreBytes += bytes[read]!;
      }
    }
    const { size } = this;
    return { nodes: size.nodes + moreNodes, bytes: size.bytes + moreBytes, cost: size.cost + moreTime };
  }

  add(lane: readonly Piece[], size: Size): void {
    const { reads } = this.#costs;
    for (const piece of lane) {
      if (this.#present.has(piece)) continue;
      for (const read of reads[piece]!) if (this.#present.has(read)) this.#kept.add(read);
    }
    for (const piece of lane) this.#present.add(piece);
    this.size = size;
    this.isEmpty = false;
  }
}

function roundedUp(count: number, step: number): number {
  return Math.ceil(count / step) * step;
}

/** Of what one network hands out; 0 where extents are not known. */
function bytesOf(graph: Graph): number {
  const extents = graph.outputs.map((id) => tensorOf(graph, id).shape ?? [0]);
  return extents.reduce(
    (sum, shape) => sum + 4 * elementCount(shape.map((dim) => (typeof dim === 'number' ? dim : 0))),
    0,
  );
}
