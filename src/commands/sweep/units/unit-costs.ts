/** What layers cost: multiply-accumulates, and bytes of weights in higher precision. */
import { elementCount } from '../../../ir/elements.js';
import { nodeOf, tensorOf, type Graph, type NodeId, type TensorId } from '../../../ir/graph.js';
import { useKey, type Lane } from '../../../ir/lane.js';
import { macsOf } from '../../../ir/macs.js';
import { bitsOf } from '../../../quant/affine.js';

/** Of a network and its quantizers. */
export class UnitCosts {
  readonly #graph: Graph;
  readonly #lane: Lane;
  /** Of the whole network, where extents are fixed. */
  readonly #macs: number;

  constructor(graph: Graph, lane: Lane) {
    this.#graph = graph;
    this.#lane = lane;
    this.#macs = graph.nodes.reduce((sum, node) => sum + (macsOf(graph, node) ?? 0), 0);
  }

  /** Of the multiply-accumulates of the whole network, 0..1; undefined where they cannot be counted, or there are none. */
  macsShare(nodes: Iterable<NodeId>): number | undefined {
    let sum = 0;
    for (const id of nodes) {
      const macs = macsOf(this.#graph, nodeOf(this.#graph, id));
      if (macs === undefined) return undefined;
      sum += macs;
    }
    return this.#macs === 0 ? undefined : sum / this.#macs;
  }

  /**
   * Bytes that the constants the nodes read take more as the file has them than quantized; scales are not counted. A constant that
   * other nodes read too counts whole: the network then carries it twice.
   */
  floatBytes(nodes: Iterable<NodeId>): number {
    const seen = new Set<TensorId>();
    let bytes = 0;
    for (const id of nodes) {
      nodeOf(this.#graph, id).inputs.forEach((tensor, slot) => {
        if (tensor === null || seen.has(tensor)) return;
        const { data } = tensorOf(this.#graph, tensor);
        const params = this.#lane.uses.get(useKey(id, slot)) ?? this.#lane.tensors.get(tensor);
        if (data === undefined || params === undefined) return;
        seen.add(tensor);
        bytes += data.byteLength - Math.ceil((elementCount(data.dims) * bitsOf(params.dtype)) / 8);
      });
    }
    return bytes;
  }
}
