/**
 * What lanes of one graph share when they are computed in one program, told before any program is made: the same nodes on the same
 * values are computed once. The compiler finds the same by itself; here it is counted.
 */
import type { Edge } from '../../../compile/edges.js';
import { elementCount } from '../../../ir/elements.js';
import { isFloat, tensorOf, topologyOf, type Graph, type Node, type TensorId } from '../../../ir/graph.js';
import { FLOAT_LANE, useKey, type Lane, type QuantParams } from '../../../ir/lane.js';
import { constantDigest, paramsDigest } from './lane-digest.js';

/** A node of the graph on certain values, or a quantizer on one; by number. */
export type Piece = number;

const BYTES = 4;
/** Of the compiled program for one node of the graph and for one quantizer, on average. */
const NODES = { node: 1, quantizer: 3 };
/** Nanoseconds: of a node for being there, for each element that it writes, and for each multiplication. One core, 2020s. */
const TIME = { node: 2000, element: 0.3, multiplication: 0.05 };

export class LaneCosts {
  /** Of every piece: nodes of the program, nanoseconds a sample, bytes that it writes, pieces that it reads. */
  readonly nodes: number[] = [];
  readonly time: number[] = [];
  readonly bytes: number[] = [];
  readonly reads: (readonly Piece[])[] = [];
  /** Of every piece, whether it depends on constants alone: then it is computed once and stays. */
  readonly isConstant: boolean[] = [];
  /** Pieces of the float network. */
  readonly float: readonly Piece[];
  readonly #graph: Graph;
  readonly #needed: readonly Node[];
  readonly #pieces = new Map<string, Piece>();

  /** @param ends what is measured beside the outputs */
  constructor(graph: Graph, ends: readonly Edge[]) {
    this.#graph = graph;
    this.#needed = neededFor(graph, [...graph.outputs, ...ends.map(({ tensor }) => tensor)]);
    this.float = this.lane(FLOAT_LANE);
  }

  /** What the lane is made of, in the order of the graph. */
  lane(lane: Lane): Piece[] {
    const pieces = new Set<Piece>();
    const held = new Map<TensorId, Piece>();
    const piece = (key: string, make: () => Omit<Made, 'isConstant'>, isConstant?: boolean): Piece => {
      const made = this.#pieces.get(key) ?? this.#add(key, make(), isConstant);
      pieces.add(made);
      return made;
    };
    const hold = (tensor: TensorId): Piece => {
      const known = held.get(tensor);
      if (known !== undefined) return known;
      const other = lane.values?.get(tensor);
      const isConstant = tensorOf(this.#graph, tensor).data !== undefined;
      const key = other === undefined ? `t${tensor}` : `v${constantDigest(other)}`;
      // Constants of the graph are in memory anyway.
      const bytes = other?.byteLength ?? 0;
      const made = piece(key, () => ({ nodes: 0, time: 0, bytes, reads: [] }), isConstant);
      held.set(tensor, made);
      return made;
    };
    const through = (tensor: TensorId, params: QuantParams | undefined): Piece => {
      const from = hold(tensor);
      const { dtype, data } = tensorOf(this.#graph, tensor);
      const isStored = data !== undefined && lane.codes?.has(tensor) === true;
      if (params === undefined || !isFloat(dtype) || isStored) return from;
      const elements = this.#elements(tensor);
      return piece(`q${from}:${paramsDigest(params)}`, () => ({
        nodes: NODES.quantizer,
        time: elements * TIME.element,
        bytes: elements * BYTES,
        reads: [from],
      }));
    };
    const arithmetic = lane.arithmetic ?? '';
    for (const node of this.#needed) {
      const reads = readBy(node).map(({ tensor, slot }) => {
        const key = useKey(node.id, slot);
        const read = through(tensor, lane.uses.get(key) ?? lane.tensors.get(tensor));
        return lane.dynamic?.has(key) === true ? -1 - read : read;
      });
      // An integer kernel computes with the parameters of what it writes.
      const written = arithmetic === '' ? [] : node.outputs.map((id) => id !== null && lane.tensors.get(id));
      const params = written.map((of) => (of === false || of === undefined ? '' : paramsDigest(of)));
      const made = piece(`n${node.id}(${reads.join()})${arithmetic}${params.join()}`, () =>
        this.#cost(
          node,
          reads.map((read) => (read < 0 ? -1 - read : read)),
        ),
      );
      for (const output of node.outputs) if (output !== null) held.set(output, made);
    }
    for (const output of this.#graph.outputs) through(output, lane.tensors.get(output));
    return [...pieces];
  }

  #add(key: string, { nodes, time, bytes, reads }: Omit<Made, 'isConstant'>, isConstant?: boolean): Piece {
    const made = this.nodes.length;
    const folded = isConstant ?? (reads.length > 0 && reads.every((read) => this.isConstant[read] === true));
    this.#pieces.set(key, made);
    this.nodes.push(nodes);
    this.time.push(folded ? 0 : time);
    this.bytes.push(bytes);
    this.reads.push(reads);
    this.isConstant.push(folded);
    return made;
  }

  #cost(node: Node, reads: readonly Piece[]): Omit<Made, 'isConstant'> {
    const elements = node.outputs.reduce((sum, id) => sum + (id === null ? 0 : this.#elements(id)), 0);
    const time = TIME.node + elements * TIME.element + this.#multiplications(node) * TIME.multiplication;
    return { nodes: NODES.node, time, bytes: elements * BYTES, reads };
  }

  /** Of a convolution or product with a constant: every weight once for each place of the output. */
  #multiplications({ op, inputs: [, weight], outputs: [output] }: Node): number {
    if (weight === null || weight === undefined || output === null || output === undefined) return 0;
    const dims = tensorOf(this.#graph, weight).data?.dims ?? [];
    if (dims.length < 2) return 0;
    const channels = op.startsWith('Conv') ? (dims[0] ?? 1) : (dims.at(-1) ?? 1);
    return (this.#elements(output) / channels) * elementCount(dims);
  }

  /** 0 where extents are not known. */
  #elements(tensor: TensorId): number {
    const { shape = [] } = tensorOf(this.#graph, tensor);
    return shape.reduce<number>((product, dim) => product * (typeof dim === 'number' ? dim : 0), 1);
  }
}

interface Made {
  readonly nodes: number;
  readonly time: number;
  readonly bytes: number;
  readonly reads: readonly Piece[];
  readonly isConstant: boolean;
}

/** Slot -1 stands for what a subgraph reads. */
function readBy(node: Node): { tensor: TensorId; slot: number }[] {
  const inputs = node.inputs.flatMap((tensor, slot) => (tensor === null ? [] : [{ tensor, slot }]));
  const captured = [...node.attrs.values()].flatMap((attr) =>
    attr.type === 'graph' ? attr.value.captures.map((tensor) => ({ tensor, slot: -1 })) : [],
  );
  return [...inputs, ...captured];
}

/** In graph order. */
function neededFor(graph: Graph, tensors: readonly TensorId[]): Node[] {
  const { producer } = topologyOf(graph);
  const wanted = new Set<TensorId>(tensors);
  const nodes = new Set<Node>();
  // A set goes on with what is added to it on the way.
  for (const tensor of wanted) {
    const writer = producer[tensor];
    const node = writer === undefined ? undefined : graph.nodes[writer];
    if (node === undefined || nodes.has(node)) continue;
    nodes.add(node);
    for (const read of readBy(node)) wanted.add(read.tensor);
  }
  return graph.nodes.filter((node) => nodes.has(node));
}
